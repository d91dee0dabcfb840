//! A call that goes on: its participant, and what its events mean for the window's model.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;
use sightline_media_proto::feedback::{Feedback, MemberStatus};
use sightline_media_proto::layer::{Layer, Subscription};
use sightline_media_proto::overuse::{Degradation, OveruseDetector};
use sightline_media_proto::video::PartSize;
use sightline_media_proto::{AudioTrack, Track, VideoTrack};
use sightline_mesh::interfaces;
use sightline_mesh_proto::address::Pair;
use sightline_mesh_proto::code::DEFAULT_LIFETIME;
use sightline_mesh_proto::interface::Interface;
use sightline_mesh_proto::route::State;
use sightline_mesh_proto::{Channel, Code, Event, UnixTime, Why};
use sightline_ui::model::{
    AddressRow, Call, Graph, Invite, InviteState, Knock, Person, PersonId, Question, TileSize,
};

use super::measure::{Measured, Meter};
use super::view_model::{self, Names};
use crate::participant::Participant;
use crate::zone;

/// 400 ms: how long somebody is shown as speaking after their last loud block: the pause between two words.
const PAUSE: Duration = Duration::from_millis(400);

/// 5 s: how long two members may take until they hear each other.
const SETTLING: Duration = Duration::from_secs(5);

/// With more others than this a tile in a usual window is small.
const MANY: usize = 6;

const VOICE: Track = Track::Audio(AudioTrack::Voice);
const CAMERA: Track = Track::Video(VideoTrack::Camera);

/// Steps of routes that are shown; the record has more.
const MAX_STEPS: usize = 1024;

/// A code of this participant's.
pub struct Given {
    pub code: Code,
    pub state: InviteState,
    ends_at: Instant,
}

/// A call, from the wish to take part until it is over.
pub struct Running {
    pub participant: Participant,
    /// What the code that led to it says of its end.
    pub code_ends: Option<UnixTime>,
    /// Peers that have knocked and wait to be admitted, with their names.
    pub knocking: HashMap<PeerId, String>,
    /// When each member was first known.
    since: HashMap<PeerId, Instant>,
    /// When each was last heard to speak.
    spoke: HashMap<PeerId, Instant>,
    /// What each says of itself.
    reports: HashMap<PeerId, MemberStatus>,
    /// From whom sound came in the last second.
    hears: Vec<PeerId>,
    /// How large each picture is shown, if there is a window.
    pub tiles: Option<BTreeMap<PersonId, TileSize>>,
    /// What was asked of each member last.
    asked: HashMap<PeerId, Option<Subscription>>,
    load: OveruseDetector,
    /// What this machine could not keep up with in the last second.
    pub degradation: Degradation,
    told_hears: BTreeMap<String, Vec<String>>,
    pub invites: Vec<Given>,
    meter: Meter,
    /// To whom large packets do not get through.
    gets_small: HashSet<PeerId>,
    /// This machine's, as of the last second.
    interfaces: Vec<Interface>,
    rates: HashMap<Option<Pair>, (u64, u64, Graph)>,
}

impl Running {
    pub fn new(participant: Participant, code_ends: Option<UnixTime>) -> Self {
        Self {
            participant,
            code_ends,
            knocking: HashMap::new(),
            since: HashMap::new(),
            spoke: HashMap::new(),
            reports: HashMap::new(),
            hears: Vec::new(),
            tiles: None,
            asked: HashMap::new(),
            load: OveruseDetector::default(),
            degradation: Degradation::Nothing,
            told_hears: BTreeMap::new(),
            invites: Vec::new(),
            meter: Meter::default(),
            gets_small: HashSet::new(),
            interfaces: interfaces::list(&[]),
            rates: HashMap::new(),
        }
    }

    /// How long it took until something of a member was there: counted from the later of the program's start (the
    /// code is given) and the member's coming.
    pub fn since_join(&self, peer: &PeerId, at: Instant, start: Instant) -> Duration {
        let known = self.since.get(peer).copied().unwrap_or(start);
        let was_here_before = !self.participant.is_starter() && known < start + Duration::from_secs(1);
        let since = if was_here_before { start } else { known };
        at.saturating_duration_since(since)
    }

    /// Takes an event in, after the participant has.
    pub fn handle_event(
        &mut self,
        event: &Event,
        shown: &mut Call,
        names: &Names,
        started: UnixTime,
        now: Instant,
    ) {
        match event {
            Event::Code(code) => self.invites.push(Given {
                code: code.clone(),
                state: InviteState::Open,
                ends_at: now + DEFAULT_LIFETIME,
            }),
            Event::Spent(code, name) => {
                self.set_invite_state(code, &InviteState::UsedBy(name.as_str().to_owned()));
            }
            Event::Expired(code) => self.set_invite_state(code, &InviteState::Expired),
            Event::Knock { peer, name, from } => {
                // Who comes again with the same code is shown once.
                self.answered(peer, shown);
                self.knocking.insert(*peer, name.as_str().to_owned());
                shown.knocks.push(Knock {
                    id: view_model::person(peer),
                    name: name.as_str().to_owned(),
                    from: *from,
                });
            }
            Event::WentAway(peer) => self.answered(peer, shown),
            Event::Admitted => shown.is_in = true,
            Event::Listening(local) => shown.local.clone_from(local),
            Event::Joined {
                peer,
                name,
                invited_by,
            } => {
                self.since.insert(*peer, now);
                self.answered(peer, shown);
                let is_me = *invited_by == self.participant.me();
                let history = self.participant.mesh().record().history;
                let mut steps = history.steps().filter(|step| step.route.peer == Some(*peer));
                let route = steps
                    .next_back()
                    .map(|step| view_model::route(step, names, &self.interfaces));
                shown.people.push(Person {
                    id: view_model::person(peer),
                    name: name.as_str().to_owned(),
                    invited_by: (!is_me).then(|| names.get(invited_by).cloned().unwrap_or_default()),
                    route,
                    volume: 1.0,
                    ..Person::default()
                });
            }
            Event::Left { peer, .. } => {
                let id = view_model::person(peer);
                shown.people.retain(|person| person.id != id);
                self.meter.forget(peer);
                self.reports.remove(peer);
                self.asked.remove(peer);
                self.spoke.remove(peer);
            }
            Event::Route(step) => {
                // On a new route what was asked for on the one before is asked for again.
                if let Some(peer) = step.route.peer.filter(|_| step.route.state == State::Active) {
                    self.asked.remove(&peer);
                }
                let id = step.route.peer.map(|peer| view_model::person(&peer));
                let person = shown
                    .people
                    .iter_mut()
                    .find(|person| Some(&person.id) == id.as_ref());
                if let Some(person) = person {
                    // What was tried beside the way that media takes is in the history only.
                    let is_beside = person.route.as_ref().is_some_and(|route| {
                        let flows = route.state == sightline_ui::model::RouteState::Active;
                        let is_it = route.path.local == step.route.path.local
                            && route.path.remote == step.route.path.remote;
                        flows && !is_it && step.route.state != State::Active
                    });
                    if !is_beside {
                        person.route = Some(view_model::route(step, names, &self.interfaces));
                        person.is_being_asked = false;
                    }
                }
                let steps = Arc::make_mut(&mut shown.history.steps);
                steps.push(view_model::step(
                    step,
                    names,
                    &self.interfaces,
                    (started, zone::local),
                ));
                if steps.len() > MAX_STEPS {
                    steps.remove(0);
                    shown.history.earlier += 1;
                }
            }
            Event::Ask(question, name) => shown.questions.push(Question {
                id: question.id.0,
                name: name.as_ref().map(|name| name.as_str().to_owned()),
                person: question.new.peer.map(|peer| view_model::person(&peer)),
                old: question
                    .old
                    .as_ref()
                    .map(|path| view_model::path(path, names, &self.interfaces)),
                new: view_model::path(&question.new.path, names, &self.interfaces),
                reason: question.reason.word(),
                tells_address: question.tells,
                wider_rule: view_model::wider(shown.rule).filter(|_| !question.tells),
            }),
            Event::Answered(id, _) => shown.questions.retain(|question| question.id != id.0),
            Event::Waiting(peer) => {
                let id = view_model::person(peer);
                for person in shown.people.iter_mut().filter(|person| person.id == id) {
                    person.is_being_asked = true;
                }
            }
            // What it said of a key frame or of itself it says again anyway.
            Event::Unsent(peer, Channel::Feedback, _) => {
                self.asked.remove(peer);
            }
            Event::Message {
                peer,
                channel: Channel::Feedback,
                body,
                ..
            } => {
                if let Some(Feedback::Status(report)) = Feedback::decode(body) {
                    let id = view_model::person(peer);
                    for person in shown.people.iter_mut().filter(|person| person.id == id) {
                        person.muted = report.is_muted || !report.sends.contains(&VOICE);
                        person.has_video = report.sends.contains(&CAMERA);
                    }
                    self.reports.insert(*peer, report);
                }
            }
            _ => {}
        }
    }

    fn set_invite_state(&mut self, code: &Code, state: &InviteState) {
        for given in self.invites.iter_mut().filter(|given| given.code == *code) {
            given.state.clone_from(state);
        }
    }

    /// The machine slept for so long: codes have so much less time left.
    pub fn handle_sleep(&mut self, slept: Duration, now: Instant) {
        for given in &mut self.invites {
            given.ends_at = given.ends_at.checked_sub(slept).unwrap_or(now);
        }
    }

    /// Removes a knock that has been answered.
    pub fn answered(&mut self, peer: &PeerId, shown: &mut Call) {
        self.knocking.remove(peer);
        let id = view_model::person(peer);
        shown.knocks.retain(|knock| knock.id != id);
    }

    /// Whether what a member's event says is to be told in passing.
    pub const fn passing(event: &Event) -> Option<(&'static str, &PeerId)> {
        match event {
            Event::Joined { peer, .. } => Some(("joined", peer)),
            Event::Left {
                peer, why: Why::Left, ..
            } => Some(("left", peer)),
            Event::Left {
                peer, why: Why::Lost, ..
            } => Some(("lost", peer)),
            Event::Left {
                peer,
                why: Why::CutOff,
                ..
            } => Some(("cut_off", peer)),
            _ => None,
        }
    }

    /// Measures every link; to be called once a second.
    pub fn measure(&mut self, shown: &mut Call) -> Vec<Measured> {
        let stats = self.participant.take_stats();
        let encode = self.participant.take_encode_time();
        let measured = stats.into_iter().map(|stats| self.meter.measure(stats, encode));
        let measured: Vec<_> = measured.collect();
        for one in &measured {
            let id = view_model::person(&one.stats.peer);
            for person in shown.people.iter_mut().filter(|person| person.id == id) {
                one.show(person);
                // Before its first report, a picture that comes shows that it is sent.
                person.has_video |=
                    !self.reports.contains_key(&one.stats.peer) && one.stats.media.pictures > 0;
            }
        }
        self.hears = measured
            .iter()
            .filter(|one| one.played > 0)
            .map(|one| one.stats.peer)
            .collect();
        let members: Vec<_> = measured.iter().map(|one| one.stats.peer).collect();
        self.participant.send_report(&members, &self.hears);
        measured
    }

    /// To whom large packets do not get through since the last second, or do again.
    pub fn take_packet_sizes(&mut self, measured: &[Measured]) -> Vec<(PeerId, bool)> {
        let is_small = |one: &Measured| {
            let size = one.stats.sending.map(|sending| sending.packet_size);
            size.is_some_and(|size| size < PartSize::Full)
        };
        let small = measured.iter().filter(|one| is_small(one));
        let small: HashSet<_> = small.map(|one| one.stats.peer).collect();
        let before = std::mem::replace(&mut self.gets_small, small);
        let changed = before.symmetric_difference(&self.gets_small);
        changed
            .map(|peer| (*peer, self.gets_small.contains(peer)))
            .collect()
    }

    /// Looks how well this machine keeps up. Returns what gave way before and what does now, if that has changed.
    pub fn handle_load(&mut self) -> Option<(Degradation, Degradation)> {
        let second = self.participant.take_load();
        let degradation = self.load.handle_sample(&second);
        let before = std::mem::replace(&mut self.degradation, degradation);
        if before == degradation {
            return None;
        }
        self.participant.set_degradation(degradation);
        Some((before, degradation))
    }

    /// Asks each member for as much of its pictures as is of use here, where that has changed.
    pub fn ask_all(&mut self, shown: Option<&Call>) {
        let Some(shown) = shown else { return };
        // Without a window pictures are as large as they would be in one.
        let usual = if shown.people.len() > MANY {
            Layer::Small
        } else {
            Layer::Medium
        };
        let spoke = self
            .spoke
            .iter()
            .max_by_key(|(_, at)| **at)
            .map(|(peer, _)| *peer);
        for person in &shown.people {
            let Ok(peer) = person.id.0.parse::<PeerId>() else {
                continue;
            };
            let size = self.tiles.as_ref().and_then(|tiles| tiles.get(&person.id));
            let layer = match size {
                Some(TileSize::Hidden) => None,
                Some(TileSize::Small) => Some(Layer::Small),
                Some(TileSize::Medium) => Some(Layer::Medium),
                Some(TileSize::Large) => Some(Layer::Large),
                None => Some(usual),
            };
            let wish = self
                .degradation
                .limit(layer.map(Subscription::whole), spoke == Some(peer));
            let before = self.asked.insert(peer, wish);
            if before == Some(wish) {
                continue;
            }
            if wish.is_none() || before == Some(None) {
                self.participant.expect_pause(&peer, VideoTrack::Camera);
            }
            self.participant.ask(peer, VideoTrack::Camera, wish);
        }
    }

    /// Who hears whom, by what everybody says: peer → peers, when that has changed.
    pub fn take_hears(&mut self) -> Option<BTreeMap<String, Vec<String>>> {
        let texts = |peers: &[PeerId]| {
            let mut texts: Vec<_> = peers.iter().map(PeerId::to_string).collect();
            texts.sort();
            texts
        };
        let mut matrix: BTreeMap<_, _> = self
            .reports
            .iter()
            .map(|(peer, report)| (peer.to_string(), texts(&heard(report))))
            .collect();
        matrix.insert(self.participant.me().to_string(), texts(&self.hears));
        let changed = matrix != self.told_hears;
        self.told_hears.clone_from(&matrix);
        changed.then_some(matrix)
    }

    /// Whom each member cannot hear, though they send sound: a hole has a name.
    pub fn show_holes(&self, shown: &mut Call, names: &Names, now: Instant) {
        let me = self.participant.me();
        let is_settled = |peer: &PeerId| {
            let since = self.since.get(peer);
            since.is_some_and(|since| now.saturating_duration_since(*since) > SETTLING)
        };
        for person in &mut shown.people {
            let Some((peer, report)) = self
                .reports
                .iter()
                .find(|(peer, _)| view_model::person(peer) == person.id)
            else {
                continue;
            };
            let heard = heard(report);
            let others = self
                .reports
                .iter()
                .filter(|(other, report)| *other != peer && report.sends.contains(&VOICE));
            let others = others
                .map(|(other, _)| *other)
                .filter(|other| is_settled(other) && is_settled(peer));
            let mine = (self.participant.sends_audio() && is_settled(peer)).then_some(me);
            let missed = others.chain(mine).filter(|other| !heard.contains(other));
            let name = |other: PeerId| (other != me).then(|| names.get(&other).cloned().unwrap_or_default());
            person.cannot_hear = missed.map(name).collect();
        }
    }

    /// Who speaks just now. True when that has changed.
    pub fn show_speakers(&mut self, shown: &mut Call, now: Instant) -> bool {
        let mut changed = false;
        for peer in self.since.keys() {
            let Some(member) = self.participant.member(peer) else {
                continue;
            };
            if self.participant.playout().is_speaking(member) {
                self.spoke.insert(*peer, now);
            }
            let spoke = self.spoke.get(peer);
            let speaks = spoke.is_some_and(|spoke| now.saturating_duration_since(*spoke) < PAUSE);
            let id = view_model::person(peer);
            for person in shown.people.iter_mut().filter(|person| person.id == id) {
                changed |= person.speaking != speaks;
                person.speaking = speaks;
            }
        }
        changed
    }

    /// Codes, with the time that is left.
    pub fn show_invites(&self, shown: &mut Call, now: Instant) {
        let invite = |(n, given): (usize, &Given)| Invite {
            number: n as u64 + 1,
            code: given.code.to_string().into(),
            expires_in: given.ends_at.saturating_duration_since(now),
            state: given.state.clone(),
        };
        shown.invites = self.invites.iter().enumerate().map(invite).collect();
    }

    /// Every address, with its rates over the last second.
    pub fn show_addresses(&mut self, shown: &mut Call, names: &Names) {
        let ledger = self.participant.mesh().ledger();
        self.interfaces = interfaces::list(&[]);
        let earlier = ledger.earlier();
        let sum = (earlier.counts != sightline_mesh_proto::ledger::Counts::default()).then_some((
            None,
            None,
            &earlier.counts,
            earlier.first,
            earlier.last,
        ));
        let rows = ledger
            .rows()
            .map(|(pair, row)| (Some(pair), row.peer, &row.counts, row.first, row.last));
        let mut rates = HashMap::new();
        let mut addresses = Vec::new();
        for (pair, peer, counts, first, last) in rows.chain(sum) {
            let totals = (counts.sent_bytes, counts.recv_bytes);
            let (sent, received, mut graph) =
                self.rates
                    .remove(&pair)
                    .unwrap_or((totals.0, totals.1, Graph::default()));
            // A row that was summed up and began anew has counted less.
            let sending = totals.0.saturating_sub(sent) * 8;
            let receiving = totals.1.saturating_sub(received) * 8;
            graph.push(sending + receiving);
            rates.insert(pair, (totals.0, totals.1, graph.clone()));
            let interface = pair.and_then(|(local, _)| {
                let of = self
                    .interfaces
                    .iter()
                    .find(|interface| interface.address == local.ip());
                of.map(|interface| interface.name.clone())
            });
            addresses.push(AddressRow {
                pair,
                interface,
                whose: peer.map(|peer| names.get(&peer).cloned().unwrap_or_default()),
                sent: totals.0,
                received: totals.1,
                refused: counts.refused_packets,
                sending,
                receiving,
                first,
                last,
                graph,
            });
        }
        self.rates = rates;
        shown.addresses = addresses;
    }
}

fn heard(report: &MemberStatus) -> Vec<PeerId> {
    report
        .hears
        .iter()
        .filter_map(|bytes| PeerId::from_bytes(bytes).ok())
        .collect()
}
