//! This side: devices, addresses, what the user chose, and what is kept.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{CodeText, Saying};

/// What this participant sends and plays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Own {
    /// The camera in use.
    pub camera: Option<String>,
    /// The microphone in use.
    pub microphone: Option<String>,
    /// The loudspeaker in use.
    pub speaker: Option<String>,
    /// A camera is wanted, and there is none.
    pub camera_is_missing: bool,
    /// A microphone is wanted, and there is none.
    pub microphone_is_missing: bool,
    /// Silence is sent in place of what the microphone hears.
    pub muted: bool,
    /// Somebody speaks into the microphone.
    pub speaking: bool,
    /// Pictures are taken to look for a code in them.
    pub scanning: bool,
}

/// Names of what is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// Cameras.
    pub cameras: Vec<String>,
    /// Microphones.
    pub microphones: Vec<String>,
    /// Loudspeakers.
    pub speakers: Vec<String>,
}

/// A device that the user chose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// None.
    #[default]
    Off,
    /// Whichever the system takes first.
    Default,
    /// One by name.
    Named(String),
    /// Made up: a moving scene, or a voice.
    Test,
    /// A clip, looped.
    File(std::path::PathBuf),
}

impl Choice {
    /// A device that may come and go, rather than none or something made up.
    #[must_use]
    pub const fn is_device(&self) -> bool {
        matches!(self, Self::Default | Self::Named(_))
    }

    /// What is used when it is switched on: itself, or for none the system's choice.
    #[must_use]
    pub fn switched_on(&self) -> Self {
        match self {
            Self::Off => Self::Default,
            choice => choice.clone(),
        }
    }
}

/// An address of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// It, with port 0: one is picked.
    pub address: SocketAddr,
    /// The interface's name.
    pub interface: String,
    /// What the interface is: `loopback`, `cable`, `wifi`, `mobile`, `vpn`.
    pub medium: &'static str,
    /// Reachable from everywhere, and so registered to somebody.
    pub is_public: bool,
    /// It names this very machine for as long as it stays in its network.
    pub is_lasting: bool,
}

/// Who decides, and where media may go unasked; named as on the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rule {
    /// Each path is asked about, each time.
    Ask,
    /// Addresses in the accepted code and those that members share; any change is asked about.
    #[default]
    Listed,
    /// As `Listed`, and what was approved earlier in the call may come back.
    Same,
    /// Any address at which a member proves who it is.
    All,
    /// Nowhere, and nothing is asked.
    None,
}

/// What an answer to a question is to hold for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This once.
    Once,
    /// This once, and the call's rule becomes this one.
    WithRule(Rule),
    /// No, for the rest of the call.
    No,
}

/// What the page before a call fills in. Camera and microphone are off until they are switched on there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// Shown to the others.
    pub name: String,
    /// The camera to use when the camera is switched on.
    pub camera: Choice,
    /// The microphone to use when the microphone is switched on.
    pub microphone: Choice,
    /// The loudspeaker.
    pub speaker: Choice,
    /// Addresses that the others may know.
    pub share: Vec<SocketAddr>,
    /// Where media may go unasked.
    pub rule: Rule,
    /// Whoever has an open code is let in unasked.
    pub admit_by_code: bool,
    /// The others are told over what this machine is connected.
    pub tell_medium: bool,
}

/// What is known of the code that was pasted, dropped or scanned.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Reading {
    /// None was given.
    #[default]
    Nothing,
    /// It can be used.
    Good(CodeSummary),
    /// It cannot be used.
    Bad(Saying),
}

/// What a code says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodeSummary {
    /// The code itself.
    pub text: CodeText,
    /// The addresses that joining contacts.
    pub contacts: Vec<SocketAddr>,
    /// How long it can still be used.
    pub expires_in: Duration,
    /// What this machine's clock says, if by it the code is over: then it is tried all the same.
    pub over_by: Option<String>,
}

/// What the window looks like; kept from one start to the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// `en`, `de`, `fr`, `es`; the system's when there is none.
    pub language: Option<String>,
    /// Light, dark, or as the system is.
    pub theme: Theme,
    /// Stronger contrast of texts and outlines.
    pub high_contrast: bool,
    /// Size of texts and everything else, 0.8 to 2.
    pub text_size: f32,
    /// Where the window was, and how large.
    pub place: Option<Place>,
    /// What is done to what the microphone hears.
    pub processing: Processing,
    /// How much is sent; kept beside these.
    #[serde(skip)]
    pub sending: Sending,
}

/// How much is sent, and what its amount may tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sending {
    /// What all links together may send at most, kbit/s; none for as much as they carry.
    pub uplink: Option<u32>,
    /// Pictures are sent at one rate, whatever they show.
    pub constant_rate: bool,
}

/// What is done to what a microphone hears before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Processing {
    /// The echo of what the loudspeaker plays is taken out.
    pub echo: bool,
    /// Steady noise is lowered.
    pub noise: bool,
    /// A quiet or loud voice is brought to the usual level.
    pub gain: bool,
}

impl Default for Processing {
    fn default() -> Self {
        Self {
            echo: true,
            noise: true,
            gain: true,
        }
    }
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            language: None,
            theme: Theme::System,
            high_contrast: false,
            text_size: 1.0,
            place: None,
            processing: Processing::default(),
            sending: Sending::default(),
        }
    }
}

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// As the system is.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// A window's place on the screen, in points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// From the left; none where the system does not say.
    pub x: Option<f32>,
    /// From the top.
    pub y: Option<f32>,
    /// Of the contents.
    pub width: f32,
    /// Of the contents.
    pub height: f32,
}
