//! What the user sees: views read a [`Model`] and return [`Command`]s. It knows neither network nor media.
//!
//! ```text
//!   model/ ──► view/ ──► command.rs          text.rs ── locales/*.ftl
//!     pages, call, panels │                  tokens.rs ── colours and sizes
//!                         ├ widget/          keys.rs ── what each key does
//!                         └ picture/ ── YUV to the screen (gl.rs; cpu.rs without OpenGL)
//!   window.rs ── the window itself: title, icon, place, closing, fonts for names (fonts.rs); it owns the main thread
//!     └ event_loop.rs ── keys that paste (clipboard.rs), before eframe sees them; x11.rs ── a screen that is gone
//! ```

mod clipboard;
mod command;
mod event_loop;
mod fonts;
mod format;
mod keys;
pub mod model;
mod picture;
mod text;
mod tokens;
mod view;
mod widget;
mod window;
#[cfg(all(unix, not(target_os = "macos")))]
mod x11;

pub use command::Command;
pub use model::Model;
pub use picture::{Picture, Pictures, Source};
pub use text::{LANGUAGES, Text};
pub use view::View;
pub use window::{Host, Wake, Window, WindowError, run};
