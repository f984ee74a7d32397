//! What a person sees: tables, bars, durations and progress, with colour only where it is wanted.

mod bar;
mod failed_products;
mod logs;
pub mod number;
mod prices;
pub mod progress;
#[cfg(test)]
mod sample;
pub mod status;
pub mod table;
pub mod text;

pub use bar::bar;
pub use failed_products::failed_products;
pub use logs::logs;
pub use prices::{price_list, price_note};

use anstyle::{AnsiColor, Style};

/// How wide an output is, and whether it takes colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Columns of the terminal; `None` when it is not one, so that nothing is wrapped.
    pub width: Option<u16>,
    /// Whether colours are shown.
    pub color: bool,
}

impl Theme {
    /// A file or pipe: any width, no colour.
    pub const PLAIN: Self = Self { width: None, color: false };

    /// The text in the colour of a tone, or as it is.
    #[must_use]
    pub fn paint(self, tone: Tone, text: &str) -> String {
        if self.color && tone != Tone::Plain {
            let style = tone.style();
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

/// What a text means, from which its colour follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    #[default]
    Plain,
    /// A heading.
    Strong,
    /// All is well.
    Good,
    /// Worth a look.
    Warn,
    /// Something failed.
    Bad,
    /// Less important.
    Faint,
}

impl Tone {
    const fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Warn => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Faint => Style::new().dimmed(),
        }
    }
}
