//! Where the answer to a command goes.

use tokio::sync::oneshot;

use crate::error::CommandError;
use crate::run::accepted::Accepted;

/// Takes one answer; the caller may be gone.
#[derive(Debug)]
pub(crate) struct Reply(oneshot::Sender<Result<Accepted, CommandError>>);

impl Reply {
    /// Creates a reply and the receiver of its answer.
    pub(crate) fn channel() -> (Self, oneshot::Receiver<Result<Accepted, CommandError>>) {
        let (sender, receiver) = oneshot::channel();
        (Self(sender), receiver)
    }

    pub(crate) fn send(self, answer: Result<Accepted, CommandError>) {
        // The caller may have hung up; the command was carried out all the same.
        let _ = self.0.send(answer);
    }
}
