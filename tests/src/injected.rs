//! Servers that are started with faults in their calls, or killed at one of their calls.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;
use std::{fs, thread};

use anyhow::{Context, ensure};
use price_cache_selftest::{Launch, Server};

use crate::injection::{CHANGING, Injection, KILL_DELAY};
use crate::{Scene, within};

/// A call that changes the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The thread, as the system numbers it.
    pub thread: String,
    /// The name of the call.
    pub call: String,
    /// As `strace` wrote it, without its result.
    pub text: String,
}

/// How a start under the tracer came out.
#[derive(Debug)]
pub enum Start {
    /// It was killed at this call.
    Killed(Step),
    /// It was through before, after this many calls that change the store.
    Open(Box<Server>, Vec<Step>),
}

/// Starts a server and kills it at the `kill_at`-th call, counted from 1 over all threads, that names anything below `store`.
///
/// # Errors
/// The server ends by itself, or neither is killed nor listens in time.
pub async fn start_and_kill_at(scene: &Scene, store: &Path, kill_at: Option<usize>) -> anyhow::Result<Start> {
    let pipe = scene.path(&format!("steps-{}", fastrand::u64(..)));
    let made = Command::new("mkfifo").arg(&pipe).status()?;
    ensure!(made.success(), "no pipe could be made");
    let injection = match kill_at {
        Some(_) => Injection::none().delay(CHANGING, KILL_DELAY),
        None => Injection::none(),
    };
    let launch = scene.launch_injected(&injection, &pipe)?;
    let process = launch.id()?;
    let (store, read_from) = (store.display().to_string(), pipe.clone());
    let (sender, steps) = mpsc::channel();
    let reader = thread::spawn(move || read_steps(&read_from, &store, process, kill_at, &sender));
    let listening = launch.listening().await;
    fs::remove_file(&pipe)?;
    let mut steps: Vec<Step> = steps.try_iter().collect();
    match listening {
        Ok(server) => Ok(Start::Open(Box::new(server), steps)),
        Err(error) => {
            // The end of the pipe is the end of the server.
            within("the end of the tracer", tokio::task::spawn_blocking(move || reader.join())).await??.ok();
            let was_killed = kill_at.is_some_and(|kill_at| steps.len() >= kill_at);
            match steps.pop() {
                Some(step) if was_killed => Ok(Start::Killed(step)),
                _ => Err(error),
            }
        }
    }
}

/// Reads what the tracer writes, as it writes it: a call is there without an end of its line until it is done.
fn read_steps(
    pipe: &Path,
    store: &str,
    process: u32,
    kill_at: Option<usize>,
    steps: &mpsc::Sender<Step>,
) -> anyhow::Result<()> {
    let mut pipe = fs::File::open(pipe)?;
    let (mut line, mut is_counted, mut count) = (String::new(), false, 0);
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let read = pipe.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        for piece in String::from_utf8_lossy(&chunk[..read]).split_inclusive('\n') {
            line.push_str(piece);
            if let Some(step) = (!is_counted).then(|| step(&line, store)).flatten() {
                is_counted = true;
                count += 1;
                // The caller may have seen enough.
                let _ = steps.send(step);
                if Some(count) == kill_at {
                    kill(process)?;
                }
            }
            if line.ends_with('\n') {
                line.clear();
                is_counted = false;
            }
        }
    }
}

/// The call that begins in a line, if it concerns the store.
fn step(line: &str, store: &str) -> Option<Step> {
    let (thread, call) = line.trim_end().split_once(char::is_whitespace)?;
    let (name, _) = call.trim_start().split_once('(')?;
    let is_call = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let text = call.trim_start().split(" = ").next().unwrap_or_default().replace(store, "");
    (is_call && line.contains(store)).then(|| Step { thread: thread.to_owned(), call: name.to_owned(), text })
}

fn kill(process: u32) -> anyhow::Result<()> {
    let process = rustix::process::Pid::from_raw(i32::try_from(process)?).context("no process id")?;
    // It may have ended by itself.
    let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
    Ok(())
}

/// The files and folders that some steps concern, which are below `store`.
pub fn paths_of(steps: &[Step], store: &Path) -> Vec<PathBuf> {
    let mut paths = vec![store.to_owned()];
    for step in steps {
        for quoted in step.text.split(['"', '<', '>', ',', ' ']).filter(|part| part.starts_with('/')) {
            let path = store.join(quoted.trim_start_matches('/'));
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
    }
    paths
}

/// Starts a server with an injection and waits until it listens or ends, at most for `patience`; then it is killed.
///
/// # Errors
/// It cannot be started or killed.
pub async fn start_with(
    scene: &Scene,
    injection: &Injection,
    patience: Duration,
) -> anyhow::Result<&'static str> {
    let mut launch: Launch = scene.launch_injected(injection, Path::new("/dev/null"))?;
    let told = match tokio::time::timeout(patience, launch.told()).await {
        Ok(Ok(Some(_))) => "served",
        Ok(Ok(None)) => "ended",
        Ok(Err(error)) => return Err(error),
        Err(_) => "waited",
    };
    launch.kill().await?;
    Ok(told)
}
