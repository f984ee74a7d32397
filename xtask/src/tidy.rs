//! Checks what no lint does: every source file says its purpose in its first line, none is endless, no
//! module hides in a `mod.rs`.

use std::fs;

use anyhow::{Result, bail};

use crate::shell;

/// Lines of a file of code at most, with its unit tests.
const LINES_MAX: usize = 400;

/// Lines of a file of integration tests or benchmarks at most; its tests are read one at a time.
const TEST_LINES_MAX: usize = 600;

pub(crate) fn check() -> Result<()> {
    let mut wrong = Vec::new();
    for path in shell::files(".rs")? {
        let shown = path.display();
        let text = fs::read_to_string(shell::root().join(&path))?;
        if !text.starts_with("//! ") {
            wrong.push(format!("{shown}: the first line must say the file's purpose, as //! text"));
        }
        if path.file_name().is_some_and(|name| name == "mod.rs") {
            wrong.push(format!("{shown}: name it after its module, beside the folder"));
        }
        let in_source = path.components().any(|part| part.as_os_str() == "src");
        let most = if in_source { LINES_MAX } else { TEST_LINES_MAX };
        let lines = text.lines().count();
        if lines > most {
            wrong.push(format!("{shown}: {lines} lines, more than {most}; split it by purpose"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { bail!("not tidy:\n{}", wrong.join("\n")) }
}
