//! Credentials that the upstream refuses: the run ends at once with a sentence about the key, and no product is
//! blamed for it; a product that is refused by itself is its own failure.

use std::num::NonZeroUsize;
use std::sync::atomic::Ordering;

use price_cache_domain::{FailureClass, RunFailureClass, RunStatus};
use price_cache_engine::Snapshot;
use price_cache_testkit::ScriptedSource;

use super::harness::{Rig, Setup, counts, failure_of, fault, revoked_after};

fn parallel(source: &ScriptedSource, markets: usize) -> Setup {
    Setup::new(source.clone()).with_options(|options| {
        options.parallel_markets = NonZeroUsize::new(markets).unwrap();
    })
}

/// Starts and waits for the end of the run by its credentials.
async fn refused(rig: &Rig) -> Snapshot {
    rig.start().await;
    let broken = rig.until_status(RunStatus::Error).await;
    let failure = failure_of(&broken);
    assert_eq!((failure.class, failure.retry_at), (RunFailureClass::Credentials, None));
    assert!(failure.message.contains("API key"), "{}", failure.message);
    broken
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_revoked_ends_the_run_and_no_product_is_blamed() {
    let source = ScriptedSource::new().with_numbered("US", 20);
    let key = revoked_after(&source, 3);
    let rig = Setup::new(source.clone()).open().await;
    assert_eq!(counts(&refused(&rig).await, "US"), (20, 3, 0));
    // Five in a row, and once more one that came before.
    assert_eq!((rig.setup.entries().len(), source.requests_total()), (3, 3 + 5 + 1));
    key.store(true, Ordering::SeqCst);
    assert_eq!(counts(&rig.whole_run().await, "US"), (20, 20, 0));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_is_found_out_with_the_first_products_however_few_a_market_has() {
    for (markets, at_once) in [(1, 1), (6, 1), (6, 3), (6, 16)] {
        let mut source = ScriptedSource::new();
        for index in 0..markets {
            source = source.with_numbered(&format!("M{index}"), 2);
        }
        let key = revoked_after(&source, 0);
        let rig = parallel(&source, at_once).open().await;
        refused(&rig).await;
        assert!(rig.setup.entries().is_empty(), "a product is blamed");
        assert!(source.requests_total() <= 5 + at_once as u64, "{} requests", source.requests_total());
        key.store(true, Ordering::SeqCst);
        let done = rig.whole_run().await;
        assert_eq!((done.analytics().successful, done.analytics().failed), (2 * markets, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_revoked_between_small_markets_is_found_out_without_a_failed_product() {
    let mut source = ScriptedSource::new();
    for index in 0..6 {
        source = source.with_numbered(&format!("M{index}"), 2);
    }
    let key = revoked_after(&source, 6);
    let rig = parallel(&source, 1).open().await;
    let broken = refused(&rig).await;
    assert_eq!((broken.analytics().successful, rig.setup.entries().len()), (6, 6));
    key.store(true, Ordering::SeqCst);
    assert_eq!(rig.whole_run().await.analytics().successful, 12);
}

#[tokio::test(start_paused = true)]
async fn products_that_are_refused_among_good_ones_are_failures_of_their_own() {
    for window in [1, 2, 16] {
        let source = ScriptedSource::new().with_numbered("US", 20);
        // Four, then more than blame the key were it not for those that came before, then one at the end.
        let refused = [1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 19];
        for index in refused {
            source.script("US", &format!("p{index:04}"), [Err(fault(FailureClass::Credentials))]);
        }
        let setup = Setup::new(source.clone()).with_options(|options| {
            options.max_unsynced_writes = NonZeroUsize::new(window).unwrap();
        });
        let done = setup.open().await.whole_run().await;
        assert_eq!(counts(&done, "US"), (20, 8, 12));
        assert_eq!(source.requests_total(), 20 + 2, "twice one that came before is asked for again");
        assert_eq!(done.analytics().requests, 20 + 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_small_market_that_is_refused_as_a_whole_does_not_keep_the_others_from_their_end() {
    for at_once in [1, 2] {
        let source =
            ScriptedSource::new().with_numbered("DE", 2).with_numbered("FR", 2).with_numbered("US", 9);
        for index in 0..2 {
            let refusals = vec![Err(fault(FailureClass::Credentials)); 9];
            source.script("FR", &format!("p{index:04}"), refusals);
        }
        let done = parallel(&source, at_once).open().await.whole_run().await;
        assert_eq!((counts(&done, "FR"), counts(&done, "US")), ((2, 0, 2), (9, 9, 0)));
        assert!(source.requests("FR", "p0000") <= 2, "{}", source.requests("FR", "p0000"));
    }
}
