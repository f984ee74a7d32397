//! Everything a person types: `cargo xtask COMMAND`.

mod bench;
mod browser;
mod ci;
mod circles;
mod configuration;
mod demo;
mod deny;
mod dist;
mod docs;
mod fuzz_api;
mod kills;
mod layers;
mod metadata;
mod packages;
mod setup;
mod shell;
mod sources;
mod test;
mod tidy;
mod unused;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  demo     walk 12 markets and more than 10,000 real prices of a simulated, faulty pricing API, and serve them
  setup    install what the tests and checks need: Chromium, strace, axe-core, cargo-deny; test and ci do it too
  test     build everything and run every test
  check    the checks of the source that take seconds: format, tidiness, layers, circles of files, unused dependencies
  deny [--advisories]
           check duplicates, licences and sources of dependencies; or, where the database can be reached, advisories
  ci       what has to pass before a change lands: the checks above, lints, docs, tests
  kills N [--only starts | walks] [--seed SEED] [--store KIND]
           kill real servers N times each, in long walks and while they start on small stores, and check that no store is
           lost, nothing that was shown is taken back and nothing is counted twice
  kills --full-disk ROUNDS | --shown ROUNDS | --steps STORES
           the same with starts on a full disk; with clients that read everything while the disk is slow, full or failing;
           with a kill or an error at each step of a recovery
  simulate [SEEDS] [--seed FIRST]
           whole runs of the engine under so many seeds (10,000): weather, faults, crashes, every button
  fuzz-api [--seed SEED]
           thousands of right and wrong requests against the real server, made by schemathesis
  bench    measure throughput, disk, memory, recovery and the dashboard; --only PART, --quick
  dist     build what is released: stripped programs, completions and manual, in target/dist
  docs     write the generated documents again (docs --check only compares)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["demo"] => demo::run(),
        ["test"] => test::run(),
        ["check"] => ci::check_source(),
        ["deny", options @ ..] => deny::run(options),
        ["setup"] => {
            setup::run();
            Ok(())
        }
        ["ci"] => ci::run(),
        ["kills", options @ ..] => kills::run(options),
        ["simulate", options @ ..] => test::simulate(options),
        ["bench", options @ ..] => bench::run(options),
        ["fuzz-api", options @ ..] => fuzz_api::run(options),
        ["dist"] => dist::run(),
        ["docs"] => docs::write(),
        ["docs", "--check"] => docs::check(),
        [] | ["help" | "--help" | "-h"] => {
            shell::say(HELP.trim_end());
            return ExitCode::SUCCESS;
        }
        _ => {
            shell::say(&format!("there is no such command: {}\n\n{HELP}", arguments.join(" ")));
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            shell::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
