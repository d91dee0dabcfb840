//! What the user wishes. The program carries it out, whether it came from the window or as a line on standard
//! input; what it changed shows in the next [`crate::Model`].

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::model::{Answer, Choice, CodeText, PersonId, Place, Preferences, Rule, TileSize, Wanted};

/// A wish.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Show on the page before joining what a code says; an empty one clears the page.
    ReadCode(CodeText),
    /// Look for a code in a picture: a file.
    ReadPicture(PathBuf),
    /// Look for a code in what the camera sees, or stop that.
    Scan(bool),
    /// Start a call.
    Start(Wanted),
    /// Join the call that this code leads to.
    Join(CodeText, Wanted),
    /// Leave the call, or give up joining.
    Leave,
    /// The end of the call has been read: go back home.
    Close,
    /// End the program.
    Quit,

    /// Send silence, or what the microphone hears.
    Mute(bool),
    /// Take pictures from here. Before a call they are shown to the user only.
    Camera(Choice),
    /// Take sound from here. Before a call only its level is shown.
    Microphone(Choice),
    /// Play here.
    Speaker(Choice),
    /// Take the echo out of what the microphone hears, or leave it in.
    CancelEcho(bool),
    /// Lower steady noise, or leave it.
    SuppressNoise(bool),
    /// Bring the voice to the usual level, or leave it as it is.
    AdjustGain(bool),
    /// Play a short tone, to hear where it comes from.
    TestSpeaker,
    /// How large each member's picture is shown.
    Tiles(BTreeMap<PersonId, TileSize>),
    /// How loud a member is played: 0 to 2, 1 as they come.
    Volume(PersonId, f32),

    /// Let in who knocked.
    Admit(PersonId),
    /// Do not let in who knocked.
    Refuse(PersonId),
    /// Answer a question about a route.
    Answer(u64, Answer),
    /// Decide by another rule from now on.
    Rule(Rule),

    /// Make another code.
    NewCode,
    /// Withdraw this code.
    Withdraw(u64),
    /// Withdraw every code that is still open.
    WithdrawAll,

    /// Write every address and every step of every route to this new file.
    Save(PathBuf),
    /// A notice has been read.
    Dismiss(u64),
    /// Keep these from now on.
    Prefer(Preferences),
    /// The window was here when it was closed.
    Place(Place),
    /// Forget everything that is kept.
    Forget,
}
