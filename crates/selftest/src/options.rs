//! What a self-test does: what is killed, how often and where.

use std::path::PathBuf;
use std::time::Duration;

use price_cache_simulator::Latency;

use crate::profile::{Profile, UNSYNCED_WRITES_MAX};

/// The longest delay of an answer.
const LATENCY_MAX: Duration = Duration::from_millis(4);

/// What is to be killed, and how often.
#[derive(Clone, Debug)]
pub struct SelfTest {
    /// The program `price-cache`.
    pub executable: PathBuf,
    /// Decides the moments, as far as a seed can.
    pub seed: u64,
    /// How many kills.
    pub kills: u32,
    /// Where they go.
    pub profile: Profile,
    /// The kind of the store as the configuration has it, `storage.kind`; without it, the program's default.
    pub store: Option<String>,
    /// `storage.sync_interval`; without it, the program's default. Zero where a kill is to cost one record at most.
    pub sync_interval: Option<String>,
    /// Markets of each run.
    pub markets: u32,
    /// Products of each market of a walk for each kill, so that a run lasts until the last one.
    pub products_per_kill: u32,
    /// Products of each market of a walk at least.
    pub products_min: u32,
    /// `run.parallel_markets`.
    pub parallel_markets: u32,
    /// How long the upstream takes for an answer.
    pub latency: Latency,
    /// Requests that a kill may cost each market that is walked, over all kills; a single one never more than
    /// [`UNSYNCED_WRITES_MAX`].
    pub kill_cost_max: u32,
}

impl SelfTest {
    /// A test of a program, with an upstream that answers some requests at once and some later.
    #[must_use]
    pub fn new(executable: PathBuf, kills: u32, seed: u64) -> Self {
        Self {
            executable,
            seed,
            kills,
            profile: Profile::default(),
            store: None,
            sync_interval: None,
            markets: 8,
            products_per_kill: 20,
            products_min: 50,
            parallel_markets: 4,
            latency: Latency { fixed: Duration::ZERO, jitter: LATENCY_MAX },
            kill_cost_max: UNSYNCED_WRITES_MAX,
        }
    }
}
