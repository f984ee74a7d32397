//! Header values whose parts may hold their separators within quotes.

/// Splits at a separator that stands outside of `"quotes"`, in which `\` protects a character.
pub(crate) fn split_outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |character| {
        if escaped {
            escaped = false;
        } else if quoted && character == '\\' {
            escaped = true;
        } else if character == '"' {
            quoted = !quoted;
        }
        !quoted && character == separator
    })
}

/// Takes the quotes and their escapes away, where a value has them.
pub(crate) fn unquoted(text: &str) -> String {
    let text = text.trim();
    let Some(inside) = text.strip_prefix('"') else { return text.to_owned() };
    let mut plain = String::with_capacity(inside.len());
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => plain.extend(characters.next()),
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_protect_separators_and_quotes() {
        let parts: Vec<&str> = split_outside_quotes(r#"a, "b, \", c", d"#, ',').collect();
        assert_eq!(parts, ["a", r#" "b, \", c""#, " d"]);
        assert_eq!(unquoted(r#" "b, \", c" "#), r#"b, ", c"#);
        assert_eq!(unquoted(" plain "), "plain");
        assert_eq!(unquoted("\"open"), "open");
    }
}
