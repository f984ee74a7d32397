//! The Markdown that is printed in the end.

use std::fmt;
use std::io::Write as _;

/// Everything that was found out.
#[derive(Default)]
pub(crate) struct Report {
    blocks: Vec<String>,
}

impl Report {
    /// A heading.
    pub(crate) fn heading(&mut self, text: &str) {
        self.blocks.push(format!("### {text}"));
    }

    /// A paragraph.
    pub(crate) fn paragraph(&mut self, text: &str) {
        self.blocks.push(text.to_owned());
    }

    /// A table.
    pub(crate) fn table<const COLUMNS: usize>(&mut self, head: [&str; COLUMNS], rows: &[[String; COLUMNS]]) {
        let mut text = format!("| {} |\n|{}", head.join(" | "), "---|".repeat(COLUMNS));
        for row in rows {
            text.push_str(&format!("\n| {} |", row.join(" | ")));
        }
        self.blocks.push(text);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.blocks.iter().try_for_each(|block| writeln!(formatter, "{block}\n"))
    }
}

/// Tells the person who waits what is being measured.
pub(crate) fn progress(text: &str) {
    // Nobody needs to read it.
    let _ = writeln!(std::io::stderr(), "figures: {text}");
}

/// A ratio with its aim.
pub(crate) fn ratio(value: f64, aim: Option<Aim>) -> String {
    match aim {
        Some(aim) => format!("**{value:.2}** ({aim}: {})", aim.verdict(value)),
        None => format!("{value:.2}"),
    }
}

/// What a figure should be.
#[derive(Clone, Copy)]
pub(crate) enum Aim {
    /// No less than this.
    AtLeast(f64),
    /// No more than this.
    AtMost(f64),
}

impl Aim {
    /// Whether the value is what it should be, in a word.
    pub(crate) fn verdict(self, value: f64) -> &'static str {
        let met = match self {
            Self::AtLeast(limit) => value >= limit,
            Self::AtMost(limit) => value <= limit,
        };
        if met { "met" } else { "missed" }
    }
}

impl fmt::Display for Aim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(limit) => write!(formatter, "aim at least {limit}"),
            Self::AtMost(limit) => write!(formatter, "aim at most {limit}"),
        }
    }
}
