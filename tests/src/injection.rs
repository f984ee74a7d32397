//! Faults that `strace` injects into the calls of a server: delays, errors, and a kill at the K-th call that changes the store.
//!
//! `when=K` of `strace` counts the calls of each thread and of each name for itself. For errors that is as good as any other
//! count. A kill ends all threads, so that with `when=K` a thread that is behind the others would never be killed at its K-th
//! call. Kills are therefore counted here, over all threads: each call is delayed at its entry, `strace` writes it down
//! before the delay, and the server is killed before the delay is over, so before the call does anything.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The calls that change what a disk holds, or make it durable. A `?` before a name passes over machines without it.
pub const CHANGING: &str = "write,writev,pwrite64,?pwritev,?rename,?renameat,?renameat2,ftruncate,?truncate,?fallocate,\
                            fsync,fdatasync,?sync_file_range,?unlink,?unlinkat,?link,?linkat,?copy_file_range,\
                            ?sendfile,?mkdir,?mkdirat,?rmdir";
/// How long each call waits at its entry for a possible kill, in microseconds.
pub(crate) const KILL_DELAY: u32 = 4_000;

/// What is injected into which calls.
#[derive(Clone, Debug, Default)]
pub struct Injection {
    arguments: Vec<String>,
}

impl Injection {
    /// Nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Delays each of these calls.
    #[must_use]
    pub fn delay(mut self, calls: &str, microseconds: u32) -> Self {
        self.arguments.extend(["-e".to_owned(), format!("inject={calls}:delay_enter={microseconds}")]);
        self
    }

    /// These calls fail with an error such as `EIO`; `when` is that of `strace`, such as `3` or `3+`, and counts per thread.
    #[must_use]
    pub fn error(mut self, calls: &str, error: &str, when: &str) -> Self {
        self.arguments.extend(["-e".to_owned(), format!("inject={calls}:error={error}:when={when}")]);
        self
    }

    /// Only calls that concern one of these files or folders.
    #[must_use]
    pub fn on(mut self, paths: &[PathBuf]) -> Self {
        for path in paths {
            self.arguments.extend(["-P".to_owned(), path.display().to_string()]);
        }
        self
    }

    /// The beginning of a command line that injects it into the rest; the calls are written to `output`.
    pub(crate) fn tracer(&self, output: &Path) -> Command {
        let mut command = Command::new("strace");
        // The traced program stays the child that was started, and only these calls are slowed down.
        command.args([
            "-D",
            "-f",
            "-qq",
            "-y",
            "-s",
            "0",
            "--seccomp-bpf",
            "-e",
            &format!("trace={CHANGING}"),
        ]);
        command.args(&self.arguments).arg("-o").arg(output);
        command
    }
}

impl fmt::Display for Injection {
    /// What is injected, without the files that it concerns.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let injected = self.arguments.iter().filter(|argument| argument.starts_with("inject="));
        formatter.write_str(&injected.map(String::as_str).collect::<Vec<_>>().join(" "))
    }
}
