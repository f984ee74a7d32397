//! Configurations that cannot be used: exit code 2, and a message that names file, line and key.

use std::net::TcpListener;

use anyhow::ensure;
use price_cache_tests::sources::Source;
use price_cache_tests::{Finished, Scene, Settings};

/// A good one to spoil.
fn good() -> String {
    let source = Source::rest("http://127.0.0.1:9");
    format!(
        "{source}\n[run]\nparallel_markets = 2\n\n[server]\nlisten = \"127.0.0.1:0\"\n\n[storage]\npath = \"data\"\n"
    )
}

/// The line on which a text stands, from 1.
fn line_of(config: &str, text: &str) -> usize {
    config.lines().take_while(|line| !line.contains(text)).count() + 1
}

/// Every program must refuse it alike, before it touches anything.
async fn refused(scene: &Scene, config: &str, told: &[&str]) -> anyhow::Result<()> {
    scene.write_config(config)?;
    let check = scene.run(&["config", "check"]).await?;
    let run = scene.run(&["run"]).await?;
    let _ = std::fs::remove_file(scene.path("failing.stderr"));
    let server = scene.failing_server().await?;
    for finished in [check, run, server] {
        let Finished { code, stdout, stderr } = finished;
        ensure!(code == Some(2), "the exit code is {code:?}: {stderr}");
        ensure!(stdout.is_empty(), "data on stdout: {stdout}");
        for text in told {
            ensure!(stderr.contains(text), "{text:?} is not in: {stderr}");
        }
        ensure!(!stderr.contains("panicked"), "{stderr}");
    }
    ensure!(!scene.path("data").exists(), "a store was made");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_is_reported_with_file_line_and_key() -> anyhow::Result<()> {
    let scene = Scene::empty()?;
    let spoil = |from: &str, to: &str| (good().replace(from, to), to.to_owned());
    let cases = [
        (spoil("[run]", "[run"), ""),
        (spoil("parallel_markets = 2", "paralel_markets = 2"), "paralel_markets"),
        (spoil("parallel_markets = 2", "parallel_markets = \"two\""), "parallel_markets"),
        (spoil("parallel_markets = 2", "parallel_markets = 0"), "parallel_markets"),
        (spoil("parallel_markets = 2", "parallel_markets = 100000"), "run.parallel_markets"),
        (spoil("currency = \"$.currency\"", "currency = \"$.[currency\""), "source.price.currency"),
        (spoil("amount = \"$.amount\"", "amount = \"$[\""), "source.price.amount"),
        (spoil("base_url = \"http://127.0.0.1:9\"", "base_url = \"ftp://shop\""), "source.base_url"),
        (spoil("listen = \"127.0.0.1:0\"", "listen = \"0.0.0.0:4680\""), "server.listen"),
        (spoil("listen = \"127.0.0.1:0\"", "listen = \"nowhere\""), "listen"),
        (spoil("style = \"page\"", "style = \"pages\""), "pages"),
    ];
    for ((config, spoiled), key) in &cases {
        let line = line_of(config, spoiled);
        scene.write_config(config)?;
        let check = scene.run(&["config", "check"]).await?;
        let path = scene.path("price-cache.toml").display().to_string();
        // Either as `file:line:column` or as TOML itself says it.
        let is_placed = check.stderr.contains(&format!("{path}:{line}:"))
            || check.stderr.contains(&path) && check.stderr.contains(&format!("line {line},"));
        ensure!(is_placed, "line {line} is not named for {spoiled:?}: {}", check.stderr);
        refused(&scene, config, &[&path, key]).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn several_mistakes_are_reported_at_once() -> anyhow::Result<()> {
    let scene = Scene::empty()?;
    let config = good()
        .replace("amount = \"$.amount\"", "amount = \"$[\"")
        .replace("listen = \"127.0.0.1:0\"", "listen = \"0.0.0.0:1\"");
    refused(&scene, &config, &["source.price.amount", "server.listen", "loopback"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_part_is_named() -> anyhow::Result<()> {
    let scene = Scene::empty()?;
    refused(&scene, "[run]\nparallel_markets = 2\n", &["source"]).await?;
    refused(&scene, &good().replace("currency = \"$.currency\"\n", ""), &["currency"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unset_secret_is_named_with_its_place() -> anyhow::Result<()> {
    let scene = Scene::empty()?;
    let header = "headers = { Authorization = \"Bearer ${SHOP_API_KEY}\" }";
    let config = good().replace("[source.markets]", &format!("{header}\n\n[source.markets]"));
    let place = format!("price-cache.toml:{}:", line_of(&config, "SHOP_API_KEY"));
    refused(&scene, &config, &["SHOP_API_KEY", "not set", &place]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_file_comes_with_the_way_to_make_one() -> anyhow::Result<()> {
    let scene = Scene::empty()?;
    for finished in [scene.run(&["config", "check"]).await?, scene.failing_server().await?] {
        let told = finished.expect(2)?.stderr;
        ensure!(told.contains("price-cache.toml") && told.contains("config init"), "{told}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_override_names_the_variable() -> anyhow::Result<()> {
    for value in ["many", "0", "100000"] {
        let mut scene = Scene::empty()?;
        scene.set("PRICE_CACHE__RUN__PARALLEL_MARKETS", value);
        refused(&scene, &good(), &["PRICE_CACHE__RUN__PARALLEL_MARKETS"]).await?;
    }
    let mut scene = Scene::empty()?;
    scene.set("PRICE_CACHE__RUN__NO_SUCH_KEY", "1");
    refused(&scene, &good(), &["PRICE_CACHE__RUN__NO_SUCH_KEY"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_said_in_one_sentence() -> anyhow::Result<()> {
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    let settings = Settings { listen: address.clone(), ..Settings::default() };
    let scene = Scene::new(&Source::rest("http://127.0.0.1:9").to_string(), &settings)?;
    let told = scene.failing_server().await?.expect(1)?;
    ensure!(told.stderr.contains(&address) && told.stderr.contains("server.listen"), "{}", told.stderr);
    ensure!(told.stderr.lines().count() == 1, "{}", told.stderr);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_of_config_init_is_fine_and_is_not_overwritten() -> anyhow::Result<()> {
    let scene = Scene::empty()?;
    scene.run(&["config", "init"]).await?.expect(0)?;
    scene.run(&["config", "check"]).await?.expect(0)?;
    let again = scene.run(&["config", "init"]).await?.expect(1)?;
    ensure!(again.stderr.contains("exists already") && again.stderr.contains("--force"), "{}", again.stderr);
    scene.run(&["config", "init", "--force"]).await?.expect(0)?;
    let schema = scene.run(&["config", "schema"]).await?.expect(0)?;
    let schema: serde_json::Value = serde_json::from_str(&schema.stdout)?;
    ensure!(schema["properties"]["source"].is_object(), "{schema:#}");
    Ok(())
}
