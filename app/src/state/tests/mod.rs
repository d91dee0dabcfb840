//! A call's updates, and what comes of each: what is shown, and what is to be done.

mod call;
mod media;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::OnceLock;

use sightline_media::Received;
use sightline_media_proto::feedback::MemberStatus;
use sightline_media_proto::layer::{Layer, Subscription};
use sightline_media_proto::overuse::{Degradation, LoadSample};
use sightline_media_proto::{AudioTrack, Track, VideoTrack};
use sightline_mesh_proto::route::{
    Consent, Path, PathKind, Reason, Route, RouteId, State as RouteState, Transition,
};
use sightline_mesh_proto::{Channel, ConnId, LinkStats, Name, Problem, Why};
use sightline_ui::model::{Person, TileSize};

use super::*;
use crate::update::{MemberStats, Second};

/// Seconds since the program's start.
pub fn moment(seconds: u64) -> Moment {
    Moment {
        now: start() + Duration::from_secs(seconds),
        started: UnixTime(1_800_000_000),
    }
}

/// The clock's start, the same for all: only differences mean anything.
#[allow(clippy::disallowed_methods, reason = "some moment")]
fn start() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}

pub fn state() -> State {
    State::new(Model::default(), Clock { start: start() }, |_| Some(0), true)
}

/// Ann, in a call that she started, with Bob and Eve.
struct Sitting {
    state: State,
    me: PeerId,
    bob: PeerId,
    eve: PeerId,
}

impl Sitting {
    fn new() -> Self {
        let [me, bob, eve] = [PeerId::random(), PeerId::random(), PeerId::random()];
        let mut state = state();
        let entry = Entered {
            is_starter: true,
            ..Entered::default()
        };
        state.begin_call(me, entry, Call::default(), moment(0));
        let mut sitting = Self { state, me, bob, eve };
        for (peer, name) in [(bob, "Bob"), (eve, "Eve")] {
            sitting.join(peer, name, 0);
        }
        sitting.state.model.notices.clear();
        sitting.effects();
        sitting
    }

    fn event(&mut self, event: Event, seconds: u64) {
        self.state.reduce(Update::Call(event), moment(seconds));
    }

    fn join(&mut self, peer: PeerId, name: &str, seconds: u64) {
        let joined = Event::Joined {
            peer,
            name: Name::new(name),
            invited_by: self.me,
        };
        self.event(joined, seconds);
    }

    fn leave(&mut self, peer: PeerId, why: Why) {
        let left = Event::Left {
            peer,
            name: Name::new(""),
            invited_by: self.me,
            why,
        };
        self.event(left, 10);
    }

    fn says(&mut self, peer: PeerId, feedback: &Feedback) {
        let message = Event::Message {
            peer,
            conn: ConnId(1),
            channel: Channel::Feedback,
            body: feedback.encode(),
        };
        self.event(message, 10);
    }

    fn is_on(&mut self, peer: PeerId, route: RouteState, remote: u16) {
        let step = Transition {
            at: Duration::from_secs(1),
            old: None,
            route: Route {
                id: RouteId(u64::from(remote)),
                peer: Some(peer),
                path: path(remote),
                state: route,
                approved_by: None,
                theirs: Consent::Given,
            },
            reason: Reason::Again,
        };
        self.event(Event::Route(Box::new(step)), 10);
    }

    fn effects(&mut self) -> Vec<String> {
        let effects = std::iter::from_fn(|| self.state.poll_effect());
        effects.map(|effect| format!("{effect:?}")).collect()
    }

    fn shown(&self) -> &Call {
        self.state.model.call.as_ref().expect("a call")
    }

    fn person(&self, peer: PeerId) -> &Person {
        let id = self.state.registry.person(&peer);
        let mut people = self.shown().people.iter();
        people.find(|person| person.id == id).expect("a member")
    }

    fn notices(&self) -> Vec<SayingKey> {
        let notices = self.state.model.notices.iter();
        notices.map(|notice| notice.saying.key).collect()
    }
}

fn path(remote: u16) -> Path {
    Path {
        kind: PathKind::Direct,
        local: SocketAddr::from(([10, 0, 0, 1], 5)),
        interface: None,
        remote: SocketAddr::from(([10, 0, 0, 2], remote)),
        remote_medium: None,
    }
}

fn status(sends: &[Track], hears: &[PeerId]) -> Feedback {
    Feedback::Status(MemberStatus {
        sends: sends.iter().copied().collect::<BTreeSet<_>>(),
        is_muted: false,
        hears: hears.iter().map(|peer| peer.to_bytes()).collect(),
    })
}

const VOICE: Track = Track::Audio(AudioTrack::Voice);
const CAMERA: Track = Track::Video(VideoTrack::Camera);

/// Whether one of these effects is this one.
fn has(effects: &[String], wanted: &str) -> bool {
    effects.iter().any(|effect| effect.contains(wanted))
}

#[test]
fn each_update_outside_of_a_call_leads_to_what_is_to_be_done() {
    for (update, wanted) in [
        (Update::Interrupted, vec!["Quit"]),
        (Update::NoWindow, vec!["LoseWindow", "Quit"]),
        (Update::Line("mute".into()), vec!["Line(\"mute\")"]),
        (Update::MeshEnded, vec!["EndCall(None)"]),
        (Update::Call(Event::Ended(End::Left)), vec!["EndCall(Some(Left))"]),
        (Update::Wished, vec![]),
        (Update::NeedsKeyFrame(0, VideoTrack::Camera), vec![]),
        (Update::First(0, VOICE, start()), vec![]),
        (Update::Second(Box::default()), vec![]),
    ] {
        let mut state = state();
        let name = format!("{update:?}");
        state.reduce(update, moment(1));
        let effects = std::iter::from_fn(|| state.poll_effect());
        let effects: Vec<_> = effects.map(|effect| format!("{effect:?}")).collect();
        assert_eq!(effects, wanted, "{name}");
    }
}

#[test]
fn who_is_interrupted_without_a_window_leaves_and_with_one_quits() {
    for (has_window, wanted) in [(false, "Command(Leave)"), (true, "Quit")] {
        let mut sitting = Sitting::new();
        sitting.state.has_window = has_window;
        sitting.state.reduce(Update::Interrupted, moment(1));
        assert!(has(&sitting.effects(), wanted), "{wanted}");
    }
}

#[test]
fn a_device_that_fails_is_replaced_and_what_is_none_is_told() {
    let mut sitting = Sitting::new();
    for (failed, key, is_device) in [
        (Failed::Camera, SayingKey::Camera, true),
        (Failed::Microphone, SayingKey::Microphone, true),
        (Failed::Speaker, SayingKey::Speaker, true),
        (Failed::Encoder, SayingKey::Encoder, false),
        (Failed::Recording, SayingKey::Recording, false),
        (Failed::Playout, SayingKey::Playout, false),
    ] {
        sitting.state.model.notices.clear();
        let update = Update::Failed(failed, "It broke".into());
        sitting.state.reduce(update, moment(1));
        let effects = sitting.effects();
        assert!(
            has(&effects, &format!("Failed({key:?}, \"It broke\")")),
            "{effects:?}"
        );
        assert_eq!(has(&effects, "ReplaceDevice("), is_device, "{effects:?}");
        assert_eq!(sitting.notices().contains(&key), !is_device);
    }
}
