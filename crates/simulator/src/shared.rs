//! The state that all connections share: catalogue, faults, latency, rate limit and counters.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::faults::{FaultError, FaultPlan, Faults};
use crate::ledger::Ledger;
use crate::rate_limit::Bucket;
use crate::{Catalogue, Latency};

/// Shared by all connections.
pub(crate) struct Shared {
    pub(crate) address: SocketAddr,
    pub(crate) etags: bool,
    /// The whole value of the header that is asked for.
    pub(crate) authorization: Option<String>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) seed: u64,
    pub(crate) catalogue: RwLock<Arc<Catalogue>>,
    pub(crate) plan: RwLock<Arc<FaultPlan>>,
    pub(crate) latency: RwLock<Latency>,
    pub(crate) rate_limit: Option<Bucket>,
}

impl Shared {
    pub(crate) fn catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.catalogue.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn plan(&self) -> Arc<FaultPlan> {
        Arc::clone(&self.plan.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn latency(&self) -> Latency {
        *self.latency.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_latency(&self, latency: Latency) {
        *self.latency.write().unwrap_or_else(PoisonError::into_inner) = latency;
    }

    pub(crate) fn set_faults(&self, faults: Faults) -> Result<(), FaultError> {
        faults.check()?;
        let plan = Arc::new(FaultPlan::new(self.seed, faults));
        *self.plan.write().unwrap_or_else(PoisonError::into_inner) = plan;
        Ok(())
    }

    /// Whether a request for a price is within the limit.
    pub(crate) fn admits(&self) -> bool {
        self.rate_limit.as_ref().is_none_or(|bucket| bucket.admits(Instant::now()))
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits as long as this request is to take.
    pub(crate) async fn delay(&self, plan: &FaultPlan, market: &str, product: &str, attempt: u32) {
        let Latency { fixed, jitter } = self.latency();
        let mut wait = fixed;
        if !jitter.is_zero() {
            let range_us = u64::try_from(jitter.as_micros()).unwrap_or(u64::MAX).saturating_add(1);
            wait += Duration::from_micros(plan.latency_draw(market, product, attempt) % range_us);
        }
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }
}
