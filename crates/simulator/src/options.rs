//! What a simulator is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::{Catalogue, Faults, RateLimit};

/// How long an answer takes at least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// Added to each answer. The timer has whole milliseconds, so an answer can be one later.
    pub fixed: Duration,
    /// Up to this much more, drawn from the seed for each request.
    pub jitter: Duration,
}

impl Latency {
    /// The same latency for each answer.
    #[must_use]
    pub fn fixed(fixed: Duration) -> Self {
        Self { fixed, jitter: Duration::ZERO }
    }
}

/// What a simulator is started with. Begin with [`Options::new`] and change the fields that matter.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 (the default) takes a free one of 127.0.0.1.
    pub listen: SocketAddr,
    /// What is sold.
    pub catalogue: Catalogue,
    /// The seed of every draw.
    pub seed: u64,
    /// What goes wrong.
    pub faults: Faults,
    /// How long an answer takes.
    pub latency: Latency,
    /// How many requests for prices are answered; without it, all.
    pub rate_limit: Option<RateLimit>,
    /// Whether prices carry a strong `ETag` and `If-None-Match` is honoured.
    pub etags: bool,
    /// When given, every request except the control routes and `/healthz` needs `Authorization: Bearer TOKEN`.
    pub bearer_token: Option<String>,
    /// Whether requests are counted per pair. Without it the memory stays small, and each attempt counts as a pair's first.
    pub count_pairs: bool,
}

impl Options {
    /// A simulator of this catalogue without faults and latency, on a free port of 127.0.0.1.
    #[must_use]
    pub fn new(catalogue: Catalogue) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            catalogue,
            seed: 1,
            faults: Faults::default(),
            latency: Latency::default(),
            rate_limit: None,
            etags: false,
            bearer_token: None,
            count_pairs: true,
        }
    }
}
