//! Mends what an examination found: first what cannot be read, then what contradicts itself.

use std::path::PathBuf;

use anyhow::Context;
use price_cache_domain::{RecordKey, StoreMaintenance};
use price_cache_engine::{Audit, Remedy, forgotten, reopened};
use serde::Serialize;

use super::examination::Examination;

/// Steps of a repair; each takes a thousand records out, or changes the run.
const STEPS_MAX: u32 = 1_000;

/// What was done so far.
#[derive(Debug, Default, Serialize)]
pub(super) struct Repair {
    /// A sentence for each thing that was done.
    pub(super) mended: Vec<String>,
    /// Where the records are that were taken out.
    pub(super) set_aside: Option<PathBuf>,
    #[serde(skip)]
    steps: u32,
}

impl Repair {
    /// Begins with what opening the store has mended already.
    pub(super) fn of(store: &dyn StoreMaintenance) -> Self {
        Self { mended: store.rebuilt().into_iter().collect(), ..Self::default() }
    }

    /// Takes one step, after which the store is to be examined again; false when there is nothing left that could be done.
    pub(super) async fn mend(
        &mut self,
        store: &dyn StoreMaintenance,
        found: &Examination,
    ) -> anyhow::Result<bool> {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return Ok(false);
        }
        let unreadable: Vec<_> = found.records.problems.iter().filter(|problem| !problem.is_newer).collect();
        if !unreadable.is_empty() {
            let keys: Vec<RecordKey> = unreadable.iter().map(|problem| problem.key.clone()).collect();
            let is_run_lost = keys.contains(&RecordKey::Run);
            self.take_out(store, keys).await?;
            self.mended.extend(unreadable.iter().map(|problem| format!("{} was set aside", problem.record)));
            if is_run_lost {
                store
                    .save_run(forgotten(found.records.latest_run)?)
                    .await
                    .context("could not store the state")?;
                self.mended.push("the state is IDLE, and every price is kept".to_owned());
            }
            return Ok(true);
        }
        if found.records.loss.is_some() {
            store.accept_loss().await.context("could not take note of what is missing")?;
            self.mended.push("what is missing or too old is not expected any more".to_owned());
            return Ok(true);
        }
        match &found.audit {
            Ok(audit) => self.mend_run(store, audit).await,
            Err(_) => Ok(false),
        }
    }

    async fn mend_run(&mut self, store: &dyn StoreMaintenance, audit: &Audit) -> anyhow::Result<bool> {
        let remedies: Vec<Remedy> = audit.problems.iter().map(|problem| problem.remedy()).collect();
        if remedies.is_empty() {
            return Ok(false);
        }
        let run = store.load_run().await?;
        let taken_out: Vec<_> = remedies
            .iter()
            .filter_map(|remedy| match remedy {
                Remedy::TakeOut(market, product) => Some((market, product)),
                Remedy::ForgetRun | Remedy::ReopenRun | Remedy::WithTheOthers => None,
            })
            .collect();
        let is_only_counters = remedies.iter().all(|remedy| *remedy == Remedy::WithTheOthers);
        if is_only_counters || remedies.contains(&Remedy::ForgetRun) {
            self.take_out(store, vec![RecordKey::Run]).await?;
            store.save_run(forgotten(run.latest_id())?).await.context("could not store the state")?;
            self.mended.push("the run was set aside; the state is IDLE, and every price is kept".to_owned());
        } else if !taken_out.is_empty() {
            let keys = taken_out.iter().map(|(market, product)| store.entry_key(market, product)).collect();
            self.take_out(store, keys).await?;
            self.mended.extend(taken_out.iter().map(|(market, product)| {
                format!("the entry of product {product:?} in market {market:?} was set aside")
            }));
        } else {
            store.save_run(reopened(&run)?).await.context("could not store the state")?;
            self.mended.push("the run is PAUSED and goes on with what is missing".to_owned());
        }
        Ok(true)
    }

    async fn take_out(&mut self, store: &dyn StoreMaintenance, keys: Vec<RecordKey>) -> anyhow::Result<()> {
        let file =
            store.set_aside(keys, self.set_aside.take()).await.context("could not set records aside")?;
        self.set_aside = Some(file);
        Ok(())
    }
}
