//! Random sequences of everything that can happen, against an oracle. `PRICE_CACHE_CASES` sets how many
//! sequences are tried and `PRICE_CACHE_SEED` the first of their seeds, which a failure names.

mod oracle;
mod world;

use price_cache_domain::FailureClass;
use proptest::prelude::{Just, Strategy, any, prop};
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use self::world::World;
use super::harness::from_environment;

/// Sequences that `cargo test` tries.
const CASES: u64 = 10_000;

const MARKETS: [&str; 3] = ["A", "B", "C"];
const PRODUCTS: [&str; 6] = ["p0", "p1", "p2", "p3", "p4", "p5"];
const CLASSES: [FailureClass; 3] = [FailureClass::NotFound, FailureClass::Timeout, FailureClass::ServerError];

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    Start,
    Stop,
    Reset {
        keep_prices: bool,
    },
    Retry {
        market: Option<usize>,
        class: Option<usize>,
    },
    ClearLogs,
    /// The upstream answers so many requests.
    Answer(u32),
    /// Longer than several automatic retries wait.
    Wait,
    Kill,
    /// Killed while the records of so many answers are on their way.
    KillHolding(u32),
    ShutDown,
    List {
        market: usize,
        products: Vec<usize>,
    },
    Markets(Vec<usize>),
    Upstream {
        market: usize,
        product: usize,
        answer: usize,
    },
    /// Every operation of the store fails from now on.
    StoreFails,
    StoreRecovers,
    /// The next record is refused.
    RefuseOne,
    ListingFails,
}

fn steps() -> impl Strategy<Value = (bool, Vec<Step>)> {
    let market = 0..MARKETS.len();
    let products = prop::collection::vec(0..PRODUCTS.len(), 0..=6);
    let step = prop::strategy::Union::new_weighted(vec![
        (8, Just(Step::Start).boxed()),
        (4, Just(Step::Stop).boxed()),
        (1, any::<bool>().prop_map(|keep_prices| Step::Reset { keep_prices }).boxed()),
        (
            4,
            (prop::option::weighted(0.3, market.clone()), prop::option::weighted(0.3, 0..CLASSES.len()))
                .prop_map(|(market, class)| Step::Retry { market, class })
                .boxed(),
        ),
        (1, Just(Step::ClearLogs).boxed()),
        (14, (1_u32..8).prop_map(Step::Answer).boxed()),
        (3, Just(Step::Wait).boxed()),
        (3, Just(Step::Kill).boxed()),
        (2, (1_u32..4).prop_map(Step::KillHolding).boxed()),
        (2, Just(Step::ShutDown).boxed()),
        (
            2,
            (market.clone(), products).prop_map(|(market, products)| Step::List { market, products }).boxed(),
        ),
        (1, prop::collection::vec(market.clone(), 1..=4).prop_map(Step::Markets).boxed()),
        (
            6,
            (market, 0..PRODUCTS.len(), 0_usize..6)
                .prop_map(|(market, product, answer)| Step::Upstream { market, product, answer })
                .boxed(),
        ),
        (2, Just(Step::StoreFails).boxed()),
        (2, Just(Step::StoreRecovers).boxed()),
        (2, Just(Step::RefuseOne).boxed()),
        (1, Just(Step::ListingFails).boxed()),
    ]);
    (any::<bool>(), prop::collection::vec(step, 1..20))
}

#[test]
fn whatever_happens_in_whatever_order_the_service_is_where_the_oracle_says() {
    let first = from_environment("PRICE_CACHE_SEED", 0);
    for seed in first..first + from_environment("PRICE_CACHE_CASES", CASES) {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let config =
            Config { cases: 1, failure_persistence: None, max_shrink_iters: 4_096, ..Config::default() };
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let result = TestRunner::new_with_rng(config, rng).run(&steps(), |(resume_interrupted, steps)| {
            fastrand::seed(seed);
            let mut world = World::new(resume_interrupted);
            for (index, step) in steps.iter().enumerate() {
                world.step(step);
                world.check(&format!("after step {index}, {step:?}"));
            }
            Ok(())
        });
        if let Err(TestError::Fail(reason, (resume_interrupted, steps))) = result {
            panic!(
                "PRICE_CACHE_SEED={seed} PRICE_CACHE_CASES=1 repeats this: {reason}\n\
                 the shortest sequence found, with resume_interrupted {resume_interrupted}: {steps:#?}"
            );
        }
    }
}
