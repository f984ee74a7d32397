//! Sends one request with its retries: waits until the upstream may be asked, sends, and hands the answer to the
//! state machine of the upstream's health. Prices and lists alike.

use std::future::Future;
use std::time::Duration;

use price_cache_domain::{Attempt, Attempts, Clock, Failure, Fault, MarketId, Timestamp};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::upstream::decision::{Decision, Next};
use crate::upstream::observation::{Observation, RequestKind};
use crate::upstream::wait::WaitReason;
use crate::walk::activity::Activity;
use crate::walk::caught::caught;
use crate::walk::report::Report;
use crate::walk::reporter::Reporter;
use crate::walk::upstream_access::UpstreamAccess;

/// The shortest wait that is shown in the status.
const SHOWN_WAIT_MIN: Duration = Duration::from_millis(100);

/// What a request is about.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// `None` for a request that belongs to no market.
    pub(crate) market: Option<&'a MarketId>,
    /// The index of the market whose waits are shown, if they are.
    pub(crate) shown: Option<usize>,
    pub(crate) kind: RequestKind,
    /// Whether a canary request can be sent if this one fails.
    pub(crate) has_canary: bool,
}

/// How a request ended, with what follows from it.
pub(crate) struct Answer<T> {
    pub(crate) result: Result<Success<T>, GivenUp>,
    pub(crate) next: Next,
}

/// A successful answer.
pub(crate) struct Success<T> {
    pub(crate) value: T,
    /// The attempts that failed before.
    pub(crate) failed: Option<Attempts>,
    /// When the last attempt began.
    pub(crate) at: Timestamp,
    /// How long it took.
    pub(crate) duration: Duration,
}

/// The failure of a request that is not sent again.
pub(crate) struct GivenUp {
    /// The last failure.
    pub(crate) fault: Fault,
    /// All attempts.
    pub(crate) attempts: Attempts,
}

/// Sends requests until the run stops.
#[derive(Clone, Copy)]
pub(crate) struct Requester<'a> {
    pub(crate) upstream: &'a UpstreamAccess,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) reporter: &'a Reporter,
    pub(crate) cancel: &'a CancellationToken,
}

impl Requester<'_> {
    /// Sends a request until it succeeds or is given up. `None` when the run stops first.
    pub(crate) async fn request<T, F>(&self, subject: Subject<'_>, send: impl Fn() -> F) -> Option<Answer<T>>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let Subject { market, kind, has_canary, .. } = subject;
        let mut failed: Option<Attempts> = None;
        loop {
            self.wait(subject).await?;
            let (at, sent) = (self.clock.now(), Instant::now());
            let result = tokio::select! {
                biased;
                () = self.cancel.cancelled() => return None,
                result = caught(async { send().await }) => result,
            };
            let duration = sent.elapsed();
            let observation =
                Observation { kind, sent: sent.into_std(), fault: result.as_ref().err(), has_canary };
            let Decision { next, retry_denied } = self.upstream.observe(market, &observation);
            let fault = match result {
                Ok(value) => {
                    return Some(Answer { result: Ok(Success { value, failed, at, duration }), next });
                }
                Err(fault) => fault,
            };
            let failure =
                if retry_denied { self.denied(subject, &fault.failure).await } else { fault.failure.clone() };
            let attempt = Attempt { at, duration, status_code: fault.status_code, failure: Some(failure) };
            let attempts = match failed {
                Some(earlier) => earlier.then(attempt),
                None => Attempts::first(attempt),
            };
            if next != Next::Retry {
                return Some(Answer { result: Err(GivenUp { fault, attempts }), next });
            }
            failed = Some(attempts);
        }
    }

    /// Returns the failure of a request that would be sent again if the retry budget were not empty.
    async fn denied(&self, subject: Subject<'_>, failure: &Failure) -> Failure {
        if let Some(market) = subject.shown {
            self.reporter.report(Report::RetryDenied { market }).await;
        }
        Failure::new(
            failure.class(),
            format!("not retried, the retry budget is empty ({})", failure.message()),
        )
    }

    /// Waits until the request may be sent. `None` when the run stops meanwhile.
    async fn wait(&self, subject: Subject<'_>) -> Option<()> {
        let mut admission = self.upstream.admission(subject.market);
        loop {
            if self.cancel.is_cancelled() {
                return None;
            }
            let Some((until, reason)) = admission.wait() else { return Some(()) };
            self.wait_until(until, reason, subject.shown).await?;
        }
    }

    async fn wait_until(&self, until: Instant, reason: WaitReason, shown: Option<usize>) -> Option<()> {
        let wait = until.saturating_duration_since(Instant::now());
        let shown = shown.filter(|_| wait >= SHOWN_WAIT_MIN);
        if let Some(market) = shown {
            let until = self.clock.now().plus(wait);
            self.reporter.activity(market, Activity::Waiting { reason, until }).await;
        }
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => return None,
            () = sleep_until(until) => {}
        }
        if let Some(market) = shown {
            self.reporter.activity(market, Activity::Active).await;
        }
        Some(())
    }
}
