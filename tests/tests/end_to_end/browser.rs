//! The dashboard in a real browser. Pictures of every state are kept in `target/screenshots`, to be looked at.

#[path = "browser/accessibility.rs"]
mod accessibility;
#[path = "browser/key.rs"]
mod key;
#[path = "browser/keyboard.rs"]
mod keyboard;
#[path = "browser/names.rs"]
mod names;
#[path = "browser/pictures.rs"]
mod pictures;
#[path = "browser/recovery.rs"]
mod recovery;
#[path = "browser/run.rs"]
mod run;
#[path = "browser/tabs.rs"]
mod tabs;

use price_cache_tests::Server;
use price_cache_tests::browser::{Appearance, Browser, Page};

/// The dashboard of a server in a tab of its own.
async fn dashboard(browser: &Browser, server: &Server, appearance: Appearance) -> anyhow::Result<Page> {
    browser.open(&format!("{}/", server.api.url()), appearance).await
}
