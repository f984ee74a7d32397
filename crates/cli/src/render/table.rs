//! Tables without lines, as wide as the terminal at most, the same text in a pipe.

use comfy_table::{Attribute, CellAlignment, Color, ContentArrangement, presets};

use super::{Theme, Tone, text};

/// One column: its title and on which side its cells stand.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    title: &'static str,
    alignment: CellAlignment,
}

/// A column of words.
#[must_use]
pub const fn left(title: &'static str) -> Column {
    Column { title, alignment: CellAlignment::Left }
}

/// A column of numbers.
#[must_use]
pub const fn right(title: &'static str) -> Column {
    Column { title, alignment: CellAlignment::Right }
}

/// One cell: a text and what it means.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A text with a tone; control characters are made visible.
    #[must_use]
    pub fn toned(tone: Tone, text: impl AsRef<str>) -> Self {
        Self { text: text::clean(text.as_ref()).into_owned(), tone }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::toned(Tone::Plain, text)
    }
}

/// Rows under titles.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; missing cells stay empty.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as lines without a line feed at the end. Too wide for the terminal, cells are wrapped.
    #[must_use]
    pub fn render(&self, theme: Theme) -> String {
        self.lines(theme, true)
    }

    /// The table without its titles, to follow one that had them.
    #[must_use]
    pub fn render_rows(&self, theme: Theme) -> String {
        self.lines(theme, false)
    }

    fn lines(&self, theme: Theme, has_titles: bool) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        if theme.color {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        if let Some(width) = theme.width {
            table.set_width(width);
        }
        if has_titles {
            table.set_header(
                self.columns
                    .iter()
                    .map(|column| comfy_table::Cell::new(column.title).add_attribute(Attribute::Bold)),
            );
        }
        for row in &self.rows {
            table.add_row(row.iter().map(Self::cell));
        }
        let last = self.columns.len().saturating_sub(1);
        for (index, column) in self.columns.iter().enumerate() {
            if let Some(rendered) = table.column_mut(index) {
                rendered.set_padding((0, if index == last { 0 } else { 2 }));
                rendered.set_cell_alignment(column.alignment);
            }
        }
        let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
        lines.join("\n")
    }

    fn cell(cell: &Cell) -> comfy_table::Cell {
        let rendered = comfy_table::Cell::new(&cell.text);
        match cell.tone {
            Tone::Plain => rendered,
            Tone::Strong => rendered.add_attribute(Attribute::Bold),
            Tone::Good => rendered.fg(Color::DarkGreen),
            Tone::Warn => rendered.fg(Color::DarkYellow),
            Tone::Bad => rendered.fg(Color::DarkRed),
            Tone::Faint => rendered.add_attribute(Attribute::Dim),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Table, Theme, Tone, left, right};

    fn table() -> Table {
        let mut table = Table::new(&[left("MARKET"), right("COUNT"), left("NOTE")]);
        table.row(["uk".into(), "1,234".into(), Cell::toned(Tone::Bad, "the server answered 503 too often")]);
        table.row(["Österreich".into(), "7".into(), "fine\n\x1b[2J".into()]);
        table
    }

    #[test]
    fn in_a_pipe_every_row_is_one_line() {
        assert_eq!(
            table().render(Theme::PLAIN),
            "\
MARKET      COUNT  NOTE
uk          1,234  the server answered 503 too often
Österreich      7  fine \u{fffd}[2J"
        );
    }

    #[test]
    fn a_narrow_terminal_wraps_cells() {
        let narrow = table().render(Theme { width: Some(40), color: false });
        assert_eq!(
            narrow,
            "\
MARKET      COUNT  NOTE
uk          1,234  the server answered
                   503 too often
Österreich      7  fine \u{fffd}[2J"
        );
        assert!(narrow.lines().all(|line| console::measure_text_width(line) <= 40));
    }

    #[test]
    fn colour_only_when_wanted() {
        let colored = table().render(Theme { width: None, color: true });
        assert!(colored.contains("\x1b[38;5;1mthe server"), "{colored:?}");
        assert!(!table().render(Theme::PLAIN).contains('\x1b'));
    }
}
