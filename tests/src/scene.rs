//! One test's folder, configuration and programs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use price_cache_selftest::{Launch, Process, Server, prepared};
use tempfile::TempDir;
use tokio::process::Command;

use crate::injection::Injection;
use crate::programs::Program;

/// As much of what the programs wrote to stderr is shown.
const STDERR_SHOWN_BYTES: usize = 8 * 1024;

/// What a test may set besides the source.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `run.parallel_markets`.
    pub parallel_markets: u32,
    /// `run.retry.attempts_max`.
    pub attempts_max: u32,
    /// `server.listen`.
    pub listen: String,
    /// `storage.kind`; the key is left out where there is none.
    pub store: Option<String>,
    /// Where the store is; below the folder of the scene where it is relative.
    pub storage: PathBuf,
    /// `storage.reserve_mib`.
    pub reserve_mib: u32,
    /// More lines of `[run]`.
    pub run: String,
    /// More lines of `[run.retry]`.
    pub retry: String,
    /// More lines of `[server]`.
    pub server: String,
    /// `run.retry.end_of_market_retry`.
    pub end_of_market_retry: bool,
}

/// The kind of store that `PRICE_CACHE_STORE` asks for: `sled`, `redb`; none where it is not set or `default`.
pub fn store_of_environment() -> Option<String> {
    std::env::var("PRICE_CACHE_STORE").ok().filter(|kind| !kind.is_empty() && kind != "default")
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            parallel_markets: 4,
            attempts_max: 2,
            listen: "127.0.0.1:0".to_owned(),
            store: store_of_environment(),
            storage: "data".into(),
            reserve_mib: 1,
            run: String::new(),
            retry: String::new(),
            server: String::new(),
            end_of_market_retry: true,
        }
    }
}

impl Settings {
    fn toml(&self, folder: &Path) -> String {
        let kind = self.store.as_ref().map(|kind| format!("kind = {kind:?}\n")).unwrap_or_default();
        format!(
            "\n[run]\nparallel_markets = {}\n{}\n\n[run.retry]\nattempts_max = {}\nend_of_market_retry = {}\nbackoff_start = \"1ms\"\n\
             backoff_max = \"5ms\"\n{}\n\n[server]\nlisten = \"{}\"\n{}\n\n[storage]\n{kind}path = {:?}\nreserve_mib = {}\n",
            self.parallel_markets,
            self.run,
            self.attempts_max,
            self.end_of_market_retry,
            self.retry,
            self.listen,
            self.server,
            folder.join(&self.storage),
            self.reserve_mib,
        )
    }
}

/// How a program ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
}

impl Finished {
    /// Checks the exit code.
    ///
    /// # Errors
    /// It is another one.
    pub fn expect(self, code: i32) -> anyhow::Result<Self> {
        ensure!(self.code == Some(code), "the exit code is not {code}: {self:?}");
        Ok(self)
    }
}

/// A folder that is gone in the end. What the programs wrote to stderr is shown when it is dropped, which the test
/// harness passes on only when the test failed.
#[derive(Debug)]
pub struct Scene {
    folder: TempDir,
    environment: Vec<(String, String)>,
    is_quiet: bool,
}

impl Scene {
    /// A scene with a configuration of a source and settings.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new(source: &str, settings: &Settings) -> anyhow::Result<Self> {
        let scene = Self::empty()?;
        scene.configure(source, settings)?;
        Ok(scene)
    }

    /// A scene without a configuration.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn empty() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("price-cache-test-").tempdir()?;
        Ok(Self { folder, environment: Vec::new(), is_quiet: false })
    }

    /// Does not show stderr in the end.
    pub fn quiet(&mut self) {
        self.is_quiet = true;
    }

    /// Sets a variable for every program from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the configuration.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn configure(&self, source: &str, settings: &Settings) -> anyhow::Result<()> {
        self.write_config(&format!("{source}{}", settings.toml(self.folder.path())))
    }

    /// Writes any text as the configuration.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_config(&self, text: &str) -> anyhow::Result<()> {
        fs::write(self.path("price-cache.toml"), text).context("could not write the configuration")
    }

    /// Starts a server without waiting for it.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn launch(&self) -> anyhow::Result<Launch> {
        let process = self.spawn(Program::Server, &[], "server.stderr")?;
        Ok(process.into())
    }

    /// Starts a server with a limit on open files, connections among them, and waits until it listens.
    ///
    /// # Errors
    /// It does not.
    pub async fn server_with_open_files(&self, files_max: u32) -> anyhow::Result<Server> {
        let mut command = self.command(Path::new("/bin/sh"));
        command.args(["-c", &format!("ulimit -n {files_max} && exec \"$0\" \"$@\"")]);
        command.arg(Program::Server.path()?).arg("--config").arg(self.path("price-cache.toml"));
        let name = format!("a server with {files_max} open files");
        Launch::from(self.begin(command, name, "server.stderr")?).listening().await
    }

    /// Starts a server whose calls of the system are written to a file.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn launch_traced(&self, file: &Path) -> anyhow::Result<Launch> {
        let mut command = self.prepared(crate::trace::tracer(file));
        command.arg(Program::Server.path()?).arg("--config").arg(self.path("price-cache.toml"));
        Ok(self.begin(command, "a traced server".to_owned(), "server.stderr")?.into())
    }

    /// Starts a server with faults injected into its calls, which are written to `output`.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn launch_injected(&self, injection: &Injection, output: &Path) -> anyhow::Result<Launch> {
        let mut command = self.prepared(injection.tracer(output));
        command.arg(Program::Server.path()?).arg("--config").arg(self.path("price-cache.toml"));
        Ok(self.begin(command, format!("a server with {injection}"), "server.stderr")?.into())
    }

    /// Starts a server and waits until it listens.
    ///
    /// # Errors
    /// It does not.
    pub async fn server(&self) -> anyhow::Result<Server> {
        self.launch()?.listening().await
    }

    /// Runs a server that is expected to end by itself.
    ///
    /// # Errors
    /// It does not end.
    pub async fn failing_server(&self) -> anyhow::Result<Finished> {
        let mut process = self.spawn(Program::Server, &[], "failing.stderr")?;
        self.finished(&mut process, "failing.stderr").await
    }

    /// Starts `price-cache` with arguments.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn start(&self, arguments: &[&str]) -> anyhow::Result<Process> {
        self.spawn(Program::CommandLine, arguments, "command.stderr")
    }

    /// Waits for the end of what [`start`](Self::start) started; stderr is that of all commands.
    ///
    /// # Errors
    /// It does not end.
    pub async fn end(&self, mut process: Process) -> anyhow::Result<Finished> {
        self.finished(&mut process, "command.stderr").await
    }

    /// Runs `price-cache` with arguments to its end.
    ///
    /// # Errors
    /// It does not end.
    pub async fn run(&self, arguments: &[&str]) -> anyhow::Result<Finished> {
        // A file for each, so that a test sees what this very command said.
        let file = format!("command-{}.stderr", fastrand::u64(..));
        let mut process = self.spawn(Program::CommandLine, arguments, &file)?;
        let finished = self.finished(&mut process, &file).await?;
        fs::remove_file(self.path(&file))?;
        self.append("command.stderr", &finished.stderr)?;
        Ok(finished)
    }

    /// Runs a shell script in which `$PC` is `price-cache`.
    ///
    /// # Errors
    /// It does not end.
    pub async fn shell(&self, script: &str) -> anyhow::Result<Finished> {
        let mut command = self.command(Path::new("/bin/sh"));
        command.args(["-c", script]).env("PC", Program::CommandLine.path()?);
        let mut process = self.begin(command, script.to_owned(), "shell.stderr")?;
        self.finished(&mut process, "shell.stderr").await
    }

    /// Everything that programs wrote to stderr so far.
    pub fn stderr(&self) -> String {
        let Ok(items) = fs::read_dir(self.folder.path()) else { return String::new() };
        let mut told = String::new();
        for path in items.flatten().map(|item| item.path()) {
            if path.extension().is_some_and(|extension| extension == "stderr") {
                let bytes = fs::read(&path).unwrap_or_default();
                told.push_str(&String::from_utf8_lossy(&bytes));
            }
        }
        told
    }

    /// The end of what programs wrote to stderr.
    pub fn stderr_end(&self) -> String {
        let told = self.stderr();
        let begin = told.len().saturating_sub(STDERR_SHOWN_BYTES);
        let begin = (begin..told.len()).find(|index| told.is_char_boundary(*index)).unwrap_or(told.len());
        told[begin..].to_owned()
    }

    fn append(&self, file: &str, text: &str) -> anyhow::Result<()> {
        use std::io::Write as _;
        let mut file = File::options().create(true).append(true).open(self.path(file))?;
        Ok(file.write_all(text.as_bytes())?)
    }

    fn spawn(&self, program: Program, arguments: &[&str], stderr: &str) -> anyhow::Result<Process> {
        let mut command = self.command(&program.path()?);
        command.arg("--config").arg(self.path("price-cache.toml")).args(arguments);
        self.begin(command, format!("{program:?} {arguments:?}"), stderr)
    }

    fn command(&self, program: &Path) -> Command {
        self.prepared(std::process::Command::new(program))
    }

    fn prepared(&self, command: std::process::Command) -> Command {
        let mut command = prepared(command, self.folder.path());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn begin(&self, command: Command, name: String, stderr: &str) -> anyhow::Result<Process> {
        Process::spawn(command, name, &self.path(stderr))
    }

    async fn finished(&self, process: &mut Process, stderr: &str) -> anyhow::Result<Finished> {
        let (status, stdout) = process.wait().await?;
        let stderr = fs::read(self.path(stderr))?;
        Ok(Finished { code: status.code(), stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() })
    }
}

impl Drop for Scene {
    #[expect(clippy::print_stderr, reason = "the test harness shows it when the test fails")]
    fn drop(&mut self) {
        if !self.is_quiet {
            eprintln!("--- the programs said:\n{}", self.stderr_end());
        }
    }
}
