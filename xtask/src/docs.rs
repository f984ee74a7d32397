//! `docs`: the documents that come out of the code, written or compared.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use price_cache_domain::{EventKind, RunStatus, mermaid, table_rows};

use crate::shell::{self, binary, cargo};

pub(crate) fn write() -> Result<()> {
    for (path, text) in documents()? {
        fs::write(shell::root().join(path), text).with_context(|| format!("could not write {path}"))?;
        shell::say(&format!("wrote {path}"));
    }
    Ok(())
}

pub(crate) fn check() -> Result<()> {
    for (path, text) in documents()? {
        let present = fs::read_to_string(shell::root().join(path)).unwrap_or_default();
        if present != text {
            bail!("{path} is not what the code says; write it again with `cargo xtask docs`");
        }
    }
    Ok(())
}

fn documents() -> Result<[(&'static str, String); 2]> {
    Ok([("docs/state-machine.md", state_machine()), ("docs/price-cache.schema.json", schema()?)])
}

fn schema() -> Result<String> {
    shell::run(cargo(&["build", "--workspace", "--bins"]))?;
    let output = Command::new(binary("price-cache")).args(["config", "schema"]).output()?;
    Ok(String::from_utf8(output.stdout)?)
}

fn state_machine() -> String {
    let mut text = String::from(
        "# The state machine of a run\n\n\
         Written by `cargo xtask docs` from the table in `crates/domain/src/transition.rs`; do not edit.\n\n\
         ```mermaid\n",
    );
    text.push_str(&mermaid());
    text.push_str("```\n\nEvery state and event; an empty cell is a refusal.\n\n| from |");
    for event in EventKind::ALL {
        text.push_str(&format!(" {event} |"));
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(EventKind::ALL.len()));
    text.push('\n');
    for row in table_rows().chunks(EventKind::ALL.len()) {
        let Some(first) = row.first() else { continue };
        let variant = if first.variant.is_empty() { String::new() } else { format!(" ({})", first.variant) };
        text.push_str(&format!("| {}{variant} |", first.from));
        for cell in row {
            text.push_str(&format!(" {} |", cell.to.map_or("", RunStatus::name)));
        }
        text.push('\n');
    }
    text
}
