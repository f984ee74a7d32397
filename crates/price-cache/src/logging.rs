//! The program's own log, on stderr.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::Sender;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::configuration::{LogConfig, LogFormat};

/// Writes log lines to stderr in the configured form. `PRICE_CACHE_LOG` overrides the level with a filter
/// such as `warn,price_cache_engine=debug`.
pub(crate) fn to_stderr(config: &LogConfig) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(config.level.name()))
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_writer(io::stderr);
    // Setting it up fails only where it was set up before, as by a test that runs two commands.
    let _ = match config.format {
        LogFormat::Text => builder.with_target(false).try_init(),
        // Programs pick lines by their target, such as `audit`.
        LogFormat::Json => builder.json().try_init(),
    };
}

/// Hands warnings, a line each, to the code that draws on the terminal.
pub(crate) fn to_channel(lines: Sender<String>) {
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter("warn"))
        .with_ansi(false)
        .with_target(false)
        .without_time()
        .with_writer(LineSender(lines))
        .try_init();
}

/// Libraries that at finer levels write requests with their secrets, or a line per page of the store.
const QUIET: [&str; 6] =
    ["h2=info", "hyper=info", "hyper_util=info", "reqwest=info", "rustls=info", "sled=warn"];

/// The filter of the environment, or else the level. Neither opens what has to stay quiet.
fn filter(level: &str) -> EnvFilter {
    let from_environment = std::env::var("PRICE_CACHE_LOG").ok();
    let wanted = from_environment.and_then(|filter| EnvFilter::try_new(filter).ok());
    let quiet = QUIET.iter().filter_map(|directive| directive.parse().ok());
    quiet.fold(wanted.unwrap_or_else(|| EnvFilter::new(level)), EnvFilter::add_directive)
}

struct LineSender(Sender<String>);

struct Line {
    to: Sender<String>,
    text: Vec<u8>,
}

impl MakeWriter<'_> for LineSender {
    type Writer = Line;

    fn make_writer(&self) -> Line {
        Line { to: self.0.clone(), text: Vec::new() }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.text).trim_end().to_owned();
        if !text.is_empty() {
            // Nobody draws any more once the command has ended.
            let _ = self.to.send(text);
        }
    }
}
