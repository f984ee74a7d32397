//! Bodies in every compression and character set that servers send.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use price_cache_domain::FailureClass::InvalidAnswer;
use price_cache_simulator::raw::{RawServer, answer};

use crate::support::{all_products, assert_fault, config, fetch, plain, price, source};

const GOOD: &str = r#"{"amount": "19.90", "currency": "EUR"}"#;

/// `GOOD` in Brotli.
const BROTLI: &[u8] = b"\x8b\x12\x80{\"amount\": \"19.90\", \"currency\": \"EUR\"}\x03";

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

fn raw_deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn content_codings_are_undone_in_any_case_and_with_several_members() {
    let (start, end) = GOOD.as_bytes().split_at(12);
    for (coding, body) in [
        ("gzip", [gzip(start), gzip(end)].concat()),
        ("GZip", gzip(GOOD.as_bytes())),
        ("x-gzip", gzip(GOOD.as_bytes())),
        ("deflate", zlib(GOOD.as_bytes())),
        ("Deflate", raw_deflate(GOOD.as_bytes())),
        ("BR", BROTLI.to_vec()),
        ("deflate, gzip", gzip(&zlib(GOOD.as_bytes()))),
    ] {
        let reply = answer("200 OK", &format!("Content-Encoding: {coding}\r\n"), body);
        let server = RawServer::always(reply).await.unwrap();
        let found = price(&source(&plain(&server.base_url, "")), "US", "p").await;
        assert_eq!(found.unwrap(), "19.90 EUR", "{coding}");
        assert!(server.requests()[0].contains("accept-encoding: gzip, br, deflate"));
    }
}

#[tokio::test]
async fn every_coding_is_limited_after_decompression() {
    let zeros = vec![b' '; 4 << 20];
    let half = gzip(&zeros[..600_000]);
    for (coding, body) in [
        ("gzip", gzip(&zeros)),
        ("gzip", [half.clone(), half].concat()),
        ("deflate", zlib(&zeros)),
        ("deflate", raw_deflate(&zeros)),
        ("gzip, gzip", gzip(&gzip(&zeros))),
    ] {
        let reply = answer("200 OK", &format!("Content-Encoding: {coding}\r\n"), body);
        let server = RawServer::always(reply).await.unwrap();
        let result = fetch(&source(&plain(&server.base_url, "[source.limits]\nbody_bytes = 1048576"))).await;
        assert_fault(result, InvalidAnswer, "larger than 1048576 bytes (source.limits.body_bytes)");
    }
}

#[tokio::test]
async fn byte_order_marks_and_character_sets_are_understood() {
    let text = r#"["Größe"]"#;
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (kind, body) in [
        ("application/json", format!("\u{feff}{text}").into_bytes()),
        ("application/json; charset=iso-8859-1", b"[\"Gr\xF6\xDFe\"]".to_vec()),
        ("application/json; charset=\"Windows-1252\"", b"[\"Gr\xF6\xDFe\"]".to_vec()),
        ("application/json; charset=iso-8859-1", text.into()),
        ("application/json; charset=utf-16", utf16.clone()),
        ("application/json", [b"\xFF\xFE".as_slice(), &utf16].concat()),
    ] {
        let reply = answer("200 OK", &format!("Content-Type: {kind}\r\n"), body);
        let server = RawServer::always(reply).await.unwrap();
        let config = config(&format!(
            r#"
            [source]
            base_url = "{}"
            markets = {{ list = ["US"] }}
            products = {{ url = "/p/{{market}}", items = "$" }}
            price = {{ url = "/p/{{product}}", amount = "$.amount", currency = "EUR" }}
            "#,
            server.base_url
        ));
        assert_eq!(all_products(&source(&config), "US").await.unwrap().0, ["Größe"], "{kind}");
    }
}
