//! Bodies of answers: whole, cut off, or drop by drop.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use crate::ledger::Ticket;

/// The connection is to end here. Nobody reads it; it makes the HTTP server drop the connection.
#[derive(Debug, thiserror::Error)]
#[error("the simulator ends this connection as a fault")]
pub(crate) struct Abort;

/// The body of an answer, which carries the ticket of its request to its last byte.
pub(crate) struct AnswerBody {
    rest: Bytes,
    pace: Pace,
    ticket: Option<Ticket>,
}

enum Pace {
    Whole,
    /// Says `missing` more bytes than there are, and fails after the last one that is there.
    Cut {
        missing: u64,
        flushed: bool,
    },
    Drip {
        piece_bytes: usize,
        every: Duration,
        pause: Option<Pin<Box<Sleep>>>,
    },
}

impl AnswerBody {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self { rest: bytes.into(), pace: Pace::Whole, ticket: None }
    }

    /// The first half of the bytes, with the length of all.
    pub(crate) fn cut(bytes: &Bytes) -> Self {
        let kept = bytes.slice(..bytes.len() / 2);
        let missing = (bytes.len() - kept.len()).max(1) as u64;
        Self { rest: kept, pace: Pace::Cut { missing, flushed: false }, ticket: None }
    }

    /// All bytes, `piece_bytes` of them each time.
    pub(crate) fn drip(bytes: Bytes, piece_bytes: usize, every: Duration) -> Self {
        let piece_bytes = piece_bytes.max(1);
        Self { rest: bytes, pace: Pace::Drip { piece_bytes, every, pause: None }, ticket: None }
    }

    /// Binds the end of the request to the end of this body.
    pub(crate) fn with_ticket(mut self, mut ticket: Ticket) -> Self {
        if self.is_end_stream() {
            // The server does not ask for the bytes of an empty body.
            ticket.completes();
        }
        self.ticket = Some(ticket);
        self
    }

    fn complete(&mut self) {
        if let Some(ticket) = &mut self.ticket {
            ticket.completes();
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Abort;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Abort>>> {
        let this = &mut *self;
        let take = match &mut this.pace {
            Pace::Whole => this.rest.len(),
            Pace::Cut { flushed, .. } if this.rest.is_empty() => {
                if !*flushed {
                    // A turn in which the server writes out what it has, before it learns of the end.
                    *flushed = true;
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                this.complete();
                return Poll::Ready(Some(Err(Abort)));
            }
            Pace::Cut { .. } => this.rest.len(),
            Pace::Drip { piece_bytes, every, pause } => {
                let waiting = pause.get_or_insert_with(|| Box::pin(sleep(*every)));
                ready!(waiting.as_mut().poll(context));
                *pause = None;
                this.rest.len().min(*piece_bytes)
            }
        };
        if take == 0 {
            return Poll::Ready(None);
        }
        let piece = this.rest.split_to(take);
        if this.is_end_stream() {
            this.complete();
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && !matches!(self.pace, Pace::Cut { .. })
    }

    fn size_hint(&self) -> SizeHint {
        let missing = match self.pace {
            Pace::Cut { missing, .. } => missing,
            Pace::Whole | Pace::Drip { .. } => 0,
        };
        SizeHint::with_exact(self.rest.len() as u64 + missing)
    }
}
