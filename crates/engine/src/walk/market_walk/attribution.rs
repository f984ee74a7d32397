//! Carries out what the state machine of the upstream says about a product that failed: record it, hold it back, ask
//! for a product that succeeded before, or park the market.

use price_cache_domain::RunFailureClass;
use tokio::sync::OwnedSemaphorePermit;

use super::{Fetched, Walker};
use crate::upstream::decision::Next;
use crate::upstream::observation::RequestKind;
use crate::walk::market_job::WalkEnd;
use crate::walk::report::SessionFailure;

impl Walker<'_> {
    /// Records a product, unless its failure may not be its own.
    pub(super) async fn settle(
        &mut self,
        fetched: Fetched,
        next: Next,
        permit: OwnedSemaphorePermit,
    ) -> Result<(), WalkEnd> {
        if next == Next::Record {
            self.circuit_closes();
            if self.held.is_empty() {
                return self.record(fetched, permit).await;
            }
        }
        // The window may have one place only.
        drop(permit);
        self.held.push(fetched);
        self.follow(next).await
    }

    /// Records what is held back at the end of a walk, or ends it otherwise.
    pub(super) async fn settle_rest(&mut self) -> Result<(), WalkEnd> {
        if self.held.is_empty() {
            return Ok(());
        }
        let next = self.upstream.finish(self.market, self.canary.is_some());
        self.follow(next).await
    }

    /// Asks for a product that succeeded before, and does what its answer says. The price is recorded; a failure is
    /// not, because the product has its outcome.
    pub(super) async fn send_canary(&mut self) -> Result<(), WalkEnd> {
        let Some(canary) = self.canary.clone() else { return Ok(()) };
        self.settled().await?;
        let entries = self.store.entries_of(self.market, std::slice::from_ref(&canary)).await?;
        let previous = entries.into_iter().flatten().next();
        let permit = self.permit().await?;
        let fetched = self.fetch(&canary, previous.as_ref(), RequestKind::Canary).await;
        let (entry, next) = fetched.ok_or(WalkEnd::Cancelled)?;
        self.ended(next)?;
        self.circuit_closes();
        if entry.outcome.is_success() {
            let fetched = self.completed(canary, previous, entry);
            self.record(fetched, permit).await?;
        } else {
            drop(permit);
        }
        self.record_held().await
    }

    /// Does what follows with all that is held back.
    async fn follow(&mut self, next: Next) -> Result<(), WalkEnd> {
        match next {
            Next::Record => self.record_held().await,
            Next::Canary => self.send_canary().await,
            Next::Retry | Next::Hold | Next::Park(_) | Next::Defer | Next::End(_) => self.ended(next),
        }
    }

    /// Ends the walk where nothing else follows. What is held back is not recorded, and fetched again.
    fn ended(&self, next: Next) -> Result<(), WalkEnd> {
        match next {
            Next::Park(_) => {
                if !self.is_half_open {
                    let trouble = self
                        .upstream
                        .with(|machine, _| machine.parked(self.market).map(|open| open.trouble.to_string()));
                    let reason = trouble.unwrap_or_default();
                    tracing::warn!(market = %self.market, reason, "the circuit opens; the market is parked");
                }
                Err(WalkEnd::Parked)
            }
            Next::Defer => Err(WalkEnd::Deferred),
            Next::End(words) => Err(credentials_refused(&words)),
            Next::Retry | Next::Record | Next::Hold | Next::Canary => Ok(()),
        }
    }

    fn circuit_closes(&mut self) {
        if std::mem::take(&mut self.is_half_open) {
            tracing::info!(market = %self.market, "the upstream answers again; the circuit closes");
        }
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
