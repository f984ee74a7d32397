//! `docs/FAULTS.md` says what the table says.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::{Context, ensure};

use super::connections::Places;
use super::each;

/// The columns of the tables that are compared.
const COLUMNS: &str = "| fault | class | retried | what the operator reads |";

#[test]
fn the_document_has_every_line_of_the_table_and_no_other() -> anyhow::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/FAULTS.md");
    let text = fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let rows = each::rows(&Places { refusing: nowhere, black_hole: nowhere })?;
    let expected: Vec<_> = rows.iter().map(super::row::Row::line).collect();
    let mut found = Vec::new();
    let mut lines = text.lines();
    while lines.any(|line| line == COLUMNS) {
        // The line under the columns.
        lines.next();
        found.extend(lines.by_ref().take_while(|line| line.starts_with('|')));
    }
    let expected_text = expected.join("\n");
    ensure!(found == expected, "docs/FAULTS.md should have these lines, in this order:\n{expected_text}");
    Ok(())
}
