//! The rules of axe-core on the page in its states, light and dark.

use anyhow::ensure;
use price_cache_simulator::{Catalogue, FaultKind, Faults, FixedFault};
use price_cache_tests::browser::{Appearance, Browser, Page};
use price_cache_tests::{Settings, below_target};
use serde_json::json;

use super::dashboard;
use crate::stage::Stage;

/// Where `cargo xtask test` puts the rules.
const RULES: &str = "axe/node_modules/axe-core/axe.min.js";
/// What a violation is, in few words.
const VIOLATIONS: &str = "axe.run().then((result) => result.violations.map((violation) => \
     `${violation.id}: ${violation.help}: ${violation.nodes.map((node) => node.target).join(' | ')}`))";

async fn judge(page: &Page, rules: &str, state: &str) -> anyhow::Result<()> {
    for appearance in
        [Appearance::WIDE, Appearance::WIDE.dark(), Appearance::NARROW, Appearance::NARROW.dark()]
    {
        page.look(appearance).await?;
        page.value(rules).await?;
        let violations = page.value(VIOLATIONS).await?;
        ensure!(violations == json!([]), "{state}, {appearance:?}: {violations:#}");
    }
    page.look(Appearance::WIDE).await
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "a test that leaves itself out says so")]
async fn no_rule_of_accessibility_is_broken_in_any_state() -> anyhow::Result<()> {
    let Some(browser) = Browser::start().await? else { return Ok(()) };
    let Ok(rules) = std::fs::read_to_string(below_target(RULES)?) else {
        eprintln!("left out: this test needs axe-core, which `cargo xtask test` fetches where there is npm");
        return Ok(());
    };
    // The expression is to have no value that would be sent back.
    let rules = format!("{rules}; null");
    let stage = Stage::new(Catalogue::synthetic(3, 100), &Settings::default()).await?;
    stage.simulator.set_faults(Faults::always([FixedFault::pair(
        "M001",
        "product-0000002",
        FaultKind::Status(404),
    )]))?;
    stage.slow_down(100);
    let server = stage.scene.server().await?;
    let page = dashboard(&browser, &server, Appearance::WIDE).await?;
    page.reads("#state", "Idle").await?;
    judge(&page, &rules, "idle").await?;
    page.click("#start").await?;
    page.reads("#failures-count", "1").await?;
    judge(&page, &rules, "running").await?;
    stage.slow_down(0);
    page.reads("#state", "Completed").await?;
    page.click(".group-toggle").await?;
    page.reads("#failures-groups", "product-0000002").await?;
    judge(&page, &rules, "failures").await?;
    for tab in ["log", "search", "history"] {
        page.click(&format!("#tab-{tab}")).await?;
        judge(&page, &rules, tab).await?;
    }
    page.click("#reset").await?;
    judge(&page, &rules, "the question before a reset").await?;
    page.check()
}
