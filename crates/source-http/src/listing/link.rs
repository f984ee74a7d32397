//! The `Link` header (RFC 8288), as far as pagination needs it.

use reqwest::header::{HeaderMap, LINK};

use crate::http::{split_outside_quotes, unquoted};

/// Finds the target of the first link whose relations include `next`.
pub(super) fn next_link(headers: &HeaderMap) -> Option<String> {
    headers.get_all(LINK).iter().find_map(|value| next_in(&String::from_utf8_lossy(value.as_bytes())))
}

/// Finds it in one header; text that is no link is passed over.
fn next_in(value: &str) -> Option<String> {
    let mut rest = value;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, after) = after.split_once('>')?;
        // A comma ends the link, unless a parameter has it within quotes.
        let parameters = split_outside_quotes(after, ',').next().unwrap_or(after);
        if !target.trim().is_empty() && is_next(parameters) {
            return Some(target.trim().to_owned());
        }
        rest = after.get(parameters.len()..).unwrap_or_default();
    }
    None
}

/// Tells whether the parameters of a link say `rel=next`. Only the first `rel` counts.
fn is_next(parameters: &str) -> bool {
    let named = |wanted: &str| {
        split_outside_quotes(parameters, ';').find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case(wanted).then(|| unquoted(value))
        })
    };
    let rel = named("rel").unwrap_or_default();
    rel.split_whitespace().any(|rel| rel.eq_ignore_ascii_case("next"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert_eq, proptest};

    fn link(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(LINK, reqwest::header::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        next_link(&headers)
    }

    #[test]
    fn the_next_link_is_found_among_others() {
        for (value, expected) in [
            (r#"<https://x.example/?page=2>; rel="next""#, Some("https://x.example/?page=2")),
            (r#"</p?a=1,2>; rel="prev", </p?a=3>; title="a, b"; rel=next"#, Some("/p?a=3")),
            (r#"</p>; rel="last next""#, Some("/p")),
            (r#"</p>; rel="last  NEXT""#, Some("/p")),
            (r#"</p>; REL=Next"#, Some("/p")),
            (r#"</p> ;rel = "next""#, Some("/p")),
            (r#"</p>;title="price < 10"; rel="next""#, Some("/p")),
            (r#"</p>; rel="next"; title="price < 10""#, Some("/p")),
            (r#"</p>; title="a; rel=\"prev\", <b>"; rel="next""#, Some("/p")),
            (r#"</a>; rel="prev"; title="<c>; rel=next",</b;x=1,2>;rel="next""#, Some("/b;x=1,2")),
            (r#"</a>; title*=UTF-8''price%20%3c; crossorigin; rel=next"#, Some("/a")),
            (r#"<?page=2>; rel=next"#, Some("?page=2")),
            (r#"</größe>; rel=next"#, Some("/größe")),
            (r#"</a>; rel="prev", , </b>; rel="next""#, Some("/b")),
            (r#"</a>; rel=prev; rel=next"#, None),
            (r#"</a>; title="rel=next""#, None),
            (r#"</a>; title="x; rel=next; y""#, None),
            (r#"</a>; rel="next-page""#, None),
            (r#"<>; rel="next""#, None),
            (r#"</p>; rel="prev""#, None),
            (r#"</p>; rev="next""#, None),
            (r#"</p"#, None),
            ("nonsense", None),
        ] {
            assert_eq!(link(&[value]).as_deref(), expected, "{value}");
        }
        let several = ["</a>; rel=first", "nonsense <", "</b>; rel=prev, </c>; rel=next"];
        assert_eq!(link(&several).as_deref(), Some("/c"));
    }

    proptest! {
        #[test]
        fn nothing_in_quotes_hides_the_next_link(title in "[ -~&&[^\"\\\\]]{0,30}", first in "[a-z]{1,6}") {
            let before = format!("</{first}>; rel=\"prev\"; title=\"{title}\", </n>; title=\"{title}\"; rel=\"next\"");
            prop_assert_eq!(link(&[&before]), Some("/n".to_owned()));
        }
    }
}
