//! Chromium without a window, driven over its DevTools protocol. The protocol goes through a pipe: no port is
//! opened, and the browser ends with the test that holds the other end.

mod page;
mod record;

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, anyhow, bail};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::oneshot;

pub use self::page::{Appearance, Page};
use self::record::Record;
use crate::within;

/// What the program is called on Debian.
const PROGRAM: &str = "chromium";
/// The path of the program, where the environment gives it.
const PROGRAM_VARIABLE: &str = "PRICE_CACHE_CHROMIUM";
/// What ends a message in the pipe.
const END: u8 = 0;
/// Reads the protocol from file descriptor 3 and writes it to 4, as the browser wants it.
const THROUGH_A_PIPE: &str = r#"exec "$@" 3<&0 4>&1 0</dev/null 1>/dev/null"#;
/// No sandbox because tests run as root in containers, and nothing that looks for the internet.
const ARGUMENTS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
];

/// A running browser; it ends when dropped.
pub struct Browser {
    link: Arc<Link>,
    _child: Child,
    _profile: TempDir,
}

impl Browser {
    /// Starts Chromium, or says in one sentence that there is none.
    ///
    /// # Errors
    /// It is there and does not start.
    #[expect(clippy::print_stderr, reason = "a test that leaves itself out says so")]
    pub async fn start() -> anyhow::Result<Option<Self>> {
        let Some(program) = program() else {
            eprintln!(
                "left out: this test needs the program {PROGRAM}, which `apt-get install {PROGRAM}` brings on Debian"
            );
            return Ok(None);
        };
        let profile = tempfile::Builder::new().prefix("price-cache-browser-").tempdir()?;
        let mut child = Command::new("/bin/sh")
            .args(["-c", THROUGH_A_PIPE, "sh"])
            .arg(program)
            .args(ARGUMENTS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("could not start the browser")?;
        let stdin = child.stdin.take().context("no pipe to the browser")?;
        let stdout = child.stdout.take().context("no pipe from the browser")?;
        let link = Arc::new(Link {
            next: AtomicU64::new(1),
            stdin: tokio::sync::Mutex::new(stdin),
            state: Mutex::default(),
        });
        tokio::spawn(read(Arc::clone(&link), stdout));
        link.call(None, "Browser.getVersion", json!({})).await?;
        Ok(Some(Self { link, _child: child, _profile: profile }))
    }

    /// Opens a page in a tab of its own and waits until it is loaded.
    ///
    /// # Errors
    /// It does not load.
    pub async fn open(&self, url: &str, appearance: Appearance) -> anyhow::Result<Page> {
        let target = self.link.call(None, "Target.createTarget", json!({"url": "about:blank"})).await?;
        let id = target["targetId"].as_str().context("no target id")?.to_owned();
        let attached =
            self.link.call(None, "Target.attachToTarget", json!({"targetId": id, "flatten": true})).await?;
        let session = attached["sessionId"].as_str().context("no session id")?.to_owned();
        let record = Arc::new(Mutex::new(Record::default()));
        self.link.state().records.insert(session.clone(), Arc::clone(&record));
        Page::open(Arc::clone(&self.link), session, record, url, appearance).await
    }

    /// Processor time that the processes of the pages have taken so far, in seconds.
    ///
    /// # Errors
    /// The browser does not say.
    pub async fn renderer_seconds(&self) -> anyhow::Result<f64> {
        let told = self.link.call(None, "SystemInfo.getProcessInfo", json!({})).await?;
        let processes = told["processInfo"].as_array().context("no processes")?;
        let pages = processes.iter().filter(|process| process["type"] == "renderer");
        Ok(pages.filter_map(|process| process["cpuTime"].as_f64()).sum())
    }
}

/// Where Chromium is.
fn program() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(PROGRAM_VARIABLE) {
        return Some(path.into());
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(PROGRAM)).find(|path| path.is_file())
}

#[derive(Default)]
struct LinkState {
    waiting: HashMap<u64, oneshot::Sender<anyhow::Result<Value>>>,
    /// What happens in each page, by session.
    records: HashMap<String, Arc<Mutex<Record>>>,
    is_closed: bool,
}

/// The protocol: commands with an id, answers with the same id, and events.
struct Link {
    next: AtomicU64,
    stdin: tokio::sync::Mutex<ChildStdin>,
    state: Mutex<LinkState>,
}

impl Link {
    fn state(&self) -> std::sync::MutexGuard<'_, LinkState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a command and waits for its answer.
    async fn call(&self, session: Option<&str>, method: &str, params: Value) -> anyhow::Result<Value> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        {
            let mut state = self.state();
            if state.is_closed {
                bail!("the browser has ended");
            }
            state.waiting.insert(id, sender);
        }
        let mut command = json!({"id": id, "method": method, "params": params});
        if let Some(session) = session {
            command["sessionId"] = json!(session);
        }
        let mut bytes = command.to_string().into_bytes();
        bytes.push(END);
        self.stdin.lock().await.write_all(&bytes).await.context("the browser has ended")?;
        let answered = within(method, answer).await?.context("the browser has ended")?;
        answered.with_context(|| format!("{method} failed"))
    }

    fn receive(&self, message: &Value) {
        if let Some(id) = message["id"].as_u64() {
            let waiting = self.state().waiting.remove(&id);
            let answer = match message.get("error") {
                None => Ok(message["result"].clone()),
                Some(error) => Err(anyhow!("{error}")),
            };
            if let Some(waiting) = waiting {
                // The caller may have given up.
                let _ = waiting.send(answer);
            }
        } else if let (Some(session), Some(method)) =
            (message["sessionId"].as_str(), message["method"].as_str())
        {
            let record = self.state().records.get(session).cloned();
            if let Some(record) = record {
                record.lock().unwrap_or_else(PoisonError::into_inner).note(method, &message["params"]);
            }
        }
    }
}

/// Reads messages until the browser ends.
async fn read(link: Arc<Link>, stdout: ChildStdout) {
    let mut stdout = BufReader::new(stdout);
    let mut message = Vec::new();
    while matches!(stdout.read_until(END, &mut message).await, Ok(read) if read > 0) {
        if message.last() == Some(&END) {
            message.pop();
        }
        if let Ok(message) = serde_json::from_slice(&message) {
            link.receive(&message);
        }
        message.clear();
    }
    let mut state = link.state();
    state.is_closed = true;
    state.waiting.clear();
}
