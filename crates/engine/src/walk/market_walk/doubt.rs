//! Who is at fault when products fail one after another: they, the upstream, or our credentials. Until that is
//! known they are held back; a product that came before is asked for again, and its answer decides.

use price_cache_domain::{Entry, FailureClass, RunFailureClass};
use tokio::sync::OwnedSemaphorePermit;

use super::{Fetched, WalkEnd, Walker};
use crate::upstream::parking::{ParkReason, Trouble};
use crate::walk::report::SessionFailure;

/// What an answer says about the upstream.
#[derive(Debug)]
enum Sign {
    /// It answers, also where it has no price.
    Well,
    /// It refuses our credentials, in these words.
    Refused(String),
    /// It may be unwell.
    Unwell(Trouble),
}

impl Walker<'_> {
    /// Records a product, unless it is one more whose failure may not be its own.
    pub(super) async fn settle(
        &mut self,
        fetched: Fetched,
        permit: OwnedSemaphorePermit,
    ) -> Result<(), WalkEnd> {
        let sign = self.sign_of(&fetched.entry);
        let is_enough = match sign {
            Sign::Unwell(trouble) if self.is_probe => return Err(self.park(trouble)),
            Sign::Well => {
                self.upstream_is_well();
                if self.held.is_empty() {
                    return self.record(fetched, permit).await;
                }
                // The window may have one place only.
                drop(permit);
                self.held.push(fetched);
                return self.record_held().await;
            }
            Sign::Unwell(_) => {
                self.failures_in_a_row += 1;
                self.work.parking.failed(self.failures_in_a_row)
            }
            Sign::Refused(_) => {
                self.refused_in_a_row += 1;
                self.work.credentials.refused(self.refused_in_a_row)
            }
        };
        drop(permit);
        self.held.push(fetched);
        if is_enough { self.resolve(sign).await } else { Ok(()) }
    }

    /// Records what is held back at the end of a walk, or ends it otherwise.
    pub(super) async fn settle_rest(&mut self) -> Result<(), WalkEnd> {
        let Some(last) = self.held.last() else { return Ok(()) };
        let sign = self.sign_of(&last.entry);
        let is_refused = matches!(sign, Sign::Refused(_));
        if self.witness.is_some() || (is_refused && !self.work.credentials.were_accepted()) {
            return self.resolve(sign).await;
        }
        if is_refused && !self.job.was_deferred { Err(WalkEnd::Deferred) } else { self.record_held().await }
    }

    /// A parked market is taken up again if what came before can be had.
    pub(super) async fn probe_with_witness(&mut self) -> Result<(), WalkEnd> {
        match self.ask_witness().await? {
            None => Ok(()),
            Some(Sign::Well) => {
                self.upstream_is_well();
                Ok(())
            }
            Some(Sign::Refused(words)) => Err(credentials_refused(&words)),
            Some(Sign::Unwell(trouble)) => Err(self.park(trouble)),
        }
    }

    /// Decides about the products that are held back; `sign` is what the last of them said.
    async fn resolve(&mut self, sign: Sign) -> Result<(), WalkEnd> {
        match self.ask_witness().await?.unwrap_or(sign) {
            Sign::Well => {
                self.upstream_is_well();
                self.record_held().await
            }
            Sign::Refused(words) => Err(credentials_refused(&words)),
            Sign::Unwell(trouble) => Err(self.park(trouble)),
        }
    }

    /// Asks for a product that came before. `None` when there is none. A price is recorded; a failure is not,
    /// because the product has its outcome.
    async fn ask_witness(&mut self) -> Result<Option<Sign>, WalkEnd> {
        let Some(witness) = self.witness.clone() else { return Ok(None) };
        self.settled().await?;
        let market = &self.job.plan.market;
        let entries = self.work.store.entries_of(market, std::slice::from_ref(&witness)).await?;
        let previous = entries.into_iter().flatten().next();
        let permit = self.permit().await?;
        let entry = self.fetcher.probe(&witness, previous.as_ref()).await.ok_or(WalkEnd::Cancelled)?;
        let sign = self.sign_of(&entry);
        if entry.outcome.is_success() {
            let fetched = self.completed(witness, previous, entry);
            self.record(fetched, permit).await?;
        }
        Ok(Some(sign))
    }

    fn sign_of(&self, entry: &Entry) -> Sign {
        let attempts = &entry.outcome.attempts;
        let Some(failure) = attempts.failure() else { return Sign::Well };
        if failure.class() == FailureClass::Credentials {
            return Sign::Refused(failure.message().to_owned());
        }
        if !self.work.parking.suspects(failure.class()) {
            return Sign::Well;
        }
        let failures = self.failures_in_a_row.max(1);
        let status_code = attempts.kept().last().and_then(|last| last.status_code);
        let reason = ParkReason { failures, class: failure.class(), status_code };
        Sign::Unwell(Trouble { reason, last: failure.message().to_owned() })
    }

    /// An answer of another kind came.
    fn upstream_is_well(&mut self) {
        let (work, market) = (self.work, &self.job.plan.market);
        work.parking.answered();
        work.credentials.accepted();
        (self.failures_in_a_row, self.refused_in_a_row) = (0, 0);
        if std::mem::take(&mut self.is_probe) {
            tracing::info!(%market, "the upstream is well again");
            work.parking.take_up(market);
        }
    }

    /// The market is parked, or stays so after a probe. What is held back is not recorded, and fetched again.
    fn park(&self, trouble: Trouble) -> WalkEnd {
        let market = &self.job.plan.market;
        if !self.is_probe {
            tracing::warn!(%market, reason = %trouble, "the upstream is unwell; the market is parked");
        }
        let earliest = self.work.pacing.not_before(market).map(|(until, _)| until);
        let now = self.work.clock.now();
        WalkEnd::Parked(self.work.parking.park(market, trouble, now, earliest, fastrand::f64()))
    }

    async fn record_held(&mut self) -> Result<(), WalkEnd> {
        for held in std::mem::take(&mut self.held) {
            let permit = self.permit().await?;
            self.record(held, permit).await?;
        }
        Ok(())
    }
}

fn credentials_refused(words: &str) -> WalkEnd {
    let message = format!(
        "the upstream refuses our credentials ({words}); check the API key in the configuration's headers and \
         the environment, then start again"
    );
    WalkEnd::Failed(SessionFailure { class: RunFailureClass::Credentials, message, retryable: false })
}
