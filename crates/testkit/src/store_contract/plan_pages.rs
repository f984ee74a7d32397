//! What a store owes to the pages of a plan.

use price_cache_domain::{PLAN_PAGE_PRODUCTS_MAX, PlanPageKey, ProductId, RunId, Store};

use super::Harness;
use super::samples::{ODD_IDS, done};
use crate::product;

const fn key(run: u64, list: u32, page: u32) -> PlanPageKey {
    PlanPageKey { run: RunId::from_number(run), list, page }
}

fn ids(ids: &[&str]) -> Vec<ProductId> {
    ids.iter().map(|id| product(id)).collect()
}

async fn page(store: &dyn Store, key: PlanPageKey) -> Option<Vec<ProductId>> {
    done("plan_page", store.plan_page(key)).await
}

/// The ids of a page come back in the order in which they were saved, each exactly as it was.
pub async fn plan_pages_keep_their_order(harness: &dyn Harness) {
    let store = harness.open().await;
    let mut odd = ids(&ODD_IDS);
    let mut reversed = odd.clone();
    reversed.reverse();
    done("save_plan_page", store.save_plan_page(key(7, 0, 0), odd.clone())).await;
    done("save_plan_page", store.save_plan_page(key(7, 0, 1), reversed.clone())).await;
    let store = harness.reopen(store).await;
    assert_eq!(page(&*store, key(7, 0, 0)).await.as_ref(), Some(&odd));
    assert_eq!(page(&*store, key(7, 0, 1)).await, Some(reversed));
    odd.push(product("US"));
    done("save_plan_page", store.save_plan_page(key(7, 0, 0), odd.clone())).await;
    assert_eq!(page(&*store, key(7, 0, 0)).await, Some(odd), "an id may come twice");
}

/// A page may be empty, full, and full of ids as long as they may be.
pub async fn plan_pages_of_any_size_come_back(harness: &dyn Harness) {
    let store = harness.open().await;
    let of = |count: usize, length: usize| -> Vec<ProductId> {
        (0..count).map(|index| product(&format!("{index:0>length$}"))).collect()
    };
    let pages = [
        (key(1, 0, 0), Vec::new()),
        (key(1, 0, 1), of(1, 1)),
        (key(1, 0, 2), of(PLAN_PAGE_PRODUCTS_MAX, 20)),
        (key(1, u32::MAX, u32::MAX), of(PLAN_PAGE_PRODUCTS_MAX, 512)),
        (key(u64::MAX, 0, 0), of(3, 500)),
    ];
    for (key, products) in &pages {
        done("save_plan_page", store.save_plan_page(*key, products.clone())).await;
    }
    let store = harness.reopen(store).await;
    for (key, products) in pages {
        assert_eq!(page(&*store, key).await, Some(products), "{key:?}");
    }
}

/// A page that is saved again takes the place of the earlier one, also when it is much smaller.
pub async fn plan_pages_are_replaced(harness: &dyn Harness) {
    let store = harness.open().await;
    let large: Vec<ProductId> = (0..500).map(|index| product(&format!("{index:0>300}"))).collect();
    for products in [large, ids(&["only"]), Vec::new(), ids(&["x", "y"])] {
        done("save_plan_page", store.save_plan_page(key(7, 1, 0), products.clone())).await;
        assert_eq!(page(&*store, key(7, 1, 0)).await, Some(products));
    }
    let store = harness.reopen(store).await;
    assert_eq!(page(&*store, key(7, 1, 0)).await, Some(ids(&["x", "y"])), "after reopening");
}

/// A page that was never saved is `None`, also beside pages that were.
pub async fn a_missing_plan_page_is_none(harness: &dyn Harness) {
    let store = harness.open().await;
    assert_eq!(page(&*store, key(7, 0, 0)).await, None);
    done("save_plan_page", store.save_plan_page(key(7, 1, 1), ids(&["a"]))).await;
    for missing in [key(7, 1, 0), key(7, 1, 2), key(7, 0, 1), key(7, 2, 1), key(6, 1, 1), key(8, 1, 1)] {
        assert_eq!(page(&*store, missing).await, None, "{missing:?}");
    }
}

/// The pages of every run but the one named go; with none named, all go.
pub async fn dropping_plans_keeps_the_one_named(harness: &dyn Harness) {
    let store = harness.open().await;
    let runs = [0_u64, 1, 255, 256, u64::MAX];
    for run in runs {
        for number in 0..3 {
            done("save_plan_page", store.save_plan_page(key(run, number, number), ids(&["a"]))).await;
        }
    }
    done("drop_plans_except", store.drop_plans_except(Some(RunId::from_number(255)))).await;
    let store = harness.reopen(store).await;
    for run in runs {
        for number in 0..3 {
            let found = page(&*store, key(run, number, number)).await.is_some();
            assert_eq!(found, run == 255, "run {run}, page {number}");
        }
    }
    done("drop_plans_except", store.drop_plans_except(None)).await;
    assert_eq!(page(&*store, key(255, 0, 0)).await, None);
    done("drop_plans_except", store.drop_plans_except(None)).await;
}
