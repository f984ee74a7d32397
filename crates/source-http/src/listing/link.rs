//! The `Link` header (RFC 8288), as far as pagination needs it.

use reqwest::header::{HeaderMap, LINK};

/// The target of the link with `rel="next"`.
pub(super) fn next_link(headers: &HeaderMap) -> Option<String> {
    headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok()).find_map(|value| {
        let mut rest = value;
        while let Some((_, after)) = rest.split_once('<') {
            let (target, after) = after.split_once('>')?;
            // The parameters reach to the next link; a comma within quotes comes before no `<`.
            let parameters = after.split('<').next().unwrap_or(after);
            let is_next =
                parameters.split([';', ',']).filter_map(|part| part.split_once('=')).any(|(name, value)| {
                    name.trim().eq_ignore_ascii_case("rel")
                        && value
                            .trim()
                            .trim_matches('"')
                            .split_whitespace()
                            .any(|rel| rel.eq_ignore_ascii_case("next"))
                });
            if is_next {
                return Some(target.to_owned());
            }
            rest = after;
        }
        None
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn link(value: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(LINK, value.parse().unwrap());
        next_link(&headers)
    }

    #[test]
    fn the_next_link_is_found_among_others() {
        for (value, expected) in [
            (r#"<https://x.example/?page=2>; rel="next""#, Some("https://x.example/?page=2")),
            (r#"</p?a=1,2>; rel="prev", </p?a=3>; title="a, b"; rel=next"#, Some("/p?a=3")),
            (r#"</p>; rel="last next""#, Some("/p")),
            (r#"</p>; rel="prev""#, None),
            (r#"</p>; rev="next""#, None),
            ("nonsense", None),
        ] {
            assert_eq!(link(value).as_deref(), expected, "{value}");
        }
    }
}
