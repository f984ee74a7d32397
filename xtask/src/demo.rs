//! `demo`: the main job on real prices. Starts a simulated pricing API with faults switched on and the
//! real server, walks 12 markets, shows progress, and ends with a summary and a request to try.
//! Ctrl-C pauses; the same command resumes.

pub(crate) mod processes;
mod summary;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::signal::ctrl_c;

use self::processes::{Child, price_cache, status};
use self::summary::Observed;
use crate::configuration;
use crate::shell::{self, cargo};

/// Real Azure regions and VM sizes; twelve markets of up to 900 products.
const SIMULATOR: [&str; 10] =
    ["--data-set", "azure-vm", "--markets", "12", "--products", "900", "--seed", "2026", "--latency-ms", "6"];
/// Faults per thousand: passing ones that a retry overcomes, and some products that always fail.
const FAULTS: [&str; 7] = [
    "--fault",
    "status:503=15",
    "reset=5",
    "bad-json=5",
    "rate-limited-seconds:1=1",
    "permanent/status:404=3",
    "permanent/null-price=2",
];
/// Where the server listens when nobody else does.
const PORT: u16 = 4680;
/// How often the run is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

pub(crate) fn run() -> Result<()> {
    // As the tests build them, so that nothing is compiled a second time.
    shell::run(cargo(&["build", "--workspace", "--bins"]))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(demo())
}

fn folder() -> PathBuf {
    shell::target().join("demo")
}

async fn demo() -> Result<()> {
    let (simulator, upstream) = Child::simulator(SIMULATOR.iter().chain(&FAULTS)).await?;
    let config = configure(&upstream)?;
    let (server, url) = Child::server(&config).await?;
    shell::say(&format!(
        "\nThe pricing API:  {upstream}  (real Azure VM prices, faults switched on)\n\
         The price cache:  {url}  (its data is in {})\n\
         Ctrl-C pauses, the same command resumes.\n",
        folder().display()
    ));
    let mut observed = Observed::default();
    let end = tokio::select! {
        end = walk(&url, &mut observed) => end.map(|()| true),
        _ = ctrl_c() => Ok(false),
    };
    if end? {
        summary::print(&url, &observed).await?;
        stay(&config).await;
    } else {
        shell::say("\npausing; `cargo xtask demo` goes on from here");
    }
    server.end().await;
    simulator.end().await;
    Ok(())
}

/// The configuration of the demo, for these addresses.
fn configure(upstream: &str) -> Result<PathBuf> {
    let folder = folder();
    fs::create_dir_all(&folder).context("could not make the folder of the demo")?;
    let free = std::net::TcpListener::bind(("127.0.0.1", PORT)).is_ok();
    let port = if free { PORT } else { 0 };
    let server = format!("listen = \"127.0.0.1:{port}\"");
    let run = "parallel_markets = 4";
    let text = configuration::of_simulator("demo", upstream, &folder.join("data"), run, &server);
    let path = folder.join("price-cache.toml");
    fs::write(&path, text).context("could not write the configuration of the demo")?;
    Ok(path)
}

/// Starts or resumes the run and shows it until it is complete.
async fn walk(url: &str, observed: &mut Observed) -> Result<()> {
    let before = status(url).await?;
    // A run that was interrupted goes on by itself.
    let is_running = before["current_state"]["status"] == "PROCESSING";
    let watch: &[&str] = if is_running { &["status", "--watch"] } else { &["start", "--watch"] };
    let mut watching = price_cache(url, watch).spawn()?;
    loop {
        tokio::select! {
            ended = watching.wait() => {
                ended?;
                break;
            }
            () = tokio::time::sleep(LOOK_INTERVAL) => observed.look(&status(url).await?),
        }
    }
    let after = status(url).await?;
    observed.look(&after);
    match after["current_state"]["status"].as_str() {
        Some("COMPLETED") => Ok(()),
        other => bail!("the run did not complete; it is {}", other.unwrap_or("unknown")),
    }
}

/// On a terminal the server goes on answering until Ctrl-C.
async fn stay(config: &std::path::Path) {
    use std::io::IsTerminal;
    if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        shell::say("\nThe server goes on answering; Ctrl-C ends it.");
        let _ = ctrl_c().await;
    } else {
        shell::say(&format!(
            "\nThe server ends with this command; {} serve --config {} brings it back.",
            shell::binary("price-cache").display(),
            config.display()
        ));
    }
}
