//! What failing requests may cost: retries within the run's budget, and patience with an upstream that
//! asks for it.

use std::time::Duration;

use price_cache_domain::FailureClass;
use price_cache_testkit::ScriptedSource;
use tokio::time::Instant;

use super::harness::{Setup, counts, fault, limited};

#[tokio::test(start_paused = true)]
async fn an_outage_is_met_with_a_tenth_more_load_at_most_and_the_start_balance() {
    let source = ScriptedSource::new().with_numbered("US", 2_000);
    source.set_default(|_, _, _, _| Err(fault(FailureClass::ServerError)));
    let done = Setup::new(source.clone()).without_parking().open().await.whole_run().await;
    assert_eq!(counts(&done, "US"), (2_000, 0, 2_000));
    // 20 retries at the start, two that the answers with lists earned, and the end-of-market retry that ends with the
    // first product that fails again.
    assert_eq!(source.requests_total(), 2_000 + 20 + 2 + 1);
    assert!(done.markets[0].retries_denied >= 1_980, "{}", done.markets[0].retries_denied);
}

#[tokio::test(start_paused = true)]
async fn a_product_that_the_budget_did_not_reach_says_so() {
    let source = ScriptedSource::new().with_market("US", &["a"]);
    source.script("US", "a", [Err(fault(FailureClass::Timeout))]);
    let setup = Setup::new(source).with_options(|options| options.retry.budget_start = 0);
    let rig = setup.without_end_of_market_retry().open().await;
    let done = rig.whole_run().await;
    let entries = rig.setup.entries();
    let outcome = &entries[&("US".to_owned(), "a".to_owned())].outcome;
    let failure = outcome.attempts.failure().unwrap();
    assert_eq!((failure.class(), done.markets[0].retries_denied), (FailureClass::Timeout, 1));
    assert!(failure.message().contains("the retry budget is empty"), "{}", failure.message());
}

#[tokio::test(start_paused = true)]
async fn what_came_pays_for_a_tenth_of_retries() {
    let source = ScriptedSource::new().with_numbered("US", 1_000);
    // Every fifth product fails once: twice as often as the budget pays for.
    for index in (0..1_000).step_by(5) {
        source.script("US", &format!("p{index:04}"), [Err(fault(FailureClass::Transport))]);
    }
    let setup = Setup::new(source.clone()).without_end_of_market_retry();
    let done = setup.open().await.whole_run().await;
    let retries = source.requests_total() - 1_000;
    assert!((100..=120).contains(&retries), "{retries}");
    assert_eq!(done.markets[0].progress.failed(), done.markets[0].retries_denied);
}

#[tokio::test(start_paused = true)]
async fn a_rate_limited_answer_uses_up_no_attempt() {
    let source = ScriptedSource::new().with_market("US", &["a"]);
    let later = || Err(limited(Duration::from_secs(2)));
    let broken = || Err(fault(FailureClass::ServerError));
    let answers = [later(), later(), broken(), later(), later(), later(), broken(), later()];
    source.script("US", "a", answers);
    let done = Setup::new(source.clone()).open().await.whole_run().await;
    assert_eq!((counts(&done, "US"), source.requests_total()), ((1, 1, 0), 9));
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_asks_for_patience_forever_gets_five_minutes_of_it() {
    let source = ScriptedSource::new().with_market("US", &["a", "b"]);
    source.script("US", "a", vec![Err(limited(Duration::from_secs(50))); 1_000]);
    let rig = Setup::new(source.clone()).without_end_of_market_retry().open().await;
    let begun = Instant::now();
    let done = rig.whole_run().await;
    let took = begun.elapsed();
    assert_eq!((counts(&done, "US"), source.requests("US", "a")), ((2, 1, 1), 6));
    assert!(took >= Duration::from_secs(250) && took < Duration::from_secs(310), "{took:?}");
}
