//! Child processes: started on certain processors, looked at through /proc, never left behind.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, bail};

/// A running program; killed when dropped.
pub(crate) struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

/// What a process has used so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Time on a processor, in user and kernel mode, in seconds.
    pub(crate) cpu_seconds: f64,
    /// Bytes that it caused to be written to the disk.
    pub(crate) written_bytes: u64,
    /// The largest resident memory so far, in bytes.
    pub(crate) memory_peak_bytes: u64,
}

/// Ticks of the processor times in /proc per second: the same on every Linux that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// A command that runs on the given processors, such as `1` or `0,1`; on all without.
pub(crate) fn command(program: &Path, processors: Option<&str>) -> Command {
    let mut command = match processors {
        Some(processors) => {
            let mut command = Command::new("taskset");
            command.args(["--cpu-list", processors]).arg(program);
            command
        }
        None => Command::new(program),
    };
    // Nothing of the machine's configuration, such as a proxy, is to matter.
    command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.stdin(Stdio::null());
    command
}

impl Process {
    /// Starts a program whose stdout is read.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let mut child =
            command.stdout(Stdio::piped()).spawn().with_context(|| format!("could not start {command:?}"))?;
        let stdout = child.stdout.take().context("stdout is not piped")?;
        Ok(Self { child, stdout: BufReader::new(stdout) })
    }

    /// The next line of its stdout.
    pub(crate) fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        if self.stdout.read_line(&mut line)? == 0 {
            bail!("the program ended: {}", self.child.wait()?);
        }
        Ok(line.trim_end().to_owned())
    }

    /// `kill -9`, and waits until it is gone.
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// What it has used so far.
    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        let read = |name: &str| {
            let path = format!("/proc/{}/{name}", self.child.id());
            fs::read_to_string(&path).with_context(|| format!("could not read {path}"))
        };
        let field = |text: &str, name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
            value.and_then(|value| value.parse::<u64>().ok()).with_context(|| format!("no {name} in /proc"))
        };
        let stat = read("stat")?;
        // The name before the parenthesis may contain spaces; times in user and kernel mode are fields 14 and 15.
        let times = stat.rsplit_once(')').context("no name in /proc/PID/stat")?.1.split_whitespace();
        let ticks: Vec<f64> = times.skip(11).take(2).map_while(|ticks| ticks.parse().ok()).collect();
        Ok(Usage {
            cpu_seconds: ticks.iter().sum::<f64>() / TICKS_PER_SECOND,
            written_bytes: field(&read("io")?, "write_bytes:")?,
            memory_peak_bytes: field(&read("status")?, "VmHWM:")? * 1024,
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
