//! The dashboard in a real browser. Pictures of every state are kept in `target/screenshots`, to be looked at.

mod accessibility;
mod key;
mod keyboard;
mod names;
mod pictures;
mod recovery;
mod run;
mod tabs;

use price_cache_tests::Server;
use price_cache_tests::browser::{Appearance, Browser, Page};

/// The dashboard of a server in a tab of its own.
async fn dashboard(browser: &Browser, server: &Server, appearance: Appearance) -> anyhow::Result<Page> {
    browser.open(&format!("{}/", server.api.url()), appearance).await
}
