//! Content codings: the body as it was before it was compressed, within a limit.

use std::io::{Error, ErrorKind, Read};

use flate2::bufread::GzDecoder;
use flate2::{Decompress, FlushDecompress};
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

/// What is asked for.
pub(super) const ACCEPTED: &str = "gzip, br, deflate";

/// How many codings one upon the other are undone.
const CODINGS_MAX: usize = 3;

/// The buffer of the decoder of Brotli, in bytes.
const BROTLI_BUFFER: usize = 4096;

/// Why a body could not be brought to what it was.
#[derive(Debug)]
pub(super) enum CodingError {
    /// It would be larger than allowed.
    TooLarge,
    /// It is not what its coding says.
    Broken(String),
}

/// What is said of a body that is not there to its end.
const TORN: &str = "unexpected end of file";

impl From<Error> for CodingError {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::UnexpectedEof => broken(TORN),
            _ => broken(&error.to_string()),
        }
    }
}

fn broken(what: &str) -> CodingError {
    CodingError::Broken(what.to_owned())
}

/// Undoes the codings that the headers name, the last one first, and takes away the header where all
/// of them are known; none where there is nothing to do.
///
/// # Errors
/// A coding is not what the header says, or a body is larger than the limit.
pub(super) fn decode(
    headers: &mut HeaderMap,
    body: &[u8],
    limit: usize,
) -> Result<Option<Vec<u8>>, CodingError> {
    let names: Vec<String> = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase())
        .flat_map(|names| names.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>())
        .filter(|name| !name.is_empty() && name != "identity")
        .collect();
    let is_known = |name: &String| matches!(name.as_str(), "gzip" | "x-gzip" | "deflate" | "br");
    if names.is_empty() || names.len() > CODINGS_MAX || !names.iter().all(is_known) {
        return Ok(None);
    }
    headers.remove(CONTENT_ENCODING);
    let mut decoded: Option<Vec<u8>> = None;
    for name in names.iter().rev() {
        let coded = decoded.as_deref().unwrap_or(body);
        if coded.is_empty() {
            break;
        }
        decoded = Some(match name.as_str() {
            "br" => unbrotlied(coded, limit)?,
            "deflate" => deflated(coded, limit)?,
            _ => unzipped(coded, limit)?,
        });
    }
    Ok(decoded)
}

/// Reads to the end, or until it is too much.
fn limited(reader: impl Read, mut into: Vec<u8>, limit: usize) -> Result<Vec<u8>, CodingError> {
    let left = limit.saturating_sub(into.len());
    reader.take(u64::try_from(left).unwrap_or(u64::MAX).saturating_add(1)).read_to_end(&mut into)?;
    if into.len() > limit { Err(CodingError::TooLarge) } else { Ok(into) }
}

/// Reads Brotli, whose decoder tells no reasons.
fn unbrotlied(coded: &[u8], limit: usize) -> Result<Vec<u8>, CodingError> {
    let reader = brotli_decompressor::Decompressor::new(coded, BROTLI_BUFFER);
    limited(reader, Vec::new(), limit).map_err(|error| match error {
        CodingError::TooLarge => CodingError::TooLarge,
        CodingError::Broken(reason) if reason == TORN => broken(TORN),
        CodingError::Broken(_) => broken("brotli error"),
    })
}

/// Reads all members of a gzip file; what follows them and is none is padding.
fn unzipped(coded: &[u8], limit: usize) -> Result<Vec<u8>, CodingError> {
    let mut whole = Vec::new();
    let mut rest = coded;
    loop {
        let mut member = GzDecoder::new(rest);
        whole = limited(&mut member, whole, limit)?;
        rest = member.into_inner();
        if !rest.starts_with(&[0x1F, 0x8B]) {
            return Ok(whole);
        }
    }
}

/// Reads `deflate`, which is zlib by the standard and the bare stream with some servers.
fn deflated(coded: &[u8], limit: usize) -> Result<Vec<u8>, CodingError> {
    let is_zlib = match coded {
        [method, flags, ..] => method & 0x0F == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0,
        _ => false,
    };
    if !is_zlib {
        return inflated(coded, false, limit);
    }
    match inflated(coded, true, limit) {
        Err(CodingError::Broken(reason)) => {
            inflated(coded, false, limit).map_err(|_| CodingError::Broken(reason))
        }
        result => result,
    }
}

fn inflated(coded: &[u8], has_header: bool, limit: usize) -> Result<Vec<u8>, CodingError> {
    let mut machine = Decompress::new(has_header);
    let mut whole = Vec::new();
    let mut rest = coded;
    loop {
        let free = limit.saturating_add(1).saturating_sub(whole.len());
        whole.reserve(free.min(coded.len().saturating_mul(4).max(1024)));
        let (read, written) = (machine.total_in(), whole.len());
        let status = machine
            .decompress_vec(rest, &mut whole, FlushDecompress::None)
            .map_err(|error| broken(&error.to_string()))?;
        if whole.len() > limit {
            return Err(CodingError::TooLarge);
        }
        if status == flate2::Status::StreamEnd {
            return Ok(whole);
        }
        let taken = usize::try_from(machine.total_in() - read).unwrap_or(usize::MAX);
        if taken == 0 && whole.len() == written {
            return Err(broken(TORN));
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(data: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn raw(data: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    /// `XXXXXXXXXXYYYYYYYYYY`, from the test data of Brotli.
    const BROTLI: &[u8] = b"\x1b\x13\0\0\xa4\xb0\xb2\xea\x81\x47\x02\x8a";

    #[test]
    fn brotli_is_undone_within_the_limit() {
        let text = b"XXXXXXXXXXYYYYYYYYYY";
        assert_eq!(undo("BR", BROTLI, text.len()).unwrap(), text);
        assert_eq!(undo("br, gzip", &gzip(BROTLI), 100).unwrap(), text);
        assert!(matches!(undo("br", BROTLI, text.len() - 1), Err(CodingError::TooLarge)));
        for end in 1..BROTLI.len() {
            assert!(matches!(undo("br", &BROTLI[..end], 100), Err(CodingError::Broken(_))), "{end}");
        }
    }

    fn undo(coding: &str, body: &[u8], limit: usize) -> Result<Vec<u8>, CodingError> {
        let mut headers = HeaderMap::new();
        for value in coding.split('|') {
            headers.append(CONTENT_ENCODING, value.parse().unwrap());
        }
        Ok(decode(&mut headers, body, limit)?.unwrap_or_else(|| body.to_vec()))
    }

    #[test]
    fn codings_are_undone_by_name_in_any_case_and_in_turn() {
        let text = b"a text, a text, a text";
        let members = [gzip(b"a text, "), gzip(b""), gzip(b"a text, a text")].concat();
        for (coding, body) in [
            ("gzip", gzip(text)),
            ("GZIP", gzip(text)),
            ("x-gzip", gzip(text)),
            ("X-GZip", members.clone()),
            ("gzip", [members, vec![0; 7]].concat()),
            ("deflate", zlib(text)),
            ("Deflate", raw(text)),
            ("deflate, gzip", gzip(&zlib(text))),
            ("deflate|gzip", gzip(&zlib(text))),
            ("identity, gzip", gzip(text)),
            ("identity", text.to_vec()),
            ("utf-8", text.to_vec()),
        ] {
            assert_eq!(undo(coding, &body, 100).unwrap(), text, "{coding}");
        }
        assert_eq!(undo("gzip", b"", 100).unwrap(), b"");
    }

    #[test]
    fn a_bomb_ends_at_the_limit_and_a_torn_body_is_broken() {
        let zeros = vec![b' '; 8 << 20];
        let in_two = [gzip(&zeros[..60]), gzip(&zeros[..60])].concat();
        for (coding, body) in [
            ("gzip", gzip(&zeros)),
            ("gzip", in_two),
            ("deflate", zlib(&zeros)),
            ("deflate", raw(&zeros)),
            ("gzip, gzip", gzip(&gzip(&zeros))),
        ] {
            assert!(matches!(undo(coding, &body, 100), Err(CodingError::TooLarge)), "{coding}");
        }
        let text = b"0123456789abcdefghijklmnopqrstuvwxyz";
        for (coding, body) in [("gzip", gzip(text)), ("deflate", zlib(text)), ("deflate", raw(text))] {
            assert_eq!(undo(coding, &body, text.len()).unwrap(), text, "the limit itself: {coding}");
            for end in 1..body.len() {
                let result = undo(coding, &body[..end], 100);
                assert!(matches!(result, Err(CodingError::Broken(_))), "{coding} {end}: {result:?}");
            }
        }
        assert!(matches!(undo("br", &gzip(text), 100), Err(CodingError::Broken(_))));
    }

    proptest! {
        #[test]
        fn whatever_was_coded_comes_back(data in prop::collection::vec(any::<u8>(), 1..3000)) {
            for (coding, body) in [("gzip", gzip(&data)), ("deflate", zlib(&data)), ("deflate", raw(&data))] {
                prop_assert_eq!(&undo(coding, &body, data.len()).unwrap(), &data);
                prop_assert!(undo(coding, &body, data.len() - 1).is_err());
            }
        }

        #[test]
        fn no_bytes_make_it_panic_or_pass_the_limit(body in prop::collection::vec(any::<u8>(), 0..300),
            coding in prop::sample::select(vec!["gzip", "deflate", "br", "br, gzip"])) {
            if let Ok(decoded) = undo(coding, &body, 50) {
                prop_assert!(decoded.len() <= 50 || body.is_empty());
            }
        }
    }
}
