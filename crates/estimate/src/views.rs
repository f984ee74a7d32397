//! The views of the past that a forecast is made from.

/// Products the moving averages look back on; the last is the mean of all.
pub(super) const SPANS: [f64; 4] = [3.5, 10.5, 31.5, f64::INFINITY];

/// The views: the averages and two straight lines, through the second half and through all.
pub(super) const VIEWS: usize = SPANS.len() + 2;
