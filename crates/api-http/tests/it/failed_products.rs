//! The failed products of a run: filters and pages.

use price_cache_domain::{FailureClass, Fault, RunStatus};
use price_cache_testkit::ScriptedSource;
use serde_json::Value;

use crate::price_lists::encoded;
use crate::world::{World, not_found};

const PATH: &str = "/api/cache/prices/errors";

/// Three markets with odd names: every product of the first and last has failed, none of the other.
async fn failing() -> World {
    let odd = ["1", "a/b ", "c?d&e", "f~g_h%20", "Größe"];
    let source =
        ScriptedSource::new().with_market("u~k", &odd).with_market("at", &["1"]).with_market("de/ch", &odd);
    source.set_default(|market, product, _, _| {
        if market.as_str() == "at" {
            return Ok(price_cache_testkit::quote("1", "EUR"));
        }
        match product.as_str() {
            "1" => Err(Fault::new(FailureClass::Rejected, "not for sale here").with_status(400)),
            "Größe" => Err(Fault::new(FailureClass::InvalidAnswer, "the answer is not JSON")),
            _ => Err(not_found()),
        }
    });
    let world = World::new(source).await;
    world.run_to_the_end().await;
    world
}

fn pairs(page: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let failed = page["errors"].as_array().unwrap();
    failed.iter().map(|one| (text(&one["market"]), text(&one["product"]))).collect()
}

#[tokio::test]
async fn an_entry_says_everything_about_its_failure() {
    let world = failing().await;
    let page = world.run("/errors?market=u~k&class=rejected").await.ok(200);
    assert_eq!(
        page,
        serde_json::json!({
            "errors": [{
                "market": "u~k",
                "product": "1",
                "class": "rejected",
                "message": "not for sale here",
                "attempts": 1,
                "last_status_code": 400,
                "at": "2026-01-01T00:00:00.000Z",
            }],
            "next": null,
            "classes": {"not_found": 3, "rejected": 1, "invalid_answer": 1},
        })
    );
    let page = world.run("/errors?class=invalid_answer").await.ok(200);
    assert_eq!(pairs(&page).len(), 2);
    assert!(page["errors"][0]["last_status_code"].is_null() && page["errors"][0]["attempts"].is_u64());
    assert_eq!(pairs(&world.run("/errors?class=timeout").await.ok(200)), []);
    assert_eq!(pairs(&world.run("/errors?market=at").await.ok(200)), []);
    assert_eq!(pairs(&world.run("/errors?market=de%2Fch").await.ok(200)).len(), 5);
}

#[tokio::test]
async fn classes_count_every_failed_product_of_the_markets_asked_for() {
    let world = failing().await;
    let classes = async |query: &str| world.run(&format!("/errors{query}")).await.ok(200)["classes"].clone();
    let all = serde_json::json!({"not_found": 6, "rejected": 2, "invalid_answer": 2});
    assert_eq!(classes("").await, all);
    assert_eq!(classes("?limit=1&class=timeout").await, all, "neither the page nor the class narrows it");
    let one = serde_json::json!({"not_found": 3, "rejected": 1, "invalid_answer": 1});
    assert_eq!(classes("?market=de%2Fch").await, one);
    assert_eq!(classes("?market=at").await, serde_json::json!({}));
}

#[tokio::test]
async fn pages_walk_every_failed_product_once() {
    let world = failing().await;
    let all = pairs(&world.run("/errors?limit=500").await.ok(200));
    assert_eq!(all.len(), 10);
    assert_eq!((all[0].0.as_str(), all[9].0.as_str()), ("u~k", "de/ch"), "markets in the order of the run");
    // A cursor means the same whether a client encodes it or not.
    let spellings: [fn(&str) -> String; 2] = [encoded, str::to_owned];
    for (limit, spelled) in [1, 3, 5, 9, 10, 11].into_iter().zip(spellings.into_iter().cycle()) {
        let (mut after, mut seen, mut pages) = (String::new(), Vec::new(), 0);
        loop {
            let page = world.run(&format!("/errors?limit={limit}{after}")).await.ok(200);
            seen.extend(pairs(&page));
            pages += 1;
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={}", spelled(next));
        }
        assert_eq!(seen, all, "limit {limit}");
        assert_eq!(pages, 10_usize.div_ceil(limit), "no page is asked for in vain");
    }
}

#[tokio::test]
async fn a_page_goes_on_where_it_was_though_its_market_was_mended() {
    let world = failing().await;
    let first = world.run("/errors?limit=2").await.ok(200);
    let next = first["next"].as_str().unwrap().to_owned();
    world.source.set_default(|_, _, _, _| Ok(price_cache_testkit::quote("1", "EUR")));
    world.post("/retry-failed?market=u~k").await.ok(202);
    world.sees(|now| now.run.status() == RunStatus::Completed && now.analytics().failed == 5).await;
    let rest = pairs(&world.run(&format!("/errors?after={next}")).await.ok(200));
    assert_eq!(rest.len(), 5);
    assert!(rest.iter().all(|(market, _)| market == "de/ch"), "{rest:?}");
    // A filter that has nothing after the cursor gives nothing, not the beginning again.
    let last = world.run("/errors?limit=1").await.ok(200)["next"].as_str().unwrap().to_owned();
    let before = world.run(&format!("/errors?market=u~k&after={last}")).await.ok(200);
    assert_eq!(pairs(&before), []);
}

#[tokio::test]
async fn a_cursor_of_another_run_is_told_apart() {
    let world = failing().await;
    let next = world.run("/errors?limit=1").await.ok(200)["next"].as_str().unwrap().to_owned();
    world.post("/reset").await.ok(200);
    let detail = world.run(&format!("/errors?after={next}")).await.problem(404, PATH);
    assert!(detail.contains("begin again"), "{detail}");
    assert_eq!(
        world.run("/errors").await.ok(200),
        serde_json::json!({"errors": [], "next": null, "classes": {}})
    );
}
