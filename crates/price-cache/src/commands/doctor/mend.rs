//! Mends a store step by step.

use price_cache_domain::StoreMaintenance;

use super::examination::Examination;
use super::repair::Repair;

/// Mends what can be mended in a store that was rebuilt.
pub(crate) async fn mend_all(store: &dyn StoreMaintenance) -> anyhow::Result<()> {
    let mut examination = Examination::of(store).await?;
    for mended in mend(store, &mut examination).await?.mended {
        tracing::warn!("{mended}");
    }
    Ok(())
}

/// Mends step by step, and leaves in `examination` how the store is after the last one.
pub(super) async fn mend(
    store: &dyn StoreMaintenance,
    examination: &mut Examination,
) -> anyhow::Result<Repair> {
    let mut repair = Repair::of(store);
    while repair.mend(store, examination).await? {
        *examination = Examination::of(store).await?;
    }
    Ok(repair)
}
