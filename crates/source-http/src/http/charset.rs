//! Character sets: the body as UTF-8 without a byte order mark, whatever it came in.

use bytes::Bytes;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use reqwest::header::{CONTENT_TYPE, HeaderMap};

use super::quoted::{split_outside_quotes, unquoted};

/// Brings a body to UTF-8. What is neither UTF-8 nor in the character set that it names stays as it is.
pub(super) fn to_utf8(headers: &HeaderMap, body: Bytes) -> Bytes {
    if let Some((encoding, length)) = Encoding::for_bom(&body) {
        let rest = body.slice(length..);
        return if encoding == UTF_8 { rest } else { decoded(encoding, &rest).unwrap_or(body) };
    }
    // JSON begins with a character of ASCII, of which UTF-16 makes two bytes.
    let encoding = match body.get(..2) {
        Some([0, second]) if *second != 0 => UTF_16BE,
        Some([first, 0]) if *first != 0 => UTF_16LE,
        // Many servers name a character set by default and send UTF-8 all the same.
        _ if std::str::from_utf8(&body).is_ok() => return body,
        _ => match named(headers) {
            Some(encoding) if encoding.is_ascii_compatible() => encoding,
            _ => return body,
        },
    };
    decoded(encoding, &body).unwrap_or(body)
}

fn decoded(encoding: &'static Encoding, body: &[u8]) -> Option<Bytes> {
    let text = encoding.decode_without_bom_handling_and_without_replacement(body)?;
    Some(Bytes::from(text.into_owned().into_bytes()))
}

/// Finds the character set that `Content-Type` names.
fn named(headers: &HeaderMap) -> Option<&'static Encoding> {
    let text = String::from_utf8_lossy(headers.get(CONTENT_TYPE)?.as_bytes()).into_owned();
    let label = split_outside_quotes(&text, ';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| unquoted(value))
    })?;
    Encoding::for_label(label.trim_matches('\'').as_bytes())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(kind: &str, body: &[u8]) -> Vec<u8> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, kind.parse().unwrap());
        to_utf8(&headers, Bytes::copy_from_slice(body)).to_vec()
    }

    fn utf16(text: &str, write: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(write).collect()
    }

    #[test]
    fn what_is_named_or_marked_becomes_utf8() {
        let text = "{\"größe\": \"東\"}";
        let latin = b"{\"gr\xF6\xDFe\": 1}";
        for kind in [
            "application/json; charset=iso-8859-1",
            "application/json;CHARSET=\"ISO-8859-1\"",
            "text/plain; version=1; charset = windows-1252",
            "application/json; charset=latin1",
        ] {
            assert_eq!(read(kind, latin), "{\"größe\": 1}".as_bytes(), "{kind}");
            assert_eq!(read(kind, text.as_bytes()), text.as_bytes(), "UTF-8 all the same: {kind}");
        }
        assert_eq!(read("application/json; charset=windows-1252", b"\"\x80\""), "\"€\"".as_bytes());
        for kind in
            ["application/json", "application/json; charset=utf-16", "application/json; charset=utf-8"]
        {
            for write in [u16::to_le_bytes, u16::to_be_bytes] {
                assert_eq!(read(kind, &utf16(text, write)), text.as_bytes(), "{kind}");
                assert_eq!(read(kind, &utf16(&format!("\u{feff}{text}"), write)), text.as_bytes(), "{kind}");
            }
            assert_eq!(read(kind, format!("\u{feff}{text}").as_bytes()), text.as_bytes(), "{kind}");
            assert_eq!(read(kind, latin), latin, "not UTF-8, and no other character set: {kind}");
        }
        assert_eq!(read("application/json; charset=nonsense", latin), latin);
        assert_eq!(read("application/json; charset=utf-16", b"{}"), b"{}");
        assert_eq!(read("application/json", b""), b"");
    }
}
