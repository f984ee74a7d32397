//! The figures of docs/BENCHMARKS.md: runs the released programs and prints a Markdown table. Each figure
//! stands beside something that was measured in the same run, because a figure alone says more about
//! the machine than about the program.

mod figures {
    pub(crate) mod api;
    pub(crate) mod bare;
    pub(crate) mod dashboard;
    pub(crate) mod machine;
    pub(crate) mod million;
    pub(crate) mod pacing;
    pub(crate) mod place;
    pub(crate) mod process;
    pub(crate) mod programs;
    pub(crate) mod recovery;
    pub(crate) mod report;
    pub(crate) mod size;
    pub(crate) mod speed;
    pub(crate) mod statistics;
    pub(crate) mod stores;
    pub(crate) mod walk;
    pub(crate) mod wrk;
}

use std::io::Write as _;
use std::process::ExitCode;

use figures::report::Report;
use figures::size::Size;
use figures::{bare, dashboard, machine, million, pacing, speed, stores};

const USAGE: &str = "usage: figures [--quick] [--only speed|million|pacing|dashboard|stores]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.split_first() {
        // The bare loop runs as a program of its own, as its competitors do.
        Some((first, rest)) if first == bare::COMMAND => bare::main(rest),
        _ => measure(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing can be done about a stderr that is closed.
            let _ = writeln!(std::io::stderr(), "figures: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &[String]) -> anyhow::Result<()> {
    // `cargo bench` adds this; without it the program was started by `cargo test --all-targets`.
    if !arguments.iter().any(|argument| argument == "--bench") {
        writeln!(std::io::stderr(), "figures: nothing is measured outside `cargo bench`")?;
        return Ok(());
    }
    let mut size = Size::full();
    let mut only = None;
    let mut rest = arguments.iter().filter(|argument| *argument != "--bench");
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--quick" => size = Size::quick(),
            "--only" => only = Some(rest.next().ok_or_else(|| anyhow::anyhow!("{USAGE}"))?.as_str()),
            other => anyhow::bail!("unknown argument {other:?}; {USAGE}"),
        }
    }
    anyhow::ensure!(
        matches!(only, None | Some("speed" | "million" | "pacing" | "dashboard" | "stores")),
        "{USAGE}"
    );
    let mut report = Report::default();
    machine::describe(&mut report, &size)?;
    if only.is_none_or(|only| only == "speed") {
        speed::measure(&mut report, &size)?;
    }
    if only.is_none_or(|only| only == "million") {
        million::measure(&mut report, &size)?;
    }
    if only.is_none_or(|only| only == "pacing") {
        pacing::measure(&mut report, &size)?;
    }
    if only.is_none_or(|only| only == "dashboard") {
        dashboard::measure(&mut report, &size)?;
    }
    if only.is_none_or(|only| only == "stores") {
        stores::measure(&mut report, &size)?;
    }
    write!(std::io::stdout(), "{report}")?;
    Ok(())
}
