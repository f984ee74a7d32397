//! A part of a whole as a figure.

/// Returns `part / whole`, and 0 for nothing.
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
