//! Whole calls, run as a whole: on a simulated network (`sim`), and as real processes
//! (`program`), one test after the other, in network namespaces (`network`), before a real screen (`screen`), with sound
//! devices that come and go (`sound`), over a slow line (`slow_line`). Benches share `bench`.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "this crate is tests, and owns their clock"
)]

pub mod bench;
pub mod fuzz;
pub mod network;
pub mod obu;
pub mod photo;
pub mod program;
pub mod screen;
pub mod sim;
pub mod slow_line;
pub mod sound;
