//! Whole calls, run as a whole: on a simulated network here, as real processes in `tests/`.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "this crate is tests, and owns their clock"
)]

pub mod fuzz;
pub mod sim;
