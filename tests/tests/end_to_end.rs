//! The real programs against a real upstream: what a shop would miss if it did not hold.

#[path = "end_to_end/crash.rs"]
mod crash;
#[path = "end_to_end/digits.rs"]
mod digits;
