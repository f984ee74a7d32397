//! Fetches one product: waits its turn, asks, classifies, retries, and turns what came into an entry.

use std::time::Duration;

use price_cache_domain::{
    Attempt, Attempts, Entry, Failure, FailureClass, Fault, Fetched, MarketId, ProductId, Visit,
};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::upstream::pacing::NotBefore;
use crate::upstream::retry::Tries;
use crate::upstream::wait::WaitReason;
use crate::walk::activity::Activity;
use crate::walk::caught::caught;
use crate::walk::report::Report;
use crate::walk::session::Work;

/// Waits shorter than this are not worth a word in the status.
const TOLD_WAIT_MIN: Duration = Duration::from_millis(100);

/// Fetches the products of one market, one request at a time.
pub(crate) struct ProductFetcher<'a> {
    work: &'a Work,
    market_index: usize,
    market: &'a MarketId,
    /// What the present visits are recorded as.
    pub(crate) visit: Visit,
    cancel: &'a CancellationToken,
    /// No further request for the present product before this.
    backoff: Option<NotBefore>,
    /// Whether the present product gets one request only.
    is_probe: bool,
}

impl<'a> ProductFetcher<'a> {
    pub(crate) const fn new(
        work: &'a Work,
        market_index: usize,
        market: &'a MarketId,
        visit: Visit,
        cancel: &'a CancellationToken,
    ) -> Self {
        Self { work, market_index, market, visit, cancel, backoff: None, is_probe: false }
    }

    /// The product's new entry after one request, whatever comes.
    pub(crate) async fn probe(&mut self, product: &ProductId, previous: Option<&Entry>) -> Option<Entry> {
        self.is_probe = true;
        let entry = self.fetch(product, previous).await;
        self.is_probe = false;
        entry
    }

    /// The product's new entry, or `None` when the run stops first.
    pub(crate) async fn fetch(&mut self, product: &ProductId, previous: Option<&Entry>) -> Option<Entry> {
        let etag = previous.and_then(|entry| entry.price.as_ref()?.etag.as_deref());
        let mut purged = false;
        let mut failed: Option<Attempts> = None;
        let mut tries = Tries::default();
        let mut limited_since = None;
        loop {
            self.wait_for_turn().await?;
            let at = self.work.clock.now();
            let begun = Instant::now();
            let exchange = async {
                if !purged {
                    self.work.source.purge(self.market, product).await?;
                    purged = true;
                }
                self.work.source.price(self.market, product, etag).await
            };
            let result = tokio::select! {
                biased;
                () = self.cancel.cancelled() => return None,
                result = caught(exchange) => result,
            };
            let duration = begun.elapsed();
            self.work.pacing.answered(Some(self.market), begun, result.as_ref().err());
            let attempt = |status_code| Attempt { at, duration, status_code, failure: None };
            let fault = match result {
                Ok(Fetched::NotModified) if etag.is_none() => Fault::new(
                    FailureClass::InvalidAnswer,
                    "\"not modified\" came without having been asked for",
                )
                .with_status(304),
                Ok(fetched) => {
                    let status_code = if fetched == Fetched::NotModified { 304 } else { 200 };
                    let last = attempt(Some(status_code));
                    self.work.budget.earn();
                    return Some(Entry::priced(previous, self.visit, failed, last, fetched));
                }
                Err(fault) => fault,
            };
            tries = tries.with(&fault, &mut limited_since);
            let retry = self.work.retry.wait_after(&fault, tries, fastrand::f64());
            let retry = retry.filter(|_| !self.is_probe);
            let class = fault.failure.class();
            // An upstream that asks for patience says itself how much load is right.
            let is_paid = retry.is_none() || class == FailureClass::RateLimited || self.work.budget.spend();
            let failure = if is_paid { fault.failure } else { self.not_repeated(&fault.failure).await };
            let attempt = Attempt { failure: Some(failure), ..attempt(fault.status_code) };
            let attempts = match failed.take() {
                Some(earlier) => earlier.then(attempt),
                None => Attempts::first(attempt),
            };
            match retry.filter(|_| is_paid) {
                Some((wait, reason)) => {
                    self.backoff = Some((Instant::now() + wait, reason));
                    failed = Some(attempts);
                }
                None => return Some(Entry::failed(previous, self.visit, attempts)),
            }
        }
    }

    /// A failure that would be repeated if the run could pay for it.
    async fn not_repeated(&self, failure: &Failure) -> Failure {
        self.work.report(Report::RetryDenied { market: self.market_index }).await;
        Failure::new(failure.class(), format!("not repeated, too much fails ({})", failure.message()))
    }

    /// Waits until the market may send a request. `None` when the run stops meanwhile.
    async fn wait_for_turn(&mut self) -> Option<()> {
        for (until, reason) in self.work.pacing.waits(Some(self.market), self.backoff.take()) {
            self.wait_until(until, reason).await?;
        }
        Some(())
    }

    async fn wait_until(&self, until: Instant, reason: WaitReason) -> Option<()> {
        if self.cancel.is_cancelled() {
            return None;
        }
        let wait = until.saturating_duration_since(Instant::now());
        if wait.is_zero() {
            return Some(());
        }
        let told = wait >= TOLD_WAIT_MIN;
        if told {
            let until = self.work.clock.now().plus(wait);
            self.tell(Activity::Waiting { reason, until }).await;
        }
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => return None,
            () = sleep_until(until) => {}
        }
        if told {
            self.tell(Activity::Active).await;
        }
        Some(())
    }

    async fn tell(&self, activity: Activity) {
        self.work.report(Report::MarketActivity { market: self.market_index, activity }).await;
    }
}
