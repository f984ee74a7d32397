//! The programs as child processes: started, signalled, waited for, never left behind.

use std::fs::File;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use crate::api::Api;
use crate::waiting::within;

/// What the first line of a server begins with.
const LISTENING: &str = "listening on http://";

/// What a person or the system sends to a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// What a service manager sends.
    Terminate,
}

/// A program to be started in a folder: without input, without the machine's settings such as a proxy, and killed
/// when it is dropped.
pub fn command(program: &Path, folder: &Path) -> Command {
    prepared(std::process::Command::new(program), folder)
}

/// The same for any command.
pub fn prepared(command: std::process::Command, folder: &Path) -> Command {
    let mut command = Command::from(command);
    command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    command
}

/// A running program; killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// What it is, for error messages.
    name: String,
}

impl Process {
    /// Starts a [`command`], which appends what it writes to stderr to a file.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn spawn(mut command: Command, name: String, stderr: &Path) -> anyhow::Result<Self> {
        let stderr = File::options().create(true).append(true).open(stderr)?;
        let child = command.stderr(stderr).spawn();
        let mut child = child.with_context(|| format!("could not start {name}"))?;
        let stdout = child.stdout.take().context("stdout is not piped")?;
        Ok(Self { child, stdout: BufReader::new(stdout), name })
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// The program has ended.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let process = rustix::process::Pid::from_raw(i32::try_from(self.id()?)?).context("no process id")?;
        let signal = match signal {
            Signal::Interrupt => rustix::process::Signal::INT,
            Signal::Terminate => rustix::process::Signal::TERM,
        };
        rustix::process::kill_process(process, signal)
            .with_context(|| format!("could not signal {}", self.name))
    }

    /// Its process id.
    ///
    /// # Errors
    /// The program has ended.
    pub fn id(&self) -> anyhow::Result<u32> {
        self.child.id().with_context(|| format!("{} has ended", self.name))
    }

    /// `kill -9`, and waits until the process is gone.
    ///
    /// # Errors
    /// The process cannot be killed.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.with_context(|| format!("could not kill {}", self.name))
    }

    /// Waits for the end: the exit status and what stdout still held.
    ///
    /// # Errors
    /// It does not end in time.
    pub async fn wait(&mut self) -> anyhow::Result<(ExitStatus, String)> {
        let what = format!("the end of {}", self.name);
        within(&what, async {
            let mut rest = Vec::new();
            self.stdout.read_to_end(&mut rest).await?;
            let status = self.child.wait().await?;
            Ok((status, String::from_utf8_lossy(&rest).into_owned()))
        })
        .await?
    }

    /// The next line of stdout; `None` at its end.
    ///
    /// # Errors
    /// Neither comes in time.
    pub async fn line(&mut self) -> anyhow::Result<Option<String>> {
        let what = format!("a line of {}", self.name);
        let mut line = String::new();
        let read = within(&what, self.stdout.read_line(&mut line)).await??;
        Ok((read > 0).then(|| line.trim_end().to_owned()))
    }
}

/// A server ended instead of listening: it refused its store, its configuration or its address.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the server ended before it listened: {0}")]
pub struct EndedEarly(pub ExitStatus);

/// A server that was started and may not listen yet.
#[derive(Debug)]
pub struct Launch(Process);

impl From<Process> for Launch {
    fn from(process: Process) -> Self {
        Self(process)
    }
}

impl Launch {
    /// Waits until it listens.
    ///
    /// # Errors
    /// It ends before, or says something else.
    pub async fn listening(mut self) -> anyhow::Result<Server> {
        match self.told().await? {
            Some(api) => Ok(self.at(api)),
            None => {
                let (status, _) = self.0.wait().await?;
                Err(EndedEarly(status).into())
            }
        }
    }

    /// Waits for the line with which it says where it listens; `None` when it ends instead.
    ///
    /// # Errors
    /// Neither comes in time, or it says something else.
    pub async fn told(&mut self) -> anyhow::Result<Option<Api>> {
        let Some(line) = self.0.line().await? else { return Ok(None) };
        let address = line.strip_prefix(LISTENING).with_context(|| format!("unexpected: {line}"))?;
        Ok(Some(Api::new(address.parse().with_context(|| format!("no address: {line}"))?)))
    }

    /// Takes it as the server that has [`told`](Self::told) where it listens.
    #[must_use]
    pub fn at(self, api: Api) -> Server {
        Server { process: self.0, api }
    }

    /// Its process id.
    ///
    /// # Errors
    /// The server has ended.
    pub fn id(&self) -> anyhow::Result<u32> {
        self.0.id()
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// The server has ended.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        self.0.signal(signal)
    }

    /// Waits for its end; the exit code, if there is one.
    ///
    /// # Errors
    /// It does not end in time.
    pub async fn wait(&mut self) -> anyhow::Result<Option<i32>> {
        Ok(self.0.wait().await?.0.code())
    }

    /// `kill -9`, whatever it is doing.
    ///
    /// # Errors
    /// The process cannot be killed.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        self.0.kill().await
    }
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    process: Process,
    /// Its API.
    pub api: Api,
}

impl Server {
    /// Sends a signal.
    ///
    /// # Errors
    /// The server has ended.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        self.process.signal(signal)
    }

    /// Its process id.
    ///
    /// # Errors
    /// The server has ended.
    pub fn id(&self) -> anyhow::Result<u32> {
        self.process.id()
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// The process cannot be killed.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill().await
    }

    /// Waits for its end; the exit code, if there is one.
    ///
    /// # Errors
    /// It does not end in time.
    pub async fn wait(&mut self) -> anyhow::Result<Option<i32>> {
        Ok(self.process.wait().await?.0.code())
    }

    /// SIGTERM, and the exit code that follows.
    ///
    /// # Errors
    /// It does not end in time.
    pub async fn terminate(mut self) -> anyhow::Result<Option<i32>> {
        self.signal(Signal::Terminate)?;
        self.wait().await
    }
}

impl From<Server> for Launch {
    fn from(server: Server) -> Self {
        Self(server.process)
    }
}
