//! Sentences for the user: a key, and what stands in the sentence.

/// A sentence, by its key, with what stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saying {
    /// Which sentence.
    pub key: SayingKey,
    /// Whom it concerns, if anybody: the text's `$name`.
    pub name: Option<String>,
    /// What the operating system or a library said, a path, a device's name, a letter's number: the text's
    /// `$detail`.
    pub detail: String,
}

impl Saying {
    /// A sentence about nobody in particular.
    #[must_use]
    pub fn new(key: SayingKey, detail: impl Into<String>) -> Self {
        Self {
            key,
            name: None,
            detail: detail.into(),
        }
    }

    /// A sentence about somebody, whose name may be empty.
    #[must_use]
    pub fn of(key: SayingKey, name: impl Into<String>) -> Self {
        Self {
            key,
            name: Some(name.into()),
            detail: String::new(),
        }
    }
}

macro_rules! keys {
    ($($(#[$doc:meta])* $key:ident => $word:literal,)*) => {
        /// Names a sentence. Its text stands in `locales/`, as `say-` and its word.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum SayingKey {
            $($(#[$doc])* $key,)*
        }

        impl SayingKey {
            /// Every key.
            pub const ALL: &[Self] = &[$(Self::$key),*];

            /// A stable word for programs.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$key => $word,)*
                }
            }
        }
    };
}

keys! {
    /// The camera cannot be used.
    Camera => "camera",
    /// Pictures come from another camera now.
    CameraMoved => "camera_moved",
    /// The camera is back.
    CameraBack => "camera_back",
    /// The camera is gone, and there is no other.
    CameraGone => "camera_gone",
    /// The microphone cannot be used.
    Microphone => "microphone",
    /// Sound comes from another microphone now.
    MicrophoneMoved => "microphone_moved",
    /// The microphone is back.
    MicrophoneBack => "microphone_back",
    /// The microphone is gone, and there is no other.
    MicrophoneGone => "microphone_gone",
    /// The loudspeaker cannot be used.
    Speaker => "speaker",
    /// Sound goes to another loudspeaker now.
    SpeakerMoved => "speaker_moved",
    /// The loudspeaker is back.
    SpeakerBack => "speaker_back",
    /// The loudspeaker is gone, and there is no other.
    SpeakerGone => "speaker_gone",
    /// Pictures cannot be encoded.
    Encoder => "encoder",
    /// A member cannot be heard or seen.
    Playout => "playout",
    /// Recording has ended.
    Recording => "recording",
    /// A recording has another name than usual.
    RecordingRenamed => "recording_renamed",
    /// Every second picture is left out: this machine is overloaded.
    DegradedFrameRate => "gave_way_rate",
    /// Pictures are small: this machine is overloaded.
    DegradedResolution => "gave_way_size",
    /// Pictures of others than who speaks are left out: this machine is overloaded.
    DegradedNonSpeakers => "gave_way_others",
    /// All pictures are left out: this machine is overloaded.
    DegradedAllVideo => "gave_way_pictures",
    /// This machine keeps up again.
    LoadBack => "load_back",
    /// Somebody is in the call.
    Joined => "joined",
    /// Somebody has left.
    Left => "left",
    /// Nobody can reach somebody any more.
    Lost => "lost",
    /// This machine's own system lets nothing out to somebody.
    CutOff => "cut_off",
    /// A member's picture could not be decoded.
    Undecodable => "undecodable",
    /// A member's pictures take more of this machine than pictures do.
    PictureTooCostly => "picture_too_costly",
    /// Only small packets get through to a member.
    SmallPacketsOnly => "small_packets_only",
    /// A member's program sent what makes no sense.
    Malformed => "malformed",
    /// A member's program sent too many messages.
    Flood => "flood",
    /// Somebody could not prove who they are.
    Handshake => "handshake",
    /// Keys could not be renewed.
    KeysExpired => "keys_expired",
    /// Packets were dropped.
    Dropped => "dropped",
    /// A list of people does not hold together.
    Roster => "roster",
    /// The user's rule forbids a connection.
    NotApproved => "not_approved",
    /// No further code can be made.
    TooManyCodes => "too_many_codes",
    /// An address that the call uses is gone.
    InterfaceGone => "interface_gone",
    /// A member comes by ever new routes.
    TooManyQuestions => "too_many_questions",
    /// A member's program stopped reading.
    Stalled => "stalled",
    /// A code can be made in a call only.
    NotInCall => "not_in_call",
    /// No address that is shared is there.
    NoAddressYet => "no_address_yet",
    /// A port is in use.
    PortTaken => "port_taken",
    /// A socket could not be bound to its interface.
    NotPinned => "not_pinned",
    /// A member is looked for.
    MemberSought => "member_sought",
    /// A member does not answer.
    MemberUnreachable => "member_unreachable",
    /// No connection with a member came about.
    MemberUnfinished => "member_unfinished",
    /// No address here reaches a member's.
    MemberNoPair => "member_no_pair",
    /// The address here that would reach a member is not there.
    MemberNotUp => "member_not_up",
    /// A member's addresses are this machine's own.
    MemberOwnAddresses => "member_own_addresses",
    /// This machine's firewall lets nothing out to a member.
    MemberFirewall => "member_firewall",
    /// Packets to a member are too large for the network.
    MemberTooLarge => "member_too_large",
    /// There is no route to a member.
    MemberNoRoute => "member_no_route",
    /// Packets to a member could not be sent.
    MemberNotSent => "member_not_sent",
    /// The call is over, as the user wished.
    Ended => "ended",
    /// Nobody answered.
    Unreachable => "unreachable",
    /// Nobody answered, and by this machine's clock the code is over.
    UnreachableOver => "unreachable_over",
    /// No connection came about.
    Unfinished => "unfinished",
    /// No address here reaches the code's.
    NoPair => "no_pair",
    /// The address here that would reach them is not there.
    NotUp => "not_up",
    /// The code's addresses are this machine's own.
    OwnAddresses => "own_addresses",
    /// This machine's firewall lets nothing out.
    Firewall => "firewall",
    /// Packets are too large for the network.
    TooLarge => "too_large",
    /// There is no route.
    NoRoute => "no_route",
    /// Packets could not be sent.
    NotSent => "not_sent",
    /// Somebody else answered.
    Impostor => "impostor",
    /// Who gave the code went away.
    InviterGone => "inviter_gone",
    /// The connection to who gave the code was lost.
    LineLost => "line_lost",
    /// The call is full.
    Full => "full",
    /// Who gave the code said no.
    Declined => "declined",
    /// The other side could not make sense of the request.
    Refused => "refused",
    /// The network side stopped working.
    Fault => "fault",
    /// The code has been used.
    CodeUsed => "code_used",
    /// The code has been withdrawn.
    CodeWithdrawn => "code_withdrawn",
    /// The code has expired.
    CodeExpired => "code_expired",
    /// There is no code.
    CodeEmpty => "code_empty",
    /// A character that no code has.
    CodeCharacter => "code_character",
    /// A character that looks like one of a code's.
    CodeLookAlike => "code_look_alike",
    /// The code's end is missing.
    CodeCut => "code_cut",
    /// It is too long for a code.
    CodeTooLong => "code_too_long",
    /// There are two codes.
    CodeSeveral => "code_several",
    /// A letter is wrong.
    CodeWrongLetter => "code_wrong_letter",
    /// A newer version made it.
    CodeNewerVersion => "code_newer_version",
    /// It holds no address that can be called.
    CodeNoAddress => "code_no_address",
    /// There is no code in a picture.
    PictureEmpty => "picture_empty",
    /// A picture cannot be read.
    PictureBad => "picture_bad",
    /// This machine's clock is wrong.
    ClockWrong => "clock_wrong",
    /// A clip does not say how many pictures a second it has.
    ClipRate => "clip_rate",
    /// Settings could not be kept.
    Settings => "settings",
    /// Settings could not be read.
    SettingsUnread => "settings_unread",
    /// Settings name what this version does not know.
    SettingsUnknown => "settings_unknown",
    /// The record could not be written.
    Save => "save",
    /// The record was written.
    Saved => "saved",
    /// A call could not begin.
    Start => "start",
}
