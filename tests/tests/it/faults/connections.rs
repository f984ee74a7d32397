//! Faults of names, connections, times, HTTP itself, compression, redirects and waits.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use price_cache_simulator::raw::{Reply, Then, answer};

use super::row::{Row, body, bytes, document, redirect};

/// More than ten gigabytes come, unless the client has had enough.
const PIECE_BYTES: usize = 64 * 1024;
/// What a bomb of 64 KiB becomes.
const BOMB_BYTES: usize = 64 * 1024 * 1024;

const HEAD: &str = "HTTP/1.1 200 OK\r\n";

/// Where redirects lead to that are allowed and end nowhere.
pub(crate) struct Places {
    /// Nobody listens there.
    pub(crate) refusing: SocketAddr,
    /// Nobody answers there.
    pub(crate) black_hole: SocketAddr,
}

impl Places {
    /// The origins that the source is allowed to ask.
    pub(crate) fn origins(&self) -> [String; 3] {
        let Self { refusing, black_hole } = self;
        ["http://prices.invalid".to_owned(), format!("http://{refusing}"), format!("http://{black_hole}")]
    }
}

fn gzip(data: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data)?;
    encoder.finish()
}

fn drip(bytes: &str) -> Then {
    Then::Repeat(bytes.into(), Duration::from_millis(20))
}

fn head(more: &str, then: Then) -> Reply {
    bytes(format!("{HEAD}{more}"), then)
}

fn limited(retry_after: &str) -> Reply {
    answer("429 Too Many Requests", &format!("Retry-After: {retry_after}\r\n"), "slow down")
}

/// Returns the lines of the table.
#[expect(clippy::too_many_lines, reason = "one table, read as a whole")]
pub(crate) fn rows(places: &Places) -> std::io::Result<Vec<Row>> {
    let [no_name, refusing, black_hole] = places.origins();
    let good = document("fault", "19.90");
    let zipped = gzip(good.as_bytes())?;
    let in_the_middle = |then| head("Content-Length: 100\r\n\r\n{\"amount\": 19", then);
    let flood = Then::Repeat(b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(200), Duration::ZERO);
    let endless = Then::Repeat(vec![b' '; PIECE_BYTES], Duration::ZERO);
    Ok(vec![
        Row::fails(
            "refused",
            redirect(&refusing),
            "transport",
            "cannot connect to 127.0.0.1: the connection was refused",
        ),
        Row::fails(
            "DNS failure",
            redirect(&no_name),
            "transport",
            "the name of prices.invalid cannot be resolved",
        ),
        Row::fails(
            "black hole",
            redirect(&black_hole),
            "timeout",
            "no connection to 127.0.0.1 within 500ms (source.limits.connect)",
        ),
        Row::fails(
            "accept and silence",
            bytes("", Then::Hang),
            "timeout",
            "no answer within 1s (source.limits.first_byte)",
        ),
        Row::fails(
            "reset in the status line",
            bytes("HTTP/1.1 20", Then::Reset),
            "transport",
            "the server reset the connection before its answer came",
        ),
        Row::fails(
            "reset in the middle of the body",
            in_the_middle(Then::Reset),
            "transport",
            "the server reset the connection in the middle of its answer",
        ),
        Row::fails(
            "early FIN",
            in_the_middle(Then::Close),
            "transport",
            "the server closed the connection in the middle of its answer",
        ),
        Row::passes("keep-alive race", bytes("", Then::Close)),
        Row::fails(
            "endless 1xx",
            bytes("", flood),
            "timeout",
            "no answer within 1s (source.limits.first_byte)",
        ),
        Row::fails(
            "header drip",
            head("X-A: ", drip("x")),
            "timeout",
            "no answer within 1s (source.limits.first_byte)",
        ),
        Row::fails(
            "body drip",
            head("Content-Length: 1000\r\n\r\n", drip(" ")),
            "timeout",
            "the answer did not end within 2s (source.limits.total)",
        ),
        Row::fails(
            "body of 10 GB",
            head("Connection: close\r\n\r\n", endless),
            "invalid_answer",
            "the body is larger than 1048576 bytes (source.limits.body_bytes)",
        ),
        Row::fails(
            "length 10^18",
            head("Content-Length: 1000000000000000000\r\n\r\n{", Then::Hang),
            "invalid_answer",
            "the body is larger than 1048576 bytes (source.limits.body_bytes)",
        ),
        Row::fails(
            "two lengths",
            head("Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}", Then::Close),
            "invalid_answer",
            "the answer is not correct HTTP: invalid content-length parsed",
        ),
        Row::fails(
            "bad chunk",
            head("Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", Then::Close),
            "invalid_answer",
            "the answer is not correct HTTP: Invalid chunk size line: missing size digit",
        ),
        Row::fails(
            "header of 1 MB",
            head(&format!("X-A: {}\r\n\r\n", "x".repeat(1 << 20)), Then::Close),
            "invalid_answer",
            "the headers of the answer are too large",
        ),
        Row::fails(
            "gzip bomb",
            answer("200 OK", "Content-Encoding: gzip\r\n", gzip(&vec![b' '; BOMB_BYTES])?),
            "invalid_answer",
            "the body is larger than 1048576 bytes (source.limits.body_bytes)",
        ),
        Row::fails(
            "truncated gzip",
            answer("200 OK", "Content-Encoding: gzip\r\n", &zipped[..zipped.len() - 12]),
            "invalid_answer",
            "the body cannot be decompressed: unexpected end of file",
        ),
        Row::fails(
            "wrong encoding",
            answer("200 OK", "Content-Encoding: br\r\n", &zipped),
            "invalid_answer",
            "the body cannot be decompressed: brotli error",
        ),
        Row::fails(
            "unknown encoding",
            answer("200 OK", "Content-Encoding: zstd\r\n", &zipped),
            "invalid_answer",
            "status 200, but the body is encoded as zstd, which was not asked for",
        ),
        Row::fails(
            "HTML with status 200",
            body("<!DOCTYPE html><h1>Sorry</h1>"),
            "invalid_answer",
            "status 200, but the body is HTML or XML, not JSON: <!DOCTYPE html><h1>Sorry</h1>",
        ),
        Row::fails(
            "redirect loop",
            redirect("?again"),
            "invalid_answer",
            "more than 5 redirects (source.limits.redirects)",
        ),
        Row::fails(
            "redirect off-host",
            redirect("http://elsewhere.example/"),
            "invalid_answer",
            r#"a redirect to another server; allow it with source.limits.allow_redirects_to = ["http://elsewhere.example"]"#,
        ),
        Row::passes("Retry-After: -1", limited("-1")),
        Row::passes("Retry-After: 10^9", limited("1000000000")),
        Row::passes("Retry-After: year 9999", limited("Fri, 31 Dec 9999 23:59:59 GMT")),
        Row::passes("Retry-After: garbage", limited("next Tuesday, perhaps")),
    ])
}
