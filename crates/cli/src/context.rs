//! What a remote command works with: the client, the streams and a few values from the command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::Streams;
use crate::arguments::GlobalArguments;
use crate::client::{ApiKey, Client, Limits};

/// How often `--watch` asks.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Everything a remote command needs besides its own arguments.
pub struct Context {
    /// Asks the server.
    pub client: Client,
    /// Where output goes and answers come from.
    pub streams: Streams,
    /// The configuration file, named in the hint how to start a server.
    pub config: PathBuf,
    /// How often `--watch` asks.
    pub poll_interval: Duration,
}

impl Context {
    /// The context of the real program.
    #[must_use]
    pub fn new(global: &GlobalArguments, key: Option<ApiKey>, streams: Streams) -> Self {
        Self {
            client: Client::new(global.server(), key, Limits::default()),
            streams,
            config: global.config.clone(),
            poll_interval: POLL_INTERVAL,
        }
    }
}
