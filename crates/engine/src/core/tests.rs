//! Decisions that are hard to reach from outside.
