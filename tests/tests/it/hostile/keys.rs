//! Guessing the API key.

use std::collections::HashSet;

use anyhow::{Context, ensure};
use price_cache_tests::Raw;

use super::Attacked;

const KEY: &str = "correct-horse-battery-staple";
/// `printf %s KEY | sha256sum`
const KEY_HASH: &str = "87cbebfeebc05f7c54ac9336c4b4bbec831227a641951a4bde7edd56020f8590";
const GUESSES: usize = 1_000;

/// Guesses that have something in common with the key, and others.
fn guess(number: usize) -> String {
    match number % 5 {
        0 => format!("{KEY}{number}"),
        1 => format!("{number}{KEY}"),
        2 => format!("{}-{number}", &KEY[..number % KEY.len()]),
        3 => format!("guess-{number}"),
        _ => format!("{number}{}", "x".repeat(number)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_wrong_keys_open_nothing_and_are_written_nowhere() -> anyhow::Result<()> {
    let lines = format!("api_keys = [\"sha256:{KEY_HASH}\"]\n\n[log]\nlevel = \"debug\"");
    let (stage, mut server) = Attacked::server(&lines).await?;
    server.api = server.api.with_key(KEY);
    let attacked = Attacked::with(stage, server).await?;
    let address = attacked.server.api.address();
    let targets = [
        "GET /api/cache/prices/status",
        "POST /api/cache/prices/stop",
        "POST /api/cache/prices/reset",
        "GET /metrics",
    ];
    let mut connection = Raw::open(address).await?;
    let mut sentences = HashSet::new();
    for number in 0..GUESSES {
        let target = targets[number % targets.len()];
        let guess = guess(number);
        connection
            .send(format!("{target} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {guess}\r\n\r\n"))
            .await?;
        let answer = connection.answer().await.with_context(|| format!("guess {number}"))?;
        ensure!(answer.status == 401, "guess {number}: {answer:?}");
        ensure!(answer.header("www-authenticate") == Some("Bearer"), "guess {number}: {answer:?}");
        sentences.insert(answer.problem()?);
    }
    ensure!(sentences.len() == 1, "one answer tells more than another: {sentences:?}");
    ensure!(attacked.server.api.status().await?.state == "PROCESSING", "the right key is as good as ever");
    let told = attacked.stage.scene.stderr();
    let written_down =
        told.lines().filter(|line| line.contains("POST") && line.contains("status=401")).count();
    ensure!(written_down == GUESSES / 2, "{written_down} attempts to change something are written down");
    ensure!(!told.contains(KEY) && !told.contains(KEY_HASH), "the key is written down");
    for number in (0..GUESSES).filter(|number| number % 5 != 4) {
        ensure!(!told.contains(&guess(number)), "guess {number} is written down");
    }
    attacked.ends_untouched().await
}
