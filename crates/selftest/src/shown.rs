//! What a server had shown before it was killed, and whether the next one still knows it.

use std::collections::HashSet;

use crate::promise::{Broken, Promise};
use crate::{Api, StatusView};

/// Calls of the log that are read before a kill.
const LOG_READ: usize = 200;
/// Calls that a server keeps.
const LOG_KEPT: usize = 10_000;

#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) status: StatusView,
    /// The ids of the newest calls.
    pub(crate) calls: Vec<String>,
}

impl Shown {
    pub(crate) async fn by(api: &Api) -> anyhow::Result<Self> {
        let status = api.status().await?;
        let calls = api.log_ids(LOG_READ).await?;
        Ok(Self { status, calls })
    }

    /// Checks that the server still shows all of it.
    pub(crate) async fn is_still_shown(&self, api: &Api) -> anyhow::Result<StatusView> {
        let status = api.status().await?;
        status.continues(&self.status)?;
        self.calls_are_in(&api.log_ids(LOG_KEPT).await?)?;
        Ok(status)
    }

    /// Checks that each call is among the calls of now.
    fn calls_are_in(&self, now: &[String]) -> Result<(), Broken> {
        let now: HashSet<&String> = now.iter().collect();
        let gone: Vec<&String> = self.calls.iter().filter(|call| !now.contains(call)).collect();
        Promise::NothingTakenBack.kept_for(gone.len() as u64, || {
            format!("the log had shown these calls, and they are gone: {gone:?}")
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_has_vanished_is_noticed() {
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let shown = Shown { calls: ids(&["a", "b", "c"]), ..Shown::default() };
        assert_eq!(shown.calls_are_in(&ids(&["c", "d", "b", "a"])), Ok(()));
        let broken = shown.calls_are_in(&ids(&["d", "b"])).unwrap_err();
        assert_eq!((broken.promise, broken.count), (Promise::NothingTakenBack, 2));
        assert!(broken.seen.contains("\"a\"") && !broken.seen.contains("\"b\""), "{broken}");
    }
}
