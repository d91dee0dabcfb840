//! The program: arguments and settings, the participant that joins the mesh and the media, what it prints.
//!
//! ```text
//!   main.rs ── args.rs, settings.rs, share.rs
//!     ├ headless.rs ── input.rs (standard input), report.rs (events and sentences, with words.rs)
//!     │     ├ record.rs ── addresses and routes of a call, saved on request
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
mod record;
mod report;
mod settings;
mod share;
mod wiring;
mod words;
