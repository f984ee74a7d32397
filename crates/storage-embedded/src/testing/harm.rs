//! Stores whose files were cut, flipped, zeroed or removed: what is read is right, absent or an error in a sentence,
//! and nothing waits for ever.

mod damage;
mod original;
mod reading;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::{Backend, EmbeddedStore};
use tempfile::TempDir;

use self::damage::damage;
use self::original::Original;
use self::reading::read_everything;
use super::sample::{all_numbers, fill, options};

/// Names the folder of the originals to the reader; without it, the reader's test does nothing.
const FOLDER: &str = "PRICE_CACHE_TEST_HARM_FOLDER";
/// The case the reader begins with.
const FIRST: &str = "PRICE_CACHE_TEST_HARM_FIRST";
/// How many cases there are, and from which on: a case that failed is tried again by setting both.
const CASES: &str = "PRICE_CACHE_HARMED_STORES";
const CASES_FROM: &str = "PRICE_CACHE_HARMED_STORES_FROM";
const CASES_DEFAULT: usize = 200;
/// Readers at a time. Each is a process, because a thread of sled that panics spoils its process for good.
const READERS: usize = 2;
/// How long one case may take, on a machine that does much else.
const CASE_TIME_MAX: Duration = Duration::from_secs(60);

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().map_or(default, |value| value.parse().unwrap())
}

/// Not a test: the process that the test below starts. It takes every [`READERS`]th case from [`FIRST`] on, and ends
/// early when a case has spoilt it.
/// See the name.
pub fn reader<B: Backend>() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let folder = Path::new(&folder);
    for case in (number(FIRST, 0)..number(CASES, CASES_DEFAULT)).step_by(READERS) {
        let copy = quick_folder();
        let original = Original::ALL[case % Original::ALL.len()];
        original.copy(folder, copy.path());
        let harm = damage(copy.path(), u64::try_from(case).unwrap());
        say(&format!("case {case} {original:?}, {harm}"));
        let found = read_everything::<B>(copy.path());
        say(&format!("found {found}"));
        if is_spoilt::<B>() {
            return say("spoilt");
        }
    }
    say("done");
}

/// A line of its own: the test harness writes to stdout as well.
fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "\n{line}").unwrap();
    output.flush().unwrap();
}

/// Whether sled cannot serve a whole store any more.
fn is_spoilt<B: Backend>() -> bool {
    let folder = quick_folder();
    let works = || {
        let store = EmbeddedStore::<B>::open(options(folder.path())).ok()?;
        fill(&store, 0..1);
        Some(all_numbers(&store).len())
    };
    !matches!(std::panic::catch_unwind(works), Ok(Some(1)))
}

/// The process of a reader; killed when dropped.
struct Reader {
    child: Child,
    /// Its lines on stdout as they come, and in the end what it said on stderr.
    lines: Receiver<String>,
}

impl Reader {
    fn start(folder: &Path, first: usize) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "suite::reader", "--nocapture"])
            .env(FOLDER, folder)
            .env(FIRST, first.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (said, lines) = channel();
        let (stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let complaints = thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stderr.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Nobody listens any more where the test has failed.
                let _ = said.send(line);
            }
            let _ = said.send(format!("stderr {}", complaints.join().unwrap()));
        });
        Self { child, lines }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Goes through all cases of one reader, and starts another process where one is spoilt; the findings, by case.
fn read_all(folder: &Path, first: usize) -> Vec<String> {
    let mut findings = Vec::new();
    let mut next = first;
    let mut reader = Reader::start(folder, next);
    let mut case = String::new();
    loop {
        match reader.lines.recv_timeout(CASE_TIME_MAX) {
            Ok(line) if line.starts_with("case ") => case = line,
            Ok(line) if line.starts_with("found ") => {
                findings.push(format!("{case}: {line}"));
                next += READERS;
            }
            Ok(line) if line == "spoilt" => reader = Reader::start(folder, next),
            Ok(line) if line == "done" => return findings,
            Ok(line) if line.starts_with("stderr ") => panic!("{case} ended the reader: {line}"),
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => panic!("{case} takes longer than {CASE_TIME_MAX:?}"),
            Err(RecvTimeoutError::Disconnected) => panic!("{case} ended the reader without a word"),
        }
    }
}

/// In memory where that is possible: nothing here is about the disk.
fn quick_folder() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

/// See the name.
pub fn a_harmed_store_gives_right_values_or_errors<B: Backend>() {
    let folder = quick_folder();
    Original::make_all::<B>(folder.path());
    let (folder, from) = (folder.path(), number(CASES_FROM, 0));
    let findings: Vec<String> = thread::scope(|scope| {
        let readers = (from..from + READERS).map(|first| scope.spawn(move || read_all(folder, first)));
        let readers: Vec<_> = readers.collect();
        readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect()
    });
    for finding in &findings {
        say(finding);
    }
    if findings.len() >= CASES_DEFAULT {
        // The cases are of all kinds.
        let count = |what: &str| findings.iter().filter(|finding| finding.contains(what)).count();
        let (refused, opened) = (count("found refused"), count("found opened"));
        assert_eq!(refused + opened, findings.len(), "each was judged");
        assert!(refused >= 20 && opened >= 20, "{refused} refused, {opened} opened");
        assert!(count("older 0 absent 0 errors 0") >= 10, "some lost nothing");
    }
    // In the one that was killed, older entries are no sign of damage.
    for finding in findings.iter().filter(|finding| !finding.contains("Killed") && finding.contains("opened"))
    {
        let is_complete = finding.contains("older 0 absent 0 errors 0");
        assert!(is_complete || finding.contains("told true"), "lost in silence: {finding}");
    }
}
