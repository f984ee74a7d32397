//! Durations and the codes of enums, as they are stored. A code once given never changes its meaning.

use std::time::Duration;

use minicbor::data::Type;
use minicbor::decode::{self, Decoder};
use minicbor::encode::{self, Encoder, Write};
use minicbor::{Decode, Encode};
use price_cache_domain::{FailureClass, PauseReason, RunFailureClass, RunStatus};

use crate::seal::DecodeError;

/// A duration to the nanosecond: a number of nanoseconds, or beyond 584 years seconds and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exact(pub(crate) Duration);

impl<C> Encode<C> for Exact {
    fn encode<W: Write>(
        &self,
        encoder: &mut Encoder<W>,
        _context: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        match u64::try_from(self.0.as_nanos()) {
            Ok(nanos) => encoder.u64(nanos)?,
            Err(_) => encoder.array(2)?.u64(self.0.as_secs())?.u32(self.0.subsec_nanos())?,
        };
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Exact {
    fn decode(decoder: &mut Decoder<'b>, _context: &mut C) -> Result<Self, decode::Error> {
        if decoder.datatype()? != Type::Array {
            return Ok(Self(Duration::from_nanos(decoder.u64()?)));
        }
        decoder.array()?;
        let (seconds, nanos) = (decoder.u64()?, decoder.u32()?);
        // Duration::new panics where nanoseconds overflow the seconds.
        if nanos >= 1_000_000_000 {
            return Err(decode::Error::message("a duration with more than a second of nanoseconds"));
        }
        Ok(Self(Duration::new(seconds, nanos)))
    }
}

pub(crate) const fn failure_class_code(class: FailureClass) -> u8 {
    match class {
        FailureClass::Transport => 1,
        FailureClass::Timeout => 2,
        FailureClass::ServerError => 3,
        FailureClass::RateLimited => 4,
        FailureClass::NotFound => 5,
        FailureClass::Rejected => 6,
        FailureClass::Credentials => 7,
        FailureClass::InvalidAnswer => 8,
        FailureClass::Cancelled => 9,
    }
}

pub(crate) const fn status_code(status: RunStatus) -> u8 {
    match status {
        RunStatus::Idle => 1,
        RunStatus::Initializing => 2,
        RunStatus::Processing => 3,
        RunStatus::Paused => 4,
        RunStatus::Completed => 5,
        RunStatus::Error => 6,
    }
}

pub(crate) const fn pause_reason_code(reason: PauseReason) -> u8 {
    match reason {
        PauseReason::Manual => 1,
        PauseReason::Shutdown => 2,
        PauseReason::Interrupted => 3,
        PauseReason::RetryFinished => 4,
    }
}

pub(crate) const fn run_failure_class_code(class: RunFailureClass) -> u8 {
    match class {
        RunFailureClass::Listing => 1,
        RunFailureClass::Upstream => 2,
        RunFailureClass::Credentials => 3,
        RunFailureClass::Storage => 4,
        RunFailureClass::Internal => 5,
    }
}

/// Finds the value with a code.
pub(crate) fn with_code<T: Copy>(
    all: &[T],
    code_of: impl Fn(T) -> u8,
    code: u8,
    what: &str,
) -> Result<T, DecodeError> {
    all.iter()
        .copied()
        .find(|value| code_of(*value) == code)
        .ok_or_else(|| DecodeError::Damaged(format!("it has the unknown {what} {code}")))
}
