//! What a server asked of the system, as `strace` wrote it down: its writes to the log of its store, their syncs, and
//! what it said to its clients. From this the log is made again as a power loss leaves it.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::{PATIENCE, eventually};

/// What is written down. Strings are whole and in hexadecimal, so that the log can be made again.
const OPTIONS: [&str; 8] = [
    // The traced program stays the child that was started.
    "-D",
    "-f",
    "-y",
    "-xx",
    "-s",
    "4000000",
    "-e",
    "trace=pwrite64,ftruncate,fdatasync,fsync,write,writev,sendto,sendmsg",
];
/// What a disk writes whole or not at all, in bytes.
const SECTOR_BYTES: usize = 512;

/// Why no program can be traced here; `None` where it can.
pub fn obstacle() -> Option<String> {
    let traced = Command::new("strace").args(["-o", "/dev/null", "true"]).stderr(Stdio::null()).status();
    match traced {
        Ok(status) if status.success() => None,
        Ok(status) => Some(format!("strace may trace nothing here ({status})")),
        Err(error) => Some(format!("there is no strace ({error})")),
    }
}

/// The beginning of a command line that traces the rest of it into a file.
pub(crate) fn tracer(file: &Path) -> Command {
    let mut command = Command::new("strace");
    command.args(OPTIONS).arg("-o").arg(file);
    command
}

/// One thing that a server did; what it takes time for has its number when it began and another when it was done.
#[derive(Clone, Debug)]
pub enum Act {
    /// Bytes for a place in the log.
    Write {
        /// Where.
        at: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// The log gets another length.
    Length(u64),
    /// What was written to the log before is to be durable.
    Sync,
    /// The log's folder, or another file of the store, is to be durable.
    OtherSync(String),
    /// Bytes for a client.
    Told(Vec<u8>),
}

/// An [`Act`] and when it was.
#[derive(Clone, Debug)]
pub struct Event {
    /// The line of the trace in which it began.
    pub begun: usize,
    /// The line in which it was done.
    pub done: usize,
    /// What was done.
    pub act: Act,
}

/// Everything that happened, in the order in which it was done.
#[derive(Clone, Debug)]
pub struct Trace(pub Vec<Event>);

impl Trace {
    /// Reads the trace of a program that has ended; only the file `log` counts as the log.
    ///
    /// # Errors
    /// It cannot be read or understood.
    pub async fn read(file: &Path, log: &Path) -> anyhow::Result<Self> {
        // The tracer writes a little longer than what it traced lives.
        let text = eventually("the end of the trace", PATIENCE, async || {
            let text = fs::read_to_string(file).context("there is no trace")?;
            let first = text.split_whitespace().next().unwrap_or_default();
            let is_whole =
                text.lines().any(|line| line.starts_with(first) && line.contains("+++ exited with"));
            Ok(is_whole.then_some(text))
        });
        let text = text.await?;
        let mut unfinished: HashMap<&str, (usize, String)> = HashMap::new();
        let mut events = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let (thread, call) = line.split_once(char::is_whitespace).context("a line without a thread")?;
            let call = call.trim_start();
            let (begun, call) = if let Some(begin) = call.strip_suffix(" <unfinished ...>") {
                unfinished.insert(thread, (number, begin.to_owned()));
                continue;
            } else if call.starts_with("<... ") {
                let (_, rest) = call.split_once("resumed>").context("a call that resumes nothing")?;
                let Some((begun, begin)) = unfinished.remove(thread) else { continue };
                (begun, begin + rest)
            } else {
                (number, call.to_owned())
            };
            if let Some(act) = act(&call, log).with_context(|| format!("line {}", number + 1))? {
                events.push(Event { begun, done: number, act });
            }
        }
        Ok(Self(events))
    }

    /// The log as a power loss in line `now` leaves it: what was durable before, and of the other writes each sector
    /// that `kept` wants.
    ///
    /// # Errors
    /// A write is beyond every size.
    pub fn after_power_loss(
        &self,
        mut log: Vec<u8>,
        now: usize,
        mut kept: impl FnMut() -> bool,
    ) -> anyhow::Result<Vec<u8>> {
        let synced = self.synced(now);
        for event in self.0.iter().filter(|event| event.begun < now) {
            let is_durable = event.done < synced;
            match &event.act {
                Act::Write { at, bytes } => {
                    let at = usize::try_from(*at)?;
                    for (index, sector) in bytes.chunks(SECTOR_BYTES).enumerate() {
                        if is_durable || kept() {
                            let from = at + index * SECTOR_BYTES;
                            let to = from + sector.len();
                            log.resize(log.len().max(to), 0);
                            log[from..to].copy_from_slice(sector);
                        }
                    }
                }
                Act::Length(length) if is_durable || kept() => log.resize(usize::try_from(*length)?, 0),
                Act::Length(_) | Act::Sync | Act::OtherSync(_) | Act::Told(_) => {}
            }
        }
        Ok(log)
    }

    /// The line in which the last sync began that was done before line `now`.
    pub fn synced(&self, now: usize) -> usize {
        let syncs = self.0.iter().filter(|event| matches!(event.act, Act::Sync) && event.done < now);
        syncs.map(|sync| sync.begun).max().unwrap_or(0)
    }
}

/// What a call was; `None` where it does not matter.
fn act(call: &str, log: &Path) -> anyhow::Result<Option<Act>> {
    let Some((name, arguments)) = call.split_once('(') else { return Ok(None) };
    // A failed call did nothing, and one that never ended has no result.
    let Some((arguments, result)) = arguments.rsplit_once(" = ") else { return Ok(None) };
    if result.starts_with('-') || result.starts_with('?') {
        return Ok(None);
    }
    let (_, path) = arguments.split_once('<').context("a call without a file")?;
    let (path, rest) = path.split_once('>').context("a file without a name")?;
    let path = String::from_utf8_lossy(&unescaped(path)?).into_owned();
    let is_log = Path::new(&path) == log;
    Ok(match name {
        "pwrite64" if is_log => {
            let bytes = strings(rest)?;
            ensure!(
                result.trim() == bytes.len().to_string(),
                "{result} of {} bytes were written",
                bytes.len()
            );
            let at =
                rest.trim_end().trim_end_matches(')').rsplit(", ").next().context("a write to nowhere")?;
            Some(Act::Write { at: at.parse()?, bytes })
        }
        "ftruncate" if is_log => Some(Act::Length(rest.trim_matches([',', ' ', ')']).parse()?)),
        "fdatasync" | "fsync" if is_log => Some(Act::Sync),
        "fdatasync" | "fsync" => Some(Act::OtherSync(path)),
        "write" | "writev" | "sendto" | "sendmsg"
            if path.starts_with("socket:") || path.starts_with("TCP:") =>
        {
            Some(Act::Told(strings(rest)?))
        }
        _ => None,
    })
}

/// All strings of some arguments, one after another.
fn strings(arguments: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for quoted in arguments.split('"').skip(1).step_by(2) {
        bytes.extend(unescaped(quoted)?);
    }
    ensure!(!arguments.contains("\"..."), "a string was cut");
    Ok(bytes)
}

/// The bytes of a string in which each byte is `\x` and two digits.
fn unescaped(text: &str) -> anyhow::Result<Vec<u8>> {
    let pairs = text.split("\\x").skip(1);
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).with_context(|| format!("not hexadecimal: {pair}")))
        .collect()
}
