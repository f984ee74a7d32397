//! Who asked a raw server for what, and when.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::Asked;

/// A client that gives up closes its connection in its own time: what it asks so soon after may have come before
/// that close was seen.
const CLOSE_TIME_MAX: Duration = Duration::from_millis(100);

/// One request and its time.
#[derive(Clone, Debug)]
pub struct RawCall {
    /// The request, head and body.
    pub text: String,
    begun: Instant,
    /// When no answer to it was under way any more, so far never later than now.
    ended: Option<Instant>,
}

impl RawCall {
    /// What was asked for: the path and query, as sent.
    #[must_use]
    pub fn target(&self) -> &str {
        self.text.split(' ').nth(1).unwrap_or_default()
    }

    /// Whether this request was still under way when a later one began.
    pub(super) fn overlaps(&self, later: &Self) -> bool {
        self.ended.is_none_or(|ended| later.begun < ended)
    }
}

/// The record of one server.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) connections: usize,
    pub(super) calls: Vec<RawCall>,
    by_target: HashMap<String, u32>,
}

impl Record {
    /// Takes a request down; tells its number, and completes what is known of it.
    pub(super) fn begins(&mut self, asked: Asked) -> (usize, Asked) {
        let earlier = self.by_target.entry(asked.target().to_owned()).or_default();
        let asked = Asked { earlier_for_target: *earlier, ..asked };
        *earlier += 1;
        self.calls.push(RawCall { text: asked.text.clone(), begun: Instant::now(), ended: None });
        (self.calls.len() - 1, asked)
    }

    pub(super) fn is_answered(&mut self, call: usize) {
        self.ends(call, Instant::now());
    }

    /// The client closed the connection.
    pub(super) fn is_given_up(&mut self, call: usize) {
        let now = Instant::now();
        self.ends(call, now.checked_sub(CLOSE_TIME_MAX).unwrap_or(now));
    }

    fn ends(&mut self, call: usize, at: Instant) {
        if let Some(call) = self.calls.get_mut(call) {
            call.ended = Some(at);
        }
    }
}
