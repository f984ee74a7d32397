//! Estimates as a filter: reads TOTAL, then one duration in seconds per line (time between completions,
//! waits included), and prints `SECONDS LOW HIGH` remaining after each, `-` where nothing can be said. Empty
//! lines are passed over; the first line that cannot be understood is named and ends it with exit code 2.
//! `cargo run --release -p price-cache-estimate --example eta < durations`

#![expect(clippy::print_stderr, reason = "that is where messages belong")]

use std::fmt::Display;
use std::io::{self, BufRead, BufWriter, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use price_cache_estimate::{Estimate, Pace};

/// Longer lines are no numbers.
const LINE_BYTES_MAX: u64 = 4_096;

/// Exit code for input that cannot be understood.
const BAD_INPUT: u8 = 2;

fn main() -> ExitCode {
    match run(io::stdin().lock(), io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        // Who reads no more is served.
        Err(Stop::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Stop::Io(error)) => {
            eprintln!("eta: {error}");
            ExitCode::FAILURE
        }
        Err(Stop::BadInput(message)) => {
            eprintln!("eta: {message}");
            ExitCode::from(BAD_INPUT)
        }
    }
}

/// Why it ended early.
enum Stop {
    Io(io::Error),
    BadInput(String),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn run(mut input: impl BufRead, output: impl Write) -> Result<(), Stop> {
    let mut output = BufWriter::new(output);
    let mut number = 0;
    let Some(first) = next_line(&mut input, &mut number)? else {
        return Err(bad(1, "is missing: it says how many products there are"));
    };
    let total: u64 = first
        .parse()
        .map_err(|_| bad(number, "is not a whole number: it says how many products there are"))?;
    let mut remaining = total;
    let mut pace = Pace::new();
    loop {
        let Some(line) = next_line(&mut input, &mut number)? else { return Ok(()) };
        let duration = line
            .parse::<f64>()
            .ok()
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .ok_or_else(|| bad(number, "is not a duration in seconds, 0 or more and finite"))?;
        remaining = remaining
            .checked_sub(1)
            .ok_or_else(|| bad(number, format_args!("is one duration more than the {total} announced")))?;
        pace.observe(duration);
        match pace.estimate(remaining) {
            Some(Estimate::DONE) if remaining == 0 => writeln!(output, "0 0 0")?,
            Some(Estimate { expected, low, high }) => {
                let [expected, low, high] = [expected, low, high].map(|part| part.as_secs_f64());
                writeln!(output, "{expected:.3} {low:.3} {high:.3}")?;
            }
            None => writeln!(output, "-")?,
        }
        output.flush()?;
    }
}

/// The next line that is not empty, without the white space around it, and its number; `None` at the end of
/// the input.
fn next_line(input: &mut impl BufRead, number: &mut u64) -> Result<Option<String>, Stop> {
    loop {
        let mut line = Vec::new();
        input.take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(None);
        }
        *number += 1;
        if line.len() as u64 == LINE_BYTES_MAX {
            return Err(bad(*number, format_args!("is longer than {LINE_BYTES_MAX} bytes")));
        }
        let line = String::from_utf8(line).map_err(|_| bad(*number, "is not UTF-8"))?;
        let line = line.trim();
        if !line.is_empty() {
            return Ok(Some(line.to_owned()));
        }
    }
}

fn bad(number: u64, what: impl Display) -> Stop {
    Stop::BadInput(format!("line {number} {what}"))
}
