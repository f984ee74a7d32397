//! The bare loop: asks for one price again and again with the HTTP client of the price source, reads the body and
//! forgets it. No template, no JSON, no record: what the program lacks of this speed is what all the rest costs.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use reqwest::{Client, redirect};
use rustls::{ClientConfig, RootCertStore};

use super::process::{Process, command};

/// The argument that makes this program the bare loop.
pub(crate) const COMMAND: &str = "bare-loop";

/// A client with the settings of `crates/source-http/src/http/client.rs`.
pub(crate) fn client() -> anyhow::Result<Client> {
    let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent("price-cache-figures")
        .connect_timeout(Duration::from_secs(5))
        .redirect(redirect::Policy::none())
        .tcp_nodelay(true)
        .pool_idle_timeout(Duration::from_secs(60))
        .pool_max_idle_per_host(64)
        .retry(reqwest::retry::never())
        .no_proxy();
    Ok(client.build()?)
}

/// Runs the bare loop in a process of its own; requests per second.
pub(crate) fn run(url: &str, loops: u32, window: Duration, processors: Option<&str>) -> anyhow::Result<f64> {
    let program: PathBuf = std::env::current_exe()?;
    let mut command = command(&program, processors);
    command.arg(COMMAND).arg(url).arg(loops.to_string()).arg(window.as_millis().to_string());
    let mut process = Process::start(&mut command)?;
    process.line()?.parse().context("the bare loop did not say how fast it was")
}

/// The process: URL, loops at once, window in milliseconds.
pub(crate) fn main(arguments: &[String]) -> anyhow::Result<()> {
    let [url, loops, window] = arguments else { anyhow::bail!("a bare loop takes URL, LOOPS and WINDOW") };
    let (loops, window): (u32, u64) = (loops.parse()?, window.parse()?);
    // The same runtime as in the server.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let rate = runtime.block_on(rate(url.clone(), loops, Duration::from_millis(window)))?;
    writeln!(std::io::stdout(), "{rate}")?;
    Ok(())
}

async fn rate(url: String, loops: u32, window: Duration) -> anyhow::Result<f64> {
    let client = client()?;
    let answers = Arc::new(AtomicU64::new(0));
    let asking: Vec<_> = (0..loops)
        .map(|_| {
            let (client, url, answers) = (client.clone(), url.clone(), Arc::clone(&answers));
            tokio::spawn(async move {
                loop {
                    let answer = client.get(&url).header("accept", "application/json").send().await?;
                    ensure!(answer.status().is_success(), "status {}", answer.status());
                    answer.bytes().await?;
                    answers.fetch_add(1, Ordering::Relaxed);
                }
                #[expect(unreachable_code, reason = "names the type of the error")]
                Ok::<(), anyhow::Error>(())
            })
        })
        .collect();
    // Connecting is not part of the loop.
    tokio::time::sleep(window / 10).await;
    let (before, begun) = (answers.load(Ordering::Relaxed), Instant::now());
    tokio::time::sleep(window).await;
    let (after, took) = (answers.load(Ordering::Relaxed), begun.elapsed());
    for task in asking {
        if task.is_finished() {
            task.await??;
        }
    }
    // Far fewer than 2^52 answers.
    Ok((after - before) as f64 / took.as_secs_f64())
}
