//! The command line.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use sightline_media::av1::EncoderKind;
use sightline_media::{Sink, Source};
use sightline_mesh_proto::Admit;

use crate::report::Voice;
use crate::share::SharedAddress;

/// What `join --help` ends with.
const UNANSWERED: &str = "\
When nobody answers: the person who gave you the code has left, your networks do not reach each other, or a firewall on
their machine, or a router on the way, keeps your packets out. It has to let UDP in at the port that the code names.
Other reasons why nobody is reached are told at the end. The exit status is 4 for all of them.";

/// Private group calls that need nobody else: no server, no account.
#[derive(Debug, Parser)]
#[command(
    name = "sightline",
    version,
    disable_help_subcommand = true,
    args_conflicts_with_subcommands = true
)]
pub struct Arguments {
    /// What to do; without it, the window is opened.
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// Keep the window's settings in this folder instead of the platform's
    #[arg(long, value_name = "DIR")]
    pub settings: Option<PathBuf>,
    /// Write to this new file what the program does, step by step, for finding faults: no names, addresses, codes or keys
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
}

impl Arguments {
    /// Where diagnostics are written, if anywhere.
    #[must_use]
    pub fn log(&self) -> Option<&Path> {
        let of_verb = match &self.verb {
            Some(Verb::Start(options) | Verb::Join { options, .. }) => options.log.as_deref(),
            _ => None,
        };
        of_verb.or(self.log.as_deref())
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Start a call: prints a code that lets one person in
    Start(Options),
    /// Join a call with a code; `join -` keeps it out of the shell's history and the list of processes
    #[command(after_help = UNANSWERED)]
    Join {
        /// The code, alone or in other text; - reads it from standard input, where it can be pasted
        code: String,
        /// Everything else.
        #[command(flatten)]
        options: Options,
    },
    /// A whole call on this machine, each participant its own process, over loopback
    Demo(DemoOptions),
    /// Say what a code says, without contacting anyone
    Inspect {
        /// The code, alone or in other text; - reads it from standard input, where it can be pasted
        code: String,
    },
    /// List cameras, microphones and loudspeakers
    Devices,
}

/// Options of `start` and `join`.
#[derive(Args, Debug, Default)]
pub struct Options {
    /// Shown to the others
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// An address to share and listen on (repeatable, at most eight times); port 0 picks one. A firewall on this machine has
    /// to let UDP in there. A link-local address names its interface: fe80::1%eth0
    #[arg(long, value_name = "ADDR[:PORT]")]
    pub share: Vec<SharedAddress>,
    /// off, device or device:NAME, file:PATH (Y4M, looped), test
    #[arg(long, value_name = "SRC", default_value = "off")]
    pub camera: Source,
    /// off, device or device:NAME, file:PATH (WAV, looped), test
    #[arg(long, value_name = "SRC", default_value = "off")]
    pub microphone: Source,
    /// device or device:NAME, off
    #[arg(long, value_name = "SRC", default_value = "off")]
    pub speaker: Sink,
    /// Record each member as played out: NAME.wav and NAME.y4m. What is there stays; a second one gets a number
    #[arg(long, value_name = "DIR")]
    pub record: Option<PathBuf>,
    /// Which addresses media may go to unasked [default: listed]; answer with `approve ID` or `deny ID`
    #[arg(long, value_name = "RULE")]
    pub approve: Option<ApproveRule>,
    /// Use only this network interface (repeatable): sockets are bound to it, and nothing leaves by another
    #[arg(long, value_name = "NAME")]
    pub interface: Vec<String>,
    /// Tell the others what kind of network you are on: cable, Wi-Fi, mobile, VPN
    #[arg(long)]
    pub tell_interface: bool,
    /// Write every address and every step of every route to this new file at the end: .json or .html (repeatable).
    /// One that is there stays; the new one gets a number
    #[arg(long, value_name = "FILE")]
    pub save: Vec<PathBuf>,
    /// Who decides whether somebody with a code is let in [default: ask]
    #[arg(long, value_name = "RULE")]
    pub admit: Option<AdmitRule>,
    /// The picture's encoder: aom, rav1e [default: aom]
    #[arg(long, value_name = "NAME")]
    pub encoder: Option<EncoderKind>,
    /// What is done to what the microphone hears: echo, noise, gain, as a list, or off [default: all three for a device,
    /// nothing for a clip or the test voice]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub processing: Vec<ProcessingStep>,
    /// Send at most this to all members together, kbit/s: sound alone where that is too little for
    /// pictures. What each link carries is measured in any case
    #[arg(long, value_name = "KBIT", value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    pub uplink: Option<u32>,
    /// Send pictures at one rate in packets of one size, whatever they show: half as much again, and nobody on the way sees
    /// whether you move
    #[arg(long)]
    pub constant_rate: bool,
    /// Open the window, in this call
    #[arg(long)]
    pub window: bool,
    /// Leave after this many seconds
    #[arg(long, value_name = "S")]
    pub seconds: Option<u32>,
    /// Leave when standard input ends: with the program that runs this one, however that ended
    #[arg(long)]
    pub leave_at_eof: bool,
    /// Events as JSON lines on standard output
    #[arg(long)]
    pub json: bool,
    /// Read settings.json here instead of in the platform's folder
    #[arg(long, value_name = "DIR")]
    pub settings: Option<PathBuf>,
    /// Write to this new file what the program does, step by step, for finding faults: no names, addresses, codes or keys
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
}

impl Options {
    /// How the participant says what happens: beside a window only what other programs read.
    #[must_use]
    pub const fn voice(&self, has_window: bool) -> Voice {
        match (self.json, has_window) {
            (true, _) => Voice::Json,
            (false, false) => Voice::Sentences,
            (false, true) => Voice::Silent,
        }
    }
}

/// What can be done to what the microphone hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProcessingStep {
    /// The echo of what the loudspeaker plays is taken out
    Echo,
    /// Steady noise is lowered
    Noise,
    /// A quiet or loud voice is brought to the usual level
    Gain,
    /// None of them
    Off,
}

/// Options of `demo`.
#[derive(Args, Clone, Debug)]
pub struct DemoOptions {
    /// How many participants
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(2..=10))]
    pub people: u8,
    /// How long [default: 20; with a window, until it is closed]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(3..=86_400))]
    pub seconds: Option<u32>,
    /// Do not open the window, even if there is a screen
    #[arg(long)]
    pub no_window: bool,
    /// Everybody's picture: off, device or device:NAME, file:PATH (Y4M, looped), test
    #[arg(long, value_name = "SRC", default_value = "test")]
    pub camera: String,
    /// Everybody's sound: off, device or device:NAME, file:PATH (WAV, looped), test
    #[arg(long, value_name = "SRC", default_value = "test")]
    pub microphone: String,
    /// The picture's encoder: aom, rav1e
    #[arg(long, value_name = "NAME", default_value = "aom")]
    pub encoder: String,
    /// Record what each participant hears and sees, in a folder for each
    #[arg(long, value_name = "DIR")]
    pub record: Option<PathBuf>,
    /// Everybody's events as JSON lines, each with `participant`, and a summary at the end
    #[arg(long)]
    pub json: bool,
}

/// Where media may go unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ApproveRule {
    /// None: each route is asked about, each time
    Ask,
    /// Addresses in the code that was accepted, and those that members share; any change is asked about
    Listed,
    /// As `listed`, and a route that was approved earlier in the call may come back
    Same,
    /// Any address at which a member proves who it is
    All,
    /// None
    None,
}

impl From<ApproveRule> for sightline_ui::model::Rule {
    fn from(rule: ApproveRule) -> Self {
        match rule {
            ApproveRule::Ask => Self::Ask,
            ApproveRule::Listed => Self::Listed,
            ApproveRule::Same => Self::Same,
            ApproveRule::All => Self::All,
            ApproveRule::None => Self::None,
        }
    }
}

impl From<sightline_ui::model::Rule> for ApproveRule {
    fn from(rule: sightline_ui::model::Rule) -> Self {
        use sightline_ui::model::Rule;
        match rule {
            Rule::Ask => Self::Ask,
            Rule::Listed => Self::Listed,
            Rule::Same => Self::Same,
            Rule::All => Self::All,
            Rule::None => Self::None,
        }
    }
}

/// Who decides about knocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AdmitRule {
    /// The person, each time: `admit PEER` or `refuse PEER` on standard input
    Ask,
    /// Whoever has an open code is let in
    Code,
}

impl From<AdmitRule> for Admit {
    fn from(rule: AdmitRule) -> Self {
        match rule {
            AdmitRule::Ask => Self::Ask,
            AdmitRule::Code => Self::Code,
        }
    }
}
