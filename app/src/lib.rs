//! The program: arguments and settings, the controller that joins the mesh, the media and the window.
//!
//! ```text
//!   main.rs ── core_dumps.rs, signals.rs, args.rs, settings.rs, share.rs, code_text.rs; whatever any of them writes goes through terminal.rs and output.rs
//!     ├ headless.rs ── input.rs (standard input)
//!     ├ window.rs ── screen.rs (what window and controller share), code_picture.rs
//!     │     both run a controller/ ── report/ (event/ and sentences, with words.rs), record.rs, disk.rs, zone.rs
//!     │       ├ state/ ── what is known and shown: update.rs in, effects out
//!     │       └ participant.rs ── mesh and media, joined by traffic.rs and observer.rs
//!     │     └ clock.rs ── which clock is good for what
//!     ├ demo/ ── participants as processes, a live table, a summary
//!     ├ inspect.rs, devices.rs
//!     └ log.rs ── diagnostics, if they are asked for
//! ```

pub mod args;
mod choice;
pub mod clock;
pub mod code_picture;
mod code_text;
pub mod controller;
pub mod core_dumps;
pub mod demo;
pub mod devices;
mod disk;
pub mod event;
pub mod exit;
pub mod headless;
mod input;
pub mod inspect;
pub mod log;
mod observer;
mod output;
pub mod participant;
mod record;
mod report;
mod screen;
mod settings;
mod share;
pub mod signals;
pub mod state;
pub mod terminal;
mod traffic;
pub mod update;
pub mod window;
mod words;
pub mod zone;
