//! Secrets in every spelling, known ones and any text.

use proptest::prelude::{any, prop, prop_assert, proptest};

use super::*;

fn environment(name: &str) -> Option<String> {
    match name {
        "KEY" => Some("s3cr3t/\"x".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

#[test]
fn a_variable_is_written_for_its_place_and_shown_masked() {
    let mut secrets = Secrets::default();
    for (place, real) in [
        (Place::Header, "a s3cr3t/\"x b"),
        (Place::Url, "a s3cr3t%2F%22x b"),
        (Place::Body, "a s3cr3t/\\\"x b"),
    ] {
        let filled = secrets.fill("a ${KEY} b", place, &environment).unwrap();
        assert_eq!(filled.real, real);
        assert_eq!(filled.shown, "a *** b");
        assert_eq!(secrets.mask(&filled.real), "a *** b");
        let sealed = secrets.seal(&filled.real);
        assert!(!sealed.contains("s3cr3t"));
        assert_eq!(secrets.unseal(&sealed), filled.real);
    }
    assert!(!format!("{secrets:?}").contains("s3cr3t"));
}

#[test]
fn a_missing_variable_is_named() {
    let mut secrets = Secrets::default();
    for (text, part) in [
        ("${NOT_THERE}", "NOT_THERE is not set"),
        ("${EMPTY}", "EMPTY is not set"),
        ("${", "must be followed"),
        ("${a b}", "must be followed"),
    ] {
        let message = secrets.fill(text, Place::Header, &environment).err().unwrap();
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(secrets.fill("$x {y}", Place::Body, &environment).unwrap().real, "$x {y}");
}

fn filled(value: &'static str) -> Secrets {
    let mut secrets = Secrets::default();
    secrets.fill("${KEY}", Place::Header, &|_| Some(value.to_owned())).unwrap();
    secrets
}

#[test]
fn a_secret_is_masked_in_every_spelling() {
    let secrets = filled("sk/sé cret+42&x");
    for spelled in [
        "sk/sé cret+42&x",
        r"sk\/s\u00e9 cret\u002B42\u0026x",
        r"sk\/s\u00E9\u0020cret\u002b42&x",
        r"sk\\/s\\u00e9 cret\\u002B42\\u0026x",
        "sk/s&eacute; cret+42&amp;x",
        "sk&sol;s&#233; cret&plus;42&amp;x",
        "sk&#x2f;s&#xE9;&#x20;cret&#x2B;42&#38;x",
        "sk%2Fs%C3%A9%20cret%2B42%26x",
        "sk%2fs%c3%a9%20cret%2b42%26x",
        "sk%2Fs%C3%A9+cret%2B42%26x",
        "sk%252Fs%25C3%25A9%2520cret%252B42%2526x",
        "sk/s%E9 cret+42&x",
        "c2svc8OpIGNyZXQrNDImeA==",
        "c2svc8OpIGNyZXQrNDImeA",
        "c2svc8OpIGNyZXQrNDImeA%3D%3D",
        r"c2svc8OpIGNyZXQrNDImeA\u003d\u003d",
    ] {
        let text = format!("a {spelled} b");
        let masked = secrets.mask(&text);
        assert!(masked.starts_with("a ***") && masked.ends_with(" b") && masked.len() < 12, "{masked}");
    }
    assert_eq!(secrets.mask("sk/sé cret+42 x, größe, a%2Fb"), "sk/sé cret+42 x, größe, a%2Fb");
}

#[test]
fn base64_of_something_around_the_secret_is_masked_too() {
    let secrets = filled("correct horse battery");
    for before in ["", "u", "us", "user:", "x=1&key="] {
        for after in ["", "!", "!!"] {
            let encoded = STANDARD.encode(format!("{before}correct horse battery{after}"));
            let url_safe = encoded.replace('+', "-").replace('/', "_");
            for text in [encoded, url_safe] {
                let masked = secrets.mask(&text).into_owned();
                assert!(
                    masked.contains(MASK) && masked.len() <= MASK.len() + 10 + before.len() * 2,
                    "{masked}"
                );
            }
        }
    }
}

#[test]
fn values_of_headers_are_secrets_wherever_they_came_from() {
    let mut secrets = Secrets::default();
    for (name, value, is_telling) in [
        ("authorization", "Basic dXNlcjpwYXNzLXdvcmQ=", true),
        ("x-api-key", "abcd", true),
        ("cookie", "session=0123456789; a=b", true),
        ("x-shop", "demo-shop", false),
        ("x-lang", "en", false),
        ("accept", "application/json", false),
    ] {
        secrets.add_header(name, value, is_telling);
    }
    for (text, shown) in [
        ("Basic dXNlcjpwYXNzLXdvcmQ=", "Basic ***"),
        ("pass-word", "***"),
        ("user:pass-word", "***"),
        ("abcd", "***"),
        ("demo-shop", "***"),
        ("application/json en", "application/json en"),
    ] {
        assert_eq!(secrets.mask(text), shown);
    }
}

#[test]
fn what_holds_a_part_of_a_secret_is_not_shown() {
    let secrets = filled("0123456789abcdef");
    assert_eq!(secrets.shown("the key 0123456789abcdef is bad", false), "the key *** is bad");
    for part in ["the key 01234567 is bad", "...89abcdef", r"\u0030123456%37"] {
        assert_eq!(secrets.shown(part, false), WITHHELD, "{part}");
    }
    assert_eq!(secrets.shown("the key 0123... is bad", false), "the key 0123... is bad");
    // At its cut edge even one character may be the beginning of one.
    assert_eq!(secrets.shown("the key 0123", true), "the key ");
    assert_eq!(secrets.shown("the key \\u00", true), "the key ");
    assert_eq!(secrets.shown("the key 0123 x", true), "the key 0123 x");
}

#[test]
fn a_secret_in_a_next_url_is_sealed_in_any_spelling() {
    let secrets = filled("s3cr3t/+x");
    let url = "https://x.example/?key=s3cr3t%2f%2bx&page=2";
    let sealed = secrets.seal(url);
    assert!(!sealed.contains("s3cr3t"));
    assert_eq!(secrets.unseal(&sealed), "https://x.example/?key=s3cr3t%2F%2Bx&page=2");
}

/// Writes a text with each character in one of many spellings.
fn spelled(text: &str, choices: &[u8]) -> String {
    let ways = text.chars().zip(choices.iter().cycle());
    ways.map(|(character, choice)| {
        let code = u32::from(character);
        match choice % 8 {
            0 if code < 0x1_0000 => format!("\\u{code:04x}"),
            1 if code < 0x1_0000 => format!("\\u{code:04X}"),
            2 => format!("&#{code};"),
            3 => format!("&#x{code:X};"),
            4 => character.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect(),
            5 => character.to_string().bytes().map(|byte| format!("%25{byte:02X}")).collect(),
            _ => character.to_string(),
        }
    })
    .collect()
}

proptest! {
    #[test]
    fn no_spelling_escapes(value in "[!-~äé€😀]{4,24}", choices in prop::collection::vec(any::<u8>(), 1..24),
        before in "[g-z]{0,8}", after in "[g-z]{0,8}") {
        let mut secrets = Secrets::default();
        secrets.fill("${KEY}", Place::Url, &|_| Some(value.clone())).unwrap();
        let written = spelled(&value, &choices);
        let masked = secrets.mask(&format!("{before} {written} {after}")).into_owned();
        prop_assert!(masked.contains(MASK), "{masked}");
        prop_assert!(!masked.contains(&written), "{masked}");
    }

    #[test]
    fn no_base64_escapes(value in "\\PC{6,40}", before in "[a-z]{0,5}", after in "[a-z]{0,5}") {
        let mut secrets = Secrets::default();
        secrets.fill("${KEY}", Place::Url, &|_| Some(value.clone())).unwrap();
        let whole = STANDARD.encode(&value);
        prop_assert!(!secrets.mask(&whole).contains(&whole));
        if value.len() >= 12 {
            let within = STANDARD.encode(format!("{before}{value}{after}"));
            prop_assert!(secrets.mask(&within).contains(MASK));
        }
    }

    #[test]
    fn a_cut_shows_no_more_than_a_small_part(value in "[0-9A-F]{12,40}", before in "[g-z ]{0,20}", cut in 0_usize..80) {
        let mut secrets = Secrets::default();
        secrets.fill("${KEY}", Place::Url, &|_| Some(value.clone())).unwrap();
        let text = format!("{before}{value}{before}");
        let start = text.get(..cut.min(text.len())).unwrap();
        let shown = secrets.shown(start, true);
        prop_assert!(!value.chars().any(|digit| shown.contains(digit)), "{shown}");
    }

    #[test]
    fn any_text_can_be_masked_and_sealed(value in "\\PC{4,12}", text in "([\\\\&%#;uxa-f0-9]|\\PC){0,60}") {
        let mut secrets = Secrets::default();
        secrets.fill("${KEY}", Place::Url, &|_| Some(value.clone())).unwrap();
        let _ = secrets.mask(&text);
        let _ = secrets.shown(&text, true);
        let sealed = secrets.seal(&format!("{text}{value}"));
        prop_assert!(!sealed.contains(&value));
    }
}
