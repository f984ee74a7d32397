//! One page: what a person does in it, and what they see.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::Link;
use super::record::Record;
use crate::programs::below_target;
use crate::{PATIENCE, eventually};

/// Where pictures are kept, below the folder of the build.
const PICTURES: &str = "screenshots";

/// How a page is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appearance {
    /// Width of the window in pixels.
    pub width: u32,
    /// Height of the window in pixels.
    pub height: u32,
    /// Whether dark colours are preferred.
    pub dark: bool,
}

impl Appearance {
    /// A desktop.
    pub const WIDE: Self = Self { width: 1_400, height: 1_000, dark: false };
    /// A small telephone.
    pub const NARROW: Self = Self { width: 360, height: 800, dark: false };

    /// The same in dark colours.
    #[must_use]
    pub const fn dark(self) -> Self {
        Self { dark: true, ..self }
    }
}

/// A tab with a page in it.
pub struct Page {
    link: Arc<Link>,
    session: String,
    record: Arc<Mutex<Record>>,
    origin: String,
}

impl Page {
    pub(super) async fn open(
        link: Arc<Link>,
        session: String,
        record: Arc<Mutex<Record>>,
        url: &str,
        appearance: Appearance,
    ) -> anyhow::Result<Self> {
        let slash = url.match_indices('/').nth(2).map_or(url.len(), |(at, _)| at);
        let page = Self { link, session, record, origin: url[..slash].to_owned() };
        for domain in ["Page", "Runtime", "Log", "Network", "Performance"] {
            page.call(&format!("{domain}.enable"), json!({})).await?;
        }
        page.look(appearance).await?;
        page.go(url).await?;
        Ok(page)
    }

    /// A command of the DevTools protocol.
    ///
    /// # Errors
    /// The browser refuses it.
    pub async fn call(&self, method: &str, params: Value) -> anyhow::Result<Value> {
        self.link.call(Some(&self.session), method, params).await
    }

    /// Goes to an address and waits until it is loaded.
    ///
    /// # Errors
    /// It does not load.
    pub async fn go(&self, url: &str) -> anyhow::Result<()> {
        let answer = self.call("Page.navigate", json!({"url": url})).await?;
        ensure!(answer.get("errorText").is_none(), "{url} does not load: {answer}");
        self.sees("the page to be loaded", "document.readyState === 'complete'").await
    }

    /// Changes how the page is looked at.
    ///
    /// # Errors
    /// The browser refuses it.
    pub async fn look(&self, Appearance { width, height, dark }: Appearance) -> anyhow::Result<()> {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", size).await?;
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.call("Emulation.setEmulatedMedia", json!({"features": features})).await?;
        Ok(())
    }

    /// Brings the tab to the front; a page draws itself only there.
    ///
    /// # Errors
    /// The browser refuses it.
    pub async fn to_front(&self) -> anyhow::Result<()> {
        self.call("Page.bringToFront", json!({})).await.map(drop)
    }

    /// The value of a JavaScript expression.
    ///
    /// # Errors
    /// It throws.
    pub async fn value(&self, expression: &str) -> anyhow::Result<Value> {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", params).await?;
        if let Some(exception) = answer.get("exceptionDetails") {
            bail!("{expression} throws {exception}");
        }
        Ok(answer["result"]["value"].clone())
    }

    /// The text of an element as a person reads it.
    ///
    /// # Errors
    /// There is no such element.
    pub async fn text(&self, selector: &str) -> anyhow::Result<String> {
        let text = self.value(&format!("document.querySelector({}).innerText", json!(selector))).await?;
        Ok(text.as_str().with_context(|| format!("{selector} has no text"))?.trim().to_owned())
    }

    /// Waits until an expression is true.
    ///
    /// # Errors
    /// It stays false.
    pub async fn sees(&self, what: &str, expression: &str) -> anyhow::Result<()> {
        let waited = eventually(what, PATIENCE * 2, async || {
            Ok((self.value(expression).await? == json!(true)).then_some(()))
        });
        match waited.await {
            Ok(()) => Ok(()),
            Err(error) => {
                let shown = self.value("document.body.innerText").await.unwrap_or_default();
                Err(error.context(format!("the page shows {shown:#}")))
            }
        }
    }

    /// Waits until an element's text contains something.
    ///
    /// # Errors
    /// It does not.
    pub async fn reads(&self, selector: &str, text: &str) -> anyhow::Result<()> {
        let expression = format!(
            "document.querySelector({})?.innerText.includes({}) ?? false",
            json!(selector),
            json!(text)
        );
        self.sees(&format!("{text:?} in {selector}"), &expression).await
    }

    /// Clicks the middle of an element, as with a mouse, once it is there and nothing lies over it.
    ///
    /// # Errors
    /// That does not come.
    pub async fn click(&self, selector: &str) -> anyhow::Result<()> {
        let find = format!(
            "(() => {{ const found = document.querySelector({}); if (found === null) return null; \
             found.scrollIntoView({{ block: 'center' }}); const box = found.getBoundingClientRect(); \
             const at = {{ x: box.x + box.width / 2, y: box.y + box.height / 2 }}; \
             return found.contains(document.elementFromPoint(at.x, at.y)) ? at : null; }})()",
            json!(selector)
        );
        let what = format!("{selector} to be there for a click");
        let look = async || Ok(Some(self.value(&find).await?).filter(|at| !at.is_null()));
        let at = eventually(&what, PATIENCE, look).await?;
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": at["x"], "y": at["y"], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", event).await?;
        }
        Ok(())
    }

    /// Presses a key by its name, such as `Tab`, `Enter` or `ArrowDown`; `Shift+` before it holds shift.
    ///
    /// # Errors
    /// The key is not known.
    pub async fn press(&self, name: &str) -> anyhow::Result<()> {
        let (shift, key) = name.strip_prefix("Shift+").map_or((0, name), |key| (8, key));
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            "Escape" => (27, ""),
            " " => (32, " "),
            "End" => (35, ""),
            "Home" => (36, ""),
            "ArrowLeft" => (37, ""),
            "ArrowUp" => (38, ""),
            "ArrowRight" => (39, ""),
            "ArrowDown" => (40, ""),
            _ => bail!("no key is called {key}"),
        };
        let event = |kind: &str| json!({"type": kind, "key": key, "windowsVirtualKeyCode": code, "text": text, "modifiers": shift});
        self.call("Input.dispatchKeyEvent", event(if text.is_empty() { "rawKeyDown" } else { "keyDown" }))
            .await?;
        self.call("Input.dispatchKeyEvent", event("keyUp")).await?;
        Ok(())
    }

    /// Types into what has the focus.
    ///
    /// # Errors
    /// The browser refuses it.
    pub async fn type_text(&self, text: &str) -> anyhow::Result<()> {
        self.call("Input.insertText", json!({"text": text})).await.map(drop)
    }

    /// Keeps a picture of the whole page as `target/screenshots/NAME.png`.
    ///
    /// # Errors
    /// It cannot be taken or written.
    pub async fn picture(&self, name: &str) -> anyhow::Result<()> {
        self.to_front().await?;
        let page = self.call("Page.getLayoutMetrics", json!({})).await?["cssContentSize"].clone();
        let clip = json!({"x": 0, "y": 0, "width": page["width"], "height": page["height"], "scale": 1});
        let whole = json!({"captureBeyondViewport": true, "clip": clip});
        let picture = self.call("Page.captureScreenshot", whole).await?;
        let bytes = BASE64_STANDARD.decode(picture["data"].as_str().context("no picture")?)?;
        let folder = below_target(PICTURES)?;
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(format!("{name}.png")), bytes)?;
        Ok(())
    }

    /// From now on the server may be gone.
    pub fn may_lose_server(&self) {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).may_lose_server = true;
    }

    /// Checks that the page never complained on its console and asked nobody but its server.
    ///
    /// # Errors
    /// It did.
    pub fn check(&self) -> anyhow::Result<()> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).check(&self.origin)
    }
}
