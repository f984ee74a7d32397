//! Checks that dependencies between our crates point inward only, as `docs/ARCHITECTURE.md` has them.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use crate::metadata;

/// Which of our crates each of our crates may depend on. Tests may use the test kit and the simulator.
const ALLOWED: [(&str, &[&str]); 17] = [
    ("price-cache-domain", &[]),
    ("price-cache-estimate", &[]),
    ("price-cache-engine", &["price-cache-domain", "price-cache-estimate"]),
    ("price-cache-records", &["price-cache-domain"]),
    ("price-cache-storage-embedded", &["price-cache-domain", "price-cache-records", "price-cache-testkit"]),
    (
        "price-cache-storage-redb",
        // Sled for the tests of moving from one to the other.
        &["price-cache-domain", "price-cache-storage-embedded", "price-cache-storage-sled"],
    ),
    (
        "price-cache-storage-sled",
        &["price-cache-domain", "price-cache-records", "price-cache-storage-embedded"],
    ),
    ("price-cache-source-http", &["price-cache-domain"]),
    ("price-cache-api-types", &[]),
    ("price-cache-api-http", &["price-cache-domain", "price-cache-engine", "price-cache-api-types"]),
    ("price-cache-cli", &["price-cache-api-types"]),
    ("price-cache-simulator", &[]),
    ("price-cache-testkit", &["price-cache-domain"]),
    ("price-cache-selftest", &["price-cache-simulator"]),
    (
        "price-cache",
        &[
            "price-cache-domain",
            "price-cache-engine",
            "price-cache-storage-embedded",
            "price-cache-storage-redb",
            "price-cache-storage-sled",
            "price-cache-source-http",
            "price-cache-api-types",
            "price-cache-api-http",
            "price-cache-cli",
            "price-cache-selftest",
        ],
    ),
    (
        "price-cache-tests",
        &[
            "price-cache-selftest",
            "price-cache-simulator",
            // To damage stores behind the programs' back.
            "price-cache-storage-embedded",
            "price-cache-storage-redb",
            "price-cache-storage-sled",
        ],
    ),
    ("xtask", &["price-cache-domain"]),
];

/// What every crate may use in its own tests.
const ALLOWED_IN_TESTS: [&str; 2] = ["price-cache-testkit", "price-cache-simulator"];

pub(crate) fn check() -> Result<()> {
    let allowed: BTreeMap<_, _> = ALLOWED.into_iter().collect();
    let mut wrong = Vec::new();
    for package in metadata::packages()? {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(may) = allowed.get(name) else {
            wrong.push(format!("{name} stands in no layer: add it to xtask/src/layers.rs"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let on = dependency["name"].as_str().unwrap_or_default();
            let ours = allowed.contains_key(on);
            let in_tests = dependency["kind"] == "dev" && ALLOWED_IN_TESTS.contains(&on);
            if ours && !in_tests && !may.contains(&on) {
                wrong.push(format!("{name} must not depend on {on}"));
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { bail!("dependencies must point inward:\n{}", wrong.join("\n")) }
}
