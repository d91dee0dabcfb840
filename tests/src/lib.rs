//! Whole calls, run as a whole: on a simulated network (`sim`), and as real processes
//! (`program`), before a real screen (`screen`).

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "this crate is tests, and owns their clock"
)]

pub mod fuzz;
pub mod program;
pub mod screen;
pub mod sim;
