//! What the window shows: plain data, made by the program, read by the views. Nothing in it can be acted upon;
//! a [`crate::Command`] says what the user wishes.
//!
//! Stable words (`&'static str`) name states and reasons; the texts for them stand in `locales/`.

mod call;
mod code_text;
mod own;
mod saying;

use std::sync::Arc;
use std::time::Duration;

pub use call::{
    AddressRow, Call, Ended, Graph, History, Invite, InviteState, Knock, Path, Person, PersonId, Quality,
    Question, Route, RouteState, Step, TileSize,
};
pub use code_text::CodeText;
pub use own::{
    Address, Answer, Choice, CodeSummary, Devices, Own, Place, Preferences, Processing, Reading, Rule,
    Sending, Theme, Wanted,
};
pub use saying::{Saying, SayingKey};

/// Everything at one moment. Published whole: a view never sees half a change.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// Since the program's start.
    pub now: Duration,
    /// This participant's devices, and what they give.
    pub own: Own,
    /// Devices that are there.
    pub devices: Devices,
    /// This machine's addresses, those that say least of a person first.
    pub addresses: Vec<Address>,
    /// The interfaces whose addresses these are; all of them if it is empty.
    pub interfaces: Vec<String>,
    /// The code on the page before joining.
    pub code: Reading,
    /// What is kept from one start to the next.
    pub preferences: Preferences,
    /// What the user chose last: name, devices, rules.
    pub wanted: Wanted,
    /// Where the settings are kept.
    pub settings_path: String,
    /// Where the record of a call may be saved: a suggestion.
    pub record_path: String,
    /// The call, from the wish to take part until its end has been read.
    pub call: Option<Call>,
    /// What the user has to be told, the newest last. At most [`MAX_NOTICES`].
    pub notices: Vec<Notice>,
    /// What happened and was measured, for the page of diagnostics, the newest last. At most [`MAX_LINES`].
    pub lines: Vec<Arc<str>>,
}

/// Notices shown at once; the oldest goes first.
pub const MAX_NOTICES: usize = 4;

/// Lines of diagnostics kept.
pub const MAX_LINES: usize = 500;

/// Something to tell the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Which one: [`crate::Command::Dismiss`] takes it away.
    pub id: u64,
    /// When, since the program's start.
    pub at: Duration,
    /// Whom it concerns, if anybody: names may be the same.
    pub person: Option<PersonId>,
    /// What to say.
    pub saying: Saying,
    /// It goes by itself after a while: nothing is to be done about it.
    pub is_passing: bool,
}
