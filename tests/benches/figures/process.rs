//! Child processes: started on certain processors, looked at through /proc, never left behind.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, bail};
use price_cache_tests::Usage;

/// A running program; killed when dropped.
pub(crate) struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

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
        Usage::of(self.child.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
