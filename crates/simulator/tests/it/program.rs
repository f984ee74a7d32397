//! The program: its one line of output, its arguments, and what it says of wrong ones.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::client::bare;

/// Ends the program with the test, whichever way the test ends.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_price-cache-simulator"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[tokio::test]
async fn the_first_line_is_the_base_url() {
    let arguments =
        ["--data-set", "app-store-tiers", "--markets", "2", "--fault", "market/CA=reset", "html=0"];
    let mut program = Program(command(&arguments).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(program.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.strip_prefix("http://").unwrap().trim_end().parse().unwrap();
    // The bare client reads to the end of the connection, which a fault brings about.
    let (text, end) = bare(address, "/markets/CA/products/tier-0/price").await;
    assert!(text.is_empty() && end.is_err(), "{text} {end:?}");
}

#[test]
fn wrong_arguments_are_named() {
    for (arguments, word) in [
        (["--data-set", "nothing"], "nothing"),
        (["--fault", "sideways=5"], "sideways"),
        (["--fault", "html=1001"], "1001"),
    ] {
        let output = command(&arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(word), "{said}");
        assert!(output.stdout.is_empty());
    }
}
