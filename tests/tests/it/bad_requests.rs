//! Requests that nobody should send: an answer that says what is wrong, and nothing changed.

use anyhow::ensure;
use hyper::Method;
use price_cache_simulator::Catalogue;
use price_cache_tests::Settings;

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_answered_with_the_reason_and_change_nothing() -> anyhow::Result<()> {
    let stage = Stage::new(Catalogue::synthetic(1, 20), &Settings::default()).await?;
    let server = stage.completed().await?;
    let before = server.api.status().await?;
    let cases = [
        (Method::GET, "/nothing", 404, ""),
        (Method::GET, "/api/prices/nowhere", 404, "nowhere"),
        (Method::GET, "/api/prices/M001/nothing", 404, "nothing"),
        (Method::GET, "/api/prices/M001/%", 400, ""),
        (Method::GET, "/api/prices/M001/%zz", 400, ""),
        (Method::GET, "/api/prices/M001/%ff", 400, ""),
        (Method::GET, "/api/prices/M001?limit=-1", 400, "limit"),
        (Method::GET, "/api/prices/M001?limit=0", 400, "limit"),
        (Method::GET, "/api/prices/M001?limit=99999999999999999999", 400, "limit"),
        (Method::GET, "/api/prices/M001?limit=many", 400, "limit"),
        (Method::GET, "/api/prices/M001?colour=red", 400, "colour"),
        (Method::GET, "/api/cache/prices/logs?limit=-1", 400, "limit"),
        (Method::GET, "/api/cache/prices/errors?class=nonsense", 400, "nonsense"),
        (Method::GET, "/api/cache/prices/start", 405, ""),
        (Method::DELETE, "/api/cache/prices/status", 405, ""),
    ];
    for (method, target, status, named) in cases {
        let answer = server.api.ask(method.clone(), target).await?;
        let problem = answer.json()?;
        ensure!(answer.status == status, "{method} {target}: {} {problem}", answer.status);
        ensure!(problem["status"] == status, "{method} {target}: {problem}");
        let told = problem["error"].as_str().unwrap_or_default();
        ensure!(!told.is_empty() && problem["detail"] == told, "{method} {target}: {problem}");
        ensure!(told.contains(named), "{method} {target} does not name {named:?}: {told}");
    }
    let after = server.api.status().await?;
    ensure!(after.json == before.json, "{:#} became {:#}", before.json, after.json);
    ensure!(stage.simulator.ledger().total_requests() == 20, "a GET fetched something");
    Ok(())
}
