//! The self-test of the product: its verdict on a program that keeps its promises, on one that does not, and its end
//! when somebody presses Ctrl-C.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, ensure};
use price_cache_selftest::{Profile, Promise, SelfTest};
use price_cache_simulator::Latency;
use price_cache_tests::{PATIENCE, Scene, Signal, eventually, kills};
use serde_json::Value;

/// What a self-test left below a folder.
fn left_in(folder: &Path) -> anyhow::Result<Vec<String>> {
    let items = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    Ok(items.iter().map(|item| item.file_name().to_string_lossy().into_owned()).collect())
}

/// A scene whose programs make their temporary folders in one of its own.
fn scene() -> anyhow::Result<(Scene, std::path::PathBuf)> {
    let mut scene = Scene::empty()?;
    let temporary = scene.path("temporary");
    fs::create_dir(&temporary)?;
    scene.set("TMPDIR", &temporary.to_string_lossy());
    Ok((scene, temporary))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_selftest_of_a_good_program_says_that_every_promise_was_kept() -> anyhow::Result<()> {
    let (scene, temporary) = scene()?;
    let done = scene.run(&["selftest", "--kills", "5", "--seed", "1", "--json"]).await?.expect(0)?;
    for line in
        ["kept      every promise", "repeat    price-cache selftest --kills 5 --seed 1", "lost      0"]
    {
        ensure!(done.stderr.contains(line), "{line:?} is missing: {}", done.stderr);
    }
    let figures: Value = serde_json::from_str(&done.stdout)?;
    ensure!(figures["verdict"] == "kept" && figures["kills"] == 5 && figures["seed"] == 1, "{figures:#}");
    ensure!(figures["kills_starting"].as_u64().is_some_and(|kills| kills >= 1), "{figures:#}");
    for nothing in ["dead", "lost", "twice", "skipped"] {
        ensure!(figures[nothing] == 0, "{figures:#}");
    }
    let number = |name: &str| figures[name].as_u64().with_context(|| format!("no {name} in {figures:#}"));
    ensure!(number("requests")? == number("pairs")? + number("requests_again")?, "{figures:#}");
    ensure!(left_in(&temporary)?.is_empty(), "{:?} is left", left_in(&temporary)?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_as_many_kills_as_asked_for_also_where_runs_are_over_too_soon() -> anyhow::Result<()> {
    // One product that comes at once: hardly a kill finds the run under way, and never ten of them the same one.
    let test = SelfTest {
        profile: Profile::Walks,
        markets: 1,
        products_min: 1,
        products_per_kill: 0,
        latency: Latency::default(),
        ..kills::of_seed(10, 3)?
    };
    let figures = test.run(&mut |_| ()).await?;
    ensure!(figures.kills == 10 && figures.runs > 1 && figures.pairs == figures.runs, "{figures}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_selftest_of_a_program_that_forgets_says_so_and_keeps_the_folder() -> anyhow::Result<()> {
    let good = kills::of_seed(12, 4)?;
    // From its fifth start on, the server finds an empty store.
    let scene = Scene::empty()?;
    let forgetful = scene.path("forgetful");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *serve) echo >> starts; [ $(wc -l < starts) -lt 5 ] || rm -rf data;; esac\n\
         exec '{}' \"$@\"\n",
        good.executable.display()
    );
    fs::write(&forgetful, script)?;
    fs::set_permissions(&forgetful, fs::Permissions::from_mode(0o755))?;
    let test = SelfTest { executable: forgetful, ..good };
    let failed = test.run(&mut |_| ()).await.err().context("a server that forgets passed")?;
    let broken = failed.broken().with_context(|| format!("another reason: {failed}"))?;
    ensure!(matches!(broken.promise, Promise::NothingTakenBack | Promise::GoesOn), "{failed}");
    let folder = failed.folder.clone().context("no folder was kept")?;
    ensure!(folder.join("run-1/programs.stderr").is_file(), "the log is not there");
    failed.discard();
    ensure!(!folder.exists(), "the folder is still there");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_selftest_ends_its_programs_and_leaves_nothing() -> anyhow::Result<()> {
    let (scene, temporary) = scene()?;
    let started = scene.start(&["selftest", "--kills", "1000", "--seed", "2"])?;
    let log = || Some(temporary.join(left_in(&temporary).ok()?.first()?).join("run-1/programs.stderr"));
    // A server that says it is ready is a child of it.
    eventually("a server of the self-test", PATIENCE, async || {
        let log = log().and_then(|log| fs::read_to_string(log).ok());
        Ok(log.filter(|log| log.contains("ready")).map(drop))
    })
    .await?;
    let folder = temporary.join(left_in(&temporary)?.first().context("no folder")?);
    started.signal(Signal::Interrupt)?;
    let ended = scene.end(started).await?.expect(130)?;
    ensure!(ended.stderr.contains("interrupted"), "{}", ended.stderr);
    ensure!(left_in(&temporary)?.is_empty(), "{:?} is left", left_in(&temporary)?);
    eventually("the end of its programs", PATIENCE, async || Ok((!works_in(&folder)?).then_some(()))).await
}

/// Whether any process has a folder below this one as its own.
fn works_in(folder: &Path) -> anyhow::Result<bool> {
    for process in fs::read_dir("/proc")?.flatten() {
        if fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder)) {
            return Ok(true);
        }
    }
    Ok(false)
}
