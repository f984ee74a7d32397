//! Ids of events: which server gave them, and where in its event log they stand.

use price_cache_engine::EventLog;

/// Tells ids of this start of the server from those of earlier ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Instance(String);

impl Instance {
    pub(super) fn new() -> Self {
        Self(format!("{:08x}", fastrand::u32(..)))
    }

    /// The id of the event with this number.
    pub(super) fn id(&self, sequence: u64) -> String {
        format!("{}-{sequence}", self.0)
    }

    /// Where a client goes on that has seen everything up to the event of this id; `None` when that is
    /// not known here, or when what came after it is not kept any more.
    pub(super) fn position(&self, last_id: &str, events: &EventLog) -> Option<u64> {
        let sequence = last_id.strip_prefix(self.0.as_str())?.strip_prefix('-')?.parse().ok()?;
        if sequence > events.latest() {
            return None;
        }
        let next = events.after(sequence, 1);
        next.first().is_none_or(|next| next.sequence == sequence + 1).then_some(sequence)
    }
}
