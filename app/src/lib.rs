//! The program: arguments and settings, the participant that joins the mesh and the media, what it prints.
//!
//! ```text
//!   main.rs ── args.rs, settings.rs, share.rs
//!     ├ headless.rs ── input.rs (standard input), report.rs (events and sentences)
//!     │     └ participant.rs ── mesh and media, joined by wiring.rs
//!     ├ demo/ ── participants as processes, a live table, a summary
//!     └ inspect.rs, devices.rs
//! ```

pub mod args;
pub mod demo;
pub mod devices;
pub mod exit;
pub mod headless;
mod input;
pub mod inspect;
pub mod participant;
mod report;
mod settings;
mod share;
mod wiring;
