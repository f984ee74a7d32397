//! Secrets of the environment appear in nothing that the programs write, show or keep.

use std::fs;
use std::path::Path;

use anyhow::ensure;
use price_cache_simulator::{Catalogue, FaultKind, Faults, FixedFault, Options};
use price_cache_tests::Settings;
use price_cache_tests::sources::Source;

use crate::stage::Stage;

/// With characters that are written differently in headers, URLs and JSON.
const HEADER_SECRET: &str = "header+secret/4711==";
const QUERY_SECRET: &str = "query secret&\"0815\"";
/// Parts that no encoding changes.
const TRACES: [&str; 4] = ["4711", "0815", "header+secret", "query secret"];

fn clean(what: &str, text: &str) -> anyhow::Result<()> {
    for trace in TRACES {
        ensure!(!text.contains(trace), "{what} shows {trace:?}: {text}");
    }
    Ok(())
}

/// Every file below a folder, as bytes.
fn clean_folder(folder: &Path) -> anyhow::Result<()> {
    for item in fs::read_dir(folder)? {
        let path = item?.path();
        if path.is_dir() {
            clean_folder(&path)?;
        } else {
            clean(&path.display().to_string(), &String::from_utf8_lossy(&fs::read(&path)?))?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_in_no_log_error_status_dump_or_store() -> anyhow::Result<()> {
    let faults = [FaultKind::Html, FaultKind::Reset, FaultKind::Status(500), FaultKind::Status(404)];
    let faults = faults.into_iter().zip(1..);
    let faults = faults.map(|(kind, number)| FixedFault::pair("M001", &format!("product-{number:07}"), kind));
    let options = Options {
        bearer_token: Some(HEADER_SECRET.to_owned()),
        faults: Faults::always(faults),
        ..Options::new(Catalogue::synthetic(2, 20))
    };
    let mut stage = Stage::with(options, &Settings::default()).await?;
    stage.scene.set("HEADER_SECRET", HEADER_SECRET);
    stage.scene.set("QUERY_SECRET", QUERY_SECRET);
    let source = Source::rest(&stage.simulator.base_url())
        .headers("{ Authorization = \"Bearer ${HEADER_SECRET}\" }")
        .price_query("?key=${QUERY_SECRET}")
        .more("\n[source.purge]\nurl = \"/cdn/{market}/{product}?key=${QUERY_SECRET}\"\n\n[log]\nlevel = \"debug\"\n");
    stage.scene.configure(&source.to_string(), &Settings::default())?;

    for command in [&["config", "check"][..], &["plan"]] {
        let finished = stage.scene.run(command).await?.expect(0)?;
        clean(&format!("{command:?}"), &finished.stdout)?;
    }
    for command in [&["probe"][..], &["probe", "--json"]] {
        let probe = stage.scene.run(command).await?.expect(1)?;
        ensure!(probe.stdout.contains("***"), "that there is a secret is shown: {}", probe.stdout);
        clean("probe", &probe.stdout)?;
    }

    let server = stage.completed().await?;
    let status = server.api.status().await?;
    ensure!(status.completed() == 40 && status.failed() == 4, "the secrets arrive: {:#}", status.json);
    for target in [
        "/api/cache/prices/status",
        "/api/cache/prices/logs?limit=1000",
        "/api/cache/prices/errors",
        "/api/prices",
        "/api/prices/M001",
        "/api/prices/M001/product-0000001",
    ] {
        clean(target, &server.api.ask(hyper::Method::GET, target).await?.text())?;
    }
    let url = server.api.url();
    stage.scene.run(&["dump", "dumped", "--server", &url]).await?.expect(0)?;
    clean_folder(&stage.scene.path("dumped"))?;

    // An upstream that refuses the credentials is where a message is most tempted to show them.
    stage.scene.set("HEADER_SECRET", &format!("wrong-{HEADER_SECRET}"));
    ensure!(server.terminate().await? == Some(0), "it ends well");
    let server = stage.scene.server().await?;
    server.api.start().await?;
    let failed = server.api.state("ERROR").await?;
    let message = failed.error_message.unwrap_or_default();
    ensure!(message.contains("API key") && message.contains("401"), "what to do: {message}");
    clean("the status", &failed.json.to_string())?;
    ensure!(server.terminate().await? == Some(0), "it ends well");
    clean("stderr", &stage.scene.stderr())?;
    clean_folder(&stage.scene.path("data"))
}
