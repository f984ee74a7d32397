//! The table with a column per store.

use super::super::report::{Aim, Report};
use super::super::statistics::median;
use super::Both;

/// What redb should reach.
#[derive(Clone, Copy)]
pub(crate) enum Want {
    /// Nothing in particular.
    Nothing,
    /// Its value as it is shown.
    Value(Aim),
    /// Its value in that of sled.
    Ratio(Aim),
}

/// The rows so far.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<[String; 5]>,
}

impl Table {
    /// Adds a row of one or more rounds: the medians, and the median of the ratios within each round.
    pub(crate) fn row(&mut self, name: &str, rounds: &[Both<f64>], decimals: usize, want: Want) {
        let middle = |value: fn(&Both<f64>) -> f64| median(&rounds.iter().map(value).collect::<Vec<_>>());
        let (redb, sled) = (middle(|[redb, _]| *redb), middle(|[_, sled]| *sled));
        let is_comparable = rounds.iter().all(|[_, sled]| *sled > 0.0);
        let ratio = middle(|[redb, sled]| redb / sled);
        let shown = |value: f64| format!("{value:.decimals$}");
        self.rows.push([
            name.to_owned(),
            shown(redb),
            shown(sled),
            if is_comparable { format!("{ratio:.2}") } else { "-".to_owned() },
            match want {
                Want::Nothing => String::new(),
                Want::Value(aim) => format!("{aim}: {}", aim.verdict(redb)),
                Want::Ratio(aim) => format!("ratio, {aim}: {}", aim.verdict(ratio)),
            },
        ]);
    }

    /// Adds the table to a report.
    pub(crate) fn report(&self, report: &mut Report) {
        report.table(["figure", "redb", "sled", "redb / sled", "aim of redb"], &self.rows);
    }
}
