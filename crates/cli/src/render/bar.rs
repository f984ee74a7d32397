//! A bar of fixed width for tables.

/// A bar of `width` columns that is full only when `completed` has reached `total`, and empty only at 0.
#[must_use]
pub fn bar(completed: u64, total: u64, width: usize) -> String {
    let full = if total == 0 || completed >= total {
        width
    } else if completed == 0 {
        0
    } else {
        let share = u128::from(completed) * width as u128 / u128::from(total);
        usize::try_from(share).unwrap_or(width).clamp(1, width.saturating_sub(1).max(1))
    };
    "█".repeat(full) + &"░".repeat(width.saturating_sub(full))
}

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn full_only_when_done_and_empty_only_at_the_start() {
        for (completed, total, text) in [
            (0, 1000, "░░░░░░"),
            (1, 1000, "█░░░░░"),
            (500, 1000, "███░░░"),
            (999, 1000, "█████░"),
            (1000, 1000, "██████"),
            (0, 0, "██████"),
            (u64::MAX - 1, u64::MAX, "█████░"),
        ] {
            assert_eq!(bar(completed, total, 6), text, "{completed} of {total}");
        }
    }
}
