//! A call that goes on: what its events mean for what is known and shown.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;
use sightline_media_proto::feedback::{Feedback, MemberStatus};
use sightline_media_proto::layer::Subscription;
use sightline_media_proto::overuse::{Degradation, OveruseDetector};
use sightline_media_proto::{AudioTrack, Track, VideoTrack};
use sightline_mesh_proto::interface::Interface;
use sightline_mesh_proto::{Channel, Event, Name, UnixTime, Why};
use sightline_ui::Source;
use sightline_ui::model::{InviteState, Knock, Person, PersonId, Route, Saying, SayingKey, TileSize};

use super::addresses::Rates;
use super::effect::{Effect, ParticipantEffect};
use super::invites::Invites;
use super::measure::Meter;
use super::{Entered, Moment, State, Topic, sayings};

pub const VOICE: Track = Track::Audio(AudioTrack::Voice);
pub const CAMERA: Track = Track::Video(VideoTrack::Camera);

/// A call, from the wish to take part until it is over.
pub struct CallState {
    is_starter: bool,
    /// What the code that led to it says of its end.
    pub code_ends: Option<UnixTime>,
    pub remotes: BTreeMap<PeerId, Remote>,
    /// The newest route to each that is not closed, also before they are members.
    pub routes: HashMap<PeerId, Route>,
    /// From whom sound came in the last second.
    pub hears: Vec<PeerId>,
    /// How large each picture is shown, if there is a window.
    pub tiles: Option<BTreeMap<PersonId, TileSize>>,
    pub overuse: OveruseDetector,
    /// What this machine could not keep up with in the last second.
    pub degradation: Degradation,
    pub told_hears: BTreeMap<String, Vec<String>>,
    pub invites: Invites,
    pub meter: Meter,
    /// This machine's, as of the last second.
    pub interfaces: Vec<Interface>,
    pub rates: Rates,
}

/// What is known of a member while it is in the call.
pub struct Remote {
    /// Since when it is.
    pub since: Instant,
    /// When it was last heard to speak.
    pub spoke: Option<Instant>,
    /// What it says of itself.
    pub status: Option<MemberStatus>,
    /// What was asked of its pictures last, if anything.
    pub asked: Option<Option<Subscription>>,
    /// Large packets do not get through to it.
    pub gets_small: bool,
}

impl CallState {
    /// Nobody else is in it yet.
    pub fn new(entered: Entered) -> Self {
        Self {
            is_starter: entered.is_starter,
            code_ends: entered.code_ends,
            remotes: BTreeMap::new(),
            routes: HashMap::new(),
            hears: Vec::new(),
            tiles: None,
            overuse: OveruseDetector::default(),
            degradation: Degradation::Nothing,
            told_hears: BTreeMap::new(),
            invites: Invites::default(),
            meter: Meter::default(),
            interfaces: entered.interfaces,
            rates: Rates::default(),
        }
    }

    /// How long it took until something of a member was there: counted from the later of the program's start (the
    /// code is given) and the member's coming.
    pub fn since_join(&self, peer: &PeerId, at: Instant, start: Instant) -> Duration {
        let known = self.remotes.get(peer).map_or(start, |remote| remote.since);
        let was_here_before = !self.is_starter && known < start + Duration::from_secs(1);
        let since = if was_here_before { start } else { known };
        at.saturating_duration_since(since)
    }
}

impl State {
    /// Takes an event of the call in.
    pub(super) fn handle_event(&mut self, event: Event, at: Moment) {
        self.mark_changed();
        match event {
            Event::Code(code) => {
                if let Some(call) = &mut self.call {
                    call.invites.add(code, at.now);
                }
                self.handle_invites(at);
            }
            Event::Spent(code, name) => {
                if let Some(call) = &mut self.call {
                    let state = InviteState::UsedBy(name.as_str().to_owned());
                    call.invites.set_state(&code, &state);
                }
                self.handle_invites(at);
            }
            Event::Expired(code) => {
                if let Some(call) = &mut self.call {
                    call.invites.set_state(&code, &InviteState::Expired);
                }
                self.show_invites(at);
            }
            Event::Knock { peer, name, from } => {
                // Who comes again with the same code is shown once.
                self.answer_knock(&peer);
                self.registry.meet(peer, name.as_str());
                let id = self.registry.person(&peer);
                if let Some(shown) = &mut self.model.call {
                    shown.knocks.push(Knock {
                        id,
                        name: name.as_str().to_owned(),
                        from,
                    });
                }
            }
            Event::WentAway(peer) => self.answer_knock(&peer),
            Event::Admitted => {
                let since = self.since_start(at);
                if let Some(shown) = &mut self.model.call {
                    shown.is_in = true;
                    shown.since = since;
                }
            }
            Event::Listening(local) => {
                if let Some(shown) = &mut self.model.call {
                    shown.local = local;
                }
            }
            Event::Joined {
                peer,
                name,
                invited_by,
            } => self.handle_joined(peer, name, invited_by, at),
            Event::Left { peer, why, .. } => self.handle_left(peer, why, at),
            Event::Route(step) => self.handle_step(&step, at),
            Event::Ask(question, name) => self.ask(&question, name.as_ref()),
            Event::Answered(id, _) => {
                if let Some(shown) = &mut self.model.call {
                    shown.questions.retain(|question| question.id != id.0);
                }
            }
            Event::Waiting(peer) => {
                if let Some(person) = self.person_mut(&peer) {
                    person.is_being_asked = true;
                }
            }
            Event::Message {
                peer,
                channel: Channel::Feedback,
                body,
                ..
            } => self.handle_feedback(peer, &body),
            // What it said of a key frame or of itself it says again anyway.
            Event::Unsent(peer, Channel::Feedback, _) => self.forget_asked(&peer),
            // Nothing here sends bulk, or has a use for it.
            Event::Message {
                channel: Channel::Bulk,
                ..
            }
            | Event::Unsent(_, Channel::Bulk, _)
            | Event::Room(..) => {}
            Event::Problem(problem, peer) => {
                let name = peer.map(|peer| self.registry.name(&peer).to_owned());
                let saying = Saying::of(sayings::problem(problem), name.unwrap_or_default());
                self.say_of(peer.as_ref(), saying, at);
            }
            // The call's end is the whole state's.
            Event::Ended(_) => {}
        }
    }

    /// Removes a knock that has been answered, or is of no more use.
    pub fn answer_knock(&mut self, peer: &PeerId) {
        let id = self.registry.person(peer);
        if let Some(shown) = &mut self.model.call {
            shown.knocks.retain(|knock| knock.id != id);
        }
    }

    /// The tile of a member.
    pub(super) fn person_mut(&mut self, peer: &PeerId) -> Option<&mut Person> {
        let id = self.registry.person(peer);
        let shown = self.model.call.as_mut()?;
        shown.people.iter_mut().find(|person| person.id == id)
    }

    fn handle_joined(&mut self, peer: PeerId, name: Name, invited_by: PeerId, at: Moment) {
        let Some(call) = &mut self.call else {
            return;
        };
        let member = self.registry.join(peer, name.as_str());
        call.remotes.insert(
            peer,
            Remote {
                since: at.now,
                spoke: None,
                status: None,
                asked: None,
                gets_small: false,
            },
        );
        let route = call.routes.get(&peer).cloned();
        let is_me = self.registry.me() == Some(invited_by);
        let id = self.registry.person(&peer);
        self.answer_knock(&peer);
        if let Some(shown) = &mut self.model.call {
            shown.people.push(Person {
                id: id.clone(),
                name: name.as_str().to_owned(),
                invited_by: (!is_me).then(|| self.registry.name(&invited_by).to_owned()),
                route,
                volume: 1.0,
                ..Person::default()
            });
        }
        self.clear(Topic::Connection, Some(&peer));
        self.say_of(Some(&peer), Saying::of(SayingKey::Joined, name.as_str()), at);
        self.order_participant(ParticipantEffect::Add(peer, member, name));
        self.effects.push_back(Effect::ShowPerson(member, id));
    }

    fn handle_left(&mut self, peer: PeerId, why: Why, at: Moment) {
        let id = self.registry.person(&peer);
        if let Some(call) = &mut self.call {
            call.remotes.remove(&peer);
            call.meter.forget(&peer);
        }
        if let Some(shown) = &mut self.model.call {
            shown.people.retain(|person| person.id != id);
        }
        if let Some(member) = self.registry.leave(&peer) {
            self.order_participant(ParticipantEffect::Remove(peer, member));
        }
        self.effects.push_back(Effect::HidePerson(id));
        let saying = Saying::of(sayings::gone(why), self.registry.name(&peer));
        self.say_of(Some(&peer), saying, at);
    }

    fn handle_feedback(&mut self, peer: PeerId, body: &[u8]) {
        match Feedback::decode(body) {
            Some(Feedback::KeyFrame(track)) => self.order_participant(ParticipantEffect::KeyFrame(track)),
            Some(Feedback::Subscribe(track, wish)) => {
                self.order_participant(ParticipantEffect::Subscription(peer, track, wish));
            }
            Some(Feedback::Status(status)) => self.handle_status(peer, status),
            None => {}
        }
    }

    fn handle_status(&mut self, peer: PeerId, status: MemberStatus) {
        let Some(member) = self.registry.member(&peer) else {
            return;
        };
        let is_off = |track: &VideoTrack| !status.sends.contains(&Track::Video(*track));
        for track in VideoTrack::ALL.into_iter().filter(is_off) {
            self.order_participant(ParticipantEffect::ExpectPause(member, track));
        }
        let has_video = status.sends.contains(&CAMERA);
        if let Some(person) = self.person_mut(&peer) {
            person.muted = status.is_muted || !status.sends.contains(&VOICE);
            person.has_video = has_video;
        }
        if !has_video {
            // A picture that is not sent any more is not shown again when the next one is.
            let picture = Source::Camera(self.registry.person(&peer));
            self.effects.push_back(Effect::HidePicture(picture));
        }
        if let Some(remote) = self.remote_mut(&peer) {
            remote.status = Some(status);
        }
    }

    pub(super) fn forget_asked(&mut self, peer: &PeerId) {
        if let Some(remote) = self.remote_mut(peer) {
            remote.asked = None;
        }
    }

    fn remote_mut(&mut self, peer: &PeerId) -> Option<&mut Remote> {
        self.call.as_mut()?.remotes.get_mut(peer)
    }

    /// Codes were made, or are of use to nobody else.
    fn handle_invites(&mut self, at: Moment) {
        self.clear(Topic::Codes, None);
        self.show_invites(at);
    }

    /// Takes back the code of this number, or every code.
    pub fn withdraw(&mut self, number: Option<u64>, at: Moment) {
        let withdrawn = self.call.as_mut().map(|call| call.invites.withdraw(number));
        let withdrawn = withdrawn.unwrap_or_default();
        if !withdrawn.is_empty() {
            self.clear(Topic::Codes, None);
        }
        for code in withdrawn {
            self.order(sightline_mesh_proto::Command::WithdrawCode(Box::new(code)));
        }
        self.show_invites(at);
    }

    /// Codes, with the time that is left.
    pub(super) fn show_invites(&mut self, at: Moment) {
        if let (Some(call), Some(shown)) = (&self.call, &mut self.model.call) {
            shown.invites = call.invites.shown(at.now);
        }
    }
}
