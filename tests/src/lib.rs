//! Whole calls, run as a whole: on a simulated network here, as real processes in `tests/`.

pub mod fuzz;
pub mod sim;
