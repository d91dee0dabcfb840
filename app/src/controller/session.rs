//! The beginning and the end of a call.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sightline_media::av1::EncoderKind;
use sightline_mesh::{Entry, Record, Setup, interfaces};
use sightline_mesh_proto::{Admit, End, Name};
use sightline_ui::model::{Call, Choice, Rule, Saying, SayingKey};

use super::Controller;
use crate::clock;
use crate::disk;
use crate::exit::Exit;
use crate::observer::PlayoutObserver;
use crate::participant::{Media, Participant, StartError};
use crate::record::{self, SaveError};
use crate::state::device::{DeviceKind, Fate};
use crate::state::{self, Topic, view_model};
use crate::update::Update;

/// How a call is to be entered.
pub struct Wanted {
    /// Started, or joined with a code.
    pub entry: Entry,
    /// Shown to the others.
    pub name: Name,
    /// Addresses to listen on and share.
    pub addresses: Vec<SocketAddr>,
    /// Where media may go unasked.
    pub rule: Rule,
    /// Who decides about knocks.
    pub admit: Admit,
    /// Whether the others are told over what this machine is connected.
    pub tell_medium: bool,
}

impl Controller {
    /// Takes part in a call, with what was chosen.
    ///
    /// # Errors
    /// [`StartError`]: a sentence for the user.
    pub fn enter(&mut self, wanted: Wanted) -> Result<(), StartError> {
        let (contacts, code_ends) = match &wanted.entry {
            Entry::Start => (Vec::new(), None),
            Entry::Join(code) => (code.addresses().collect(), Some(code.expires)),
        };
        let name = wanted.name.as_str().to_owned();
        let setup = Setup {
            entry: wanted.entry,
            addresses: wanted.addresses,
            name: wanted.name,
            interfaces: self.interfaces.clone(),
            tell_medium: wanted.tell_medium,
            rule: view_model::rule(wanted.rule),
            admit: wanted.admit,
            clock: self.clock,
        };
        let camera = self.sources.take_capture();
        let media = Media {
            microphone: None,
            camera,
            speaker: None,
            record: self.record.clone(),
            encoder: self.encoder,
            level: self.level(),
            muted: self.muted(),
            limits: self.limits,
            processing: Arc::clone(&self.processing),
        };
        let observer = self
            .screen
            .as_ref()
            .map(|screen| Arc::clone(screen) as Arc<dyn PlayoutObserver>);
        self.sources.end_trials();
        let participant = match Participant::start(setup, media, observer, self.sink()) {
            Ok(participant) => participant,
            Err(error) => {
                // What was tried out goes on being tried out.
                for kind in DeviceKind::ALL {
                    let _told_when_chosen = self.open(kind);
                }
                return Err(error);
            }
        };
        self.report.begin();
        let local = participant.mesh().local().to_vec();
        let is_starter = participant.is_starter();
        let shown = Call {
            name,
            is_in: is_starter,
            rule: wanted.rule,
            local: local.clone(),
            contacts,
            ..Call::default()
        };
        let entry = state::Entered {
            is_starter,
            code_ends,
            interfaces: interfaces::list(&[]),
        };
        let at = self.moment();
        self.state.begin_call(participant.me(), entry, shown, at);
        self.participant = Some(participant);
        // What is not there yet is told when it is.
        if !local.is_empty() {
            self.report.listening(&local, &self.state.registry);
        }
        // What was tried out goes on in the call.
        for kind in [DeviceKind::Speaker, DeviceKind::Microphone] {
            if let Err(error) = self.open(kind) {
                self.tell(kind.key(Fate::Failed), &error.to_string());
            }
        }
        // A joiner's code is made when it is asked for; a starter's is what it was started for.
        if is_starter {
            self.new_code();
        }
        Ok(())
    }

    /// The call is over: everything of it is stopped, said and written down.
    pub(super) fn end_call(&mut self, end: Option<End>) {
        let Some(participant) = self.participant.take() else {
            return;
        };
        let code_ends = self.state.call.as_ref().and_then(|call| call.code_ends);
        let wall = clock::wall();
        self.say_encoder(&participant);
        let record = self.stop(participant);
        self.report.ledger(&record.ledger, &self.state.registry);
        self.save_record(self.save.clone(), record);
        match end {
            Some(end) => self.report.end(end, code_ends, wall),
            None => self.report.fault(),
        }
        self.exit = end.map_or(Exit::Failed, Exit::from);
        let Some(screen) = &self.screen else {
            self.state.call = None;
            self.is_over = true;
            return;
        };
        screen.clear();
        let is_over = code_ends.is_some_and(|ends| wall >= ends);
        self.state.end_call(end, is_over.then(|| clock::in_words(wall)));
        self.muted.store(false, Ordering::Relaxed);
        // Camera and microphone are off until they are switched on again.
        for kind in [DeviceKind::Camera, DeviceKind::Microphone] {
            // Nothing is opened, so nothing can fail.
            let _nothing = self.choose(kind, Choice::Off);
        }
    }

    /// Stops a participant, taking what its threads still have to say: none of them waits for the loop for ever.
    pub(super) fn stop(&mut self, participant: Participant) -> Record {
        // What the call and its media still say is over with them.
        let is_the_users = |update: &Update| match update {
            Update::Call(_)
            | Update::MeshEnded
            | Update::First(..)
            | Update::NeedsKeyFrame(..)
            | Update::Undecodable(_)
            | Update::TooCostly(_)
            | Update::Failed(..)
            | Update::SpeakerRuns
            | Update::MicrophoneRuns
            | Update::CameraRuns
            | Update::Speaking(_)
            | Update::Second(_) => false,
            Update::RecordingRenamed(_)
            | Update::Slept(_)
            | Update::Line(_)
            | Update::Wished
            | Update::NoWindow
            | Update::Devices(_)
            | Update::Interrupted => true,
        };
        let mut kept = Vec::new();
        let record = std::thread::scope(|scope| {
            let stopping = scope.spawn(move || participant.stop());
            while !stopping.is_finished() {
                let update = self.updates.recv_timeout(Duration::from_millis(5)).ok();
                kept.extend(update.filter(is_the_users));
            }
            stopping.join()
        });
        kept.extend(self.updates.try_iter().filter(is_the_users));
        for update in kept {
            self.handle(update);
        }
        // A panic was printed when it happened; what it leaves is an empty record.
        record.unwrap_or_else(|_| Record {
            ledger: sightline_mesh_proto::ledger::Ledger::default(),
            history: sightline_mesh_proto::route::History::default(),
        })
    }

    /// Writes what the call has done to each of these files.
    pub(super) fn save_record(&mut self, paths: Vec<PathBuf>, record: Record) {
        if paths.is_empty() {
            return;
        }
        let (registry, started) = (self.state.registry.clone(), clock::started(self.clock));
        let save = move || {
            let saved = paths
                .iter()
                .map(|path| record::save(path, &record, &registry, started));
            saved.collect()
        };
        let saved = disk::write(save).unwrap_or_else(|| vec![Err(SaveError::Late)]);
        for result in saved {
            match result {
                Ok(path) => {
                    let at = self.moment();
                    self.report.saved(&path);
                    self.state.clear(Topic::Record, None);
                    self.state
                        .say(Saying::new(SayingKey::Saved, path.display().to_string()), at);
                }
                Err(error) => self.tell(SayingKey::Save, &error.to_string()),
            }
        }
    }

    pub(super) fn say_encoder(&mut self, participant: &Participant) {
        if let Some(sent) = participant.sent_pictures().filter(|sent| sent.encoded > 0) {
            let name = match self.encoder {
                EncoderKind::Aom => "aom",
                EncoderKind::Rav1e => "rav1e",
            };
            self.report.encoder(name, &sent);
        }
    }
}

#[cfg(test)]
mod tests {
    use sightline_ui::{Command, Host};

    use sightline_media_proto::VideoTrack;

    use super::super::now;
    use super::*;
    use crate::args::Options;
    use crate::screen::{Screen, Wire};
    use crate::settings::Settings;

    #[test]
    fn a_calls_clock_begins_with_the_call_however_long_the_page_before_it_stood_open() {
        // A minute in which nothing was there to be drawn.
        let mut clock = clock::start();
        clock.start -= Duration::from_secs(60);
        let screen = Arc::<Screen>::default();
        let mut controller = Controller::new(&Options::default(), Settings::default(), clock, Some(screen));
        let wished = clock.since_start(now());
        let wanted = Wanted {
            entry: Entry::Start,
            name: Name::new("Ann"),
            addresses: vec![([127, 0, 0, 1], 0).into()],
            rule: Rule::Listed,
            admit: Admit::Ask,
            tell_medium: false,
        };
        controller.enter(wanted).expect("a call");
        let since = controller.state.model.call.as_ref().map(|call| call.since);
        controller.end_call(Some(End::Left));
        assert!(
            since.is_some_and(|since| since >= wished),
            "{since:?}, not {wished:?}"
        );
    }

    #[test]
    fn no_wish_is_lost_however_much_else_waits() {
        let screen = Arc::<Screen>::default();
        let options = Options::default();
        let controller = Controller::new(
            &options,
            Settings::default(),
            clock::start(),
            Some(Arc::clone(&screen)),
        );
        let wire = Wire {
            screen,
            updates: controller.sink(),
            level: controller.level(),
            muted: controller.muted(),
        };
        while wire
            .updates
            .try_send(Update::NeedsKeyFrame(0, VideoTrack::Camera))
            .is_ok()
        {}
        wire.wish(Command::Quit);
        let (sink, ended) = std::sync::mpsc::sync_channel(1);
        let running = std::thread::spawn(move || sink.send(controller.run()));
        assert_eq!(ended.recv_timeout(Duration::from_secs(60)), Ok(Exit::Wished));
        running.join().expect("no panic").expect("somebody listens");
    }
}
