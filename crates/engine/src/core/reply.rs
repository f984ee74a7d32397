//! Where the answer to a command goes.

use tokio::sync::oneshot;

use crate::error::CommandError;
use crate::handle::Accepted;

/// Takes one answer; whoever waited may be gone.
#[derive(Debug)]
pub(crate) struct Reply(Option<oneshot::Sender<Result<Accepted, CommandError>>>);

impl Reply {
    /// A reply and the receiver that its answer arrives at.
    pub(crate) fn channel() -> (Self, oneshot::Receiver<Result<Accepted, CommandError>>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Some(sender)), receiver)
    }

    /// A reply that nobody waits for.
    pub(crate) const fn nobody() -> Self {
        Self(None)
    }

    pub(crate) fn send(self, answer: Result<Accepted, CommandError>) {
        if let Some(sender) = self.0 {
            // Whoever asked may have hung up; the command was carried out all the same.
            let _ = sender.send(answer);
        }
    }
}
