//! `kills`: the suites of crashes at length. Each is an ordinary test that takes its numbers from the environment.

use anyhow::{Context, Result, bail};

use crate::packages;
use crate::shell::{self, cargo};

const USAGE: &str = "\
usage: cargo xtask kills N [--only starts | walks] [--seed SEED] [--store KIND]
       cargo xtask kills --full-disk ROUNDS | --shown ROUNDS | --steps STORES  [--seed SEED] [--store KIND]";

/// What is done: the tests, and the variables that say how much of it.
#[derive(Debug, PartialEq, Eq)]
struct Suites {
    tests: Vec<&'static str>,
    variables: Vec<(&'static str, String)>,
}

pub(crate) fn run(options: &[&str]) -> Result<()> {
    let suites = parsed(options)?;
    packages::prepare_tracer();
    shell::run(cargo(&["build", "--workspace", "--bins"]))?;
    let mut test = cargo(&["test", "--package", "price-cache-tests", "--test", "it", "--"]);
    // One after another, so that the figures of one are not those of both.
    test.args(&suites.tests).args(["--nocapture", "--test-threads", "1"]);
    test.envs(suites.variables);
    shell::run(test)
}

fn parsed(options: &[&str]) -> Result<Suites> {
    let mut tests = Vec::new();
    let mut variables = Vec::new();
    let mut only = None;
    let mut left = options.iter();
    while let Some(option) = left.next() {
        let mut value = || left.next().copied().with_context(|| format!("{option} needs a value\n{USAGE}"));
        match *option {
            "--store" => variables.push(("PRICE_CACHE_STORE", value()?.to_owned())),
            "--seed" => variables.push(("PRICE_CACHE_SEED", number(value()?)?)),
            "--only" => only = Some(value()?),
            "--full-disk" => {
                tests.push("full_disk_starts::");
                variables.push(("PRICE_CACHE_FULL_DISK_ROUNDS", number(value()?)?));
            }
            "--shown" => {
                tests.push("shown_is_durable::");
                variables.push(("PRICE_CACHE_SHOWN_ROUNDS", number(value()?)?));
            }
            "--steps" => {
                tests.push("recovery_steps::");
                variables.push(("PRICE_CACHE_ALL_STEPS", number(value()?)?));
            }
            count if !count.starts_with('-') => {
                tests.extend(["crash::kills_during_starts", "crash::kills_lose", "crash::kills_with"]);
                variables.push(("PRICE_CACHE_KILLS", number(count)?));
            }
            _ => bail!("there is no option {option}\n{USAGE}"),
        }
    }
    match only {
        None => {}
        Some("starts") => tests.retain(|test| *test == "crash::kills_during_starts"),
        Some("walks") => tests.retain(|test| *test != "crash::kills_during_starts"),
        Some(only) => bail!("there are no kills only of {only}\n{USAGE}"),
    }
    if tests.is_empty() {
        bail!("{USAGE}");
    }
    Ok(Suites { tests, variables })
}

fn number(text: &str) -> Result<String> {
    let number: u32 = text.parse().with_context(|| format!("{text:?} is not a number\n{USAGE}"))?;
    Ok(number.to_string())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn suites_and_their_numbers_are_read() {
        let all = parsed(&["200"]).unwrap();
        assert_eq!(all.tests.len(), 3);
        assert_eq!(all.variables, [("PRICE_CACHE_KILLS", "200".to_owned())]);
        let starts = parsed(&["10000", "--only", "starts", "--store", "redb"]).unwrap();
        assert_eq!(starts.tests, ["crash::kills_during_starts"]);
        assert_eq!(starts.variables[1], ("PRICE_CACHE_STORE", "redb".to_owned()));
        assert_eq!(parsed(&["--full-disk", "500", "--seed", "7"]).unwrap().tests, ["full_disk_starts::"]);
    }

    #[test]
    fn what_is_no_suite_is_refused() {
        for wrong in [&[][..], &["x"], &["--full-disk"], &["5", "--only", "ends"], &["--store", "sled"]] {
            parsed(wrong).unwrap_err();
        }
    }
}
