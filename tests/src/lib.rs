//! Whole calls, run as a whole: on a simulated network (`sim`), and as real processes (`program`).

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "this crate is tests, and owns their clock"
)]

pub mod fuzz;
pub mod program;
pub mod sim;
