//! Devices opened, replaced when they go, and used again when they are back.

use std::sync::Arc;

use sightline_media::camera::{self, CameraError};
use sightline_media::devices::{Found, Watcher};
use sightline_media::microphone::{self, MicrophoneError};
use sightline_media::{Listening, Processing, Source, Speaker, SpeakerError};
use sightline_media_proto::VideoTrack;
use sightline_ui::Source as Shown;
use sightline_ui::model::{Choice, Saying, SayingKey};

use super::Controller;
use super::sources::{InUse, Slot};
use crate::participant::SourceError;
use crate::state::Topic;
use crate::state::device::{DeviceKind, Fate};
use crate::update::{Failed, Update, tell_timeout, try_tell};

/// Who looks which devices are there.
pub struct Watchers {
    pub cameras: Option<Watcher>,
    pub sound: Option<Watcher>,
}

impl Controller {
    /// Takes sound, pictures or the loudspeaker from here on.
    ///
    /// # Errors
    /// [`SourceError`]: it is off then.
    pub(super) fn choose(&mut self, kind: DeviceKind, choice: Choice) -> Result<(), SourceError> {
        let slot = &mut self.sources.slots[kind as usize];
        *slot = Slot {
            choice,
            ..Slot::default()
        };
        self.open(kind)
    }

    /// Opens what was chosen.
    pub(super) fn open(&mut self, kind: DeviceKind) -> Result<(), SourceError> {
        let (source, in_use) = self.sources.resolve(kind);
        self.open_as(kind, &source, in_use)
    }

    fn open_as(
        &mut self,
        kind: DeviceKind,
        source: &Source,
        in_use: Option<InUse>,
    ) -> Result<(), SourceError> {
        self.sources.slots[kind as usize].in_use = None;
        let opened = match source {
            Source::Device(id) if !self.is_there(kind, id.as_deref()) => {
                if !self.is_known(kind) {
                    // What is there is said later.
                    self.lose(kind);
                    return Ok(());
                }
                Err(not_found(kind, id.clone()))
            }
            _ => match kind {
                DeviceKind::Camera => self.open_camera(source),
                DeviceKind::Microphone => self.open_microphone(source),
                DeviceKind::Speaker => self.open_speaker(source),
            },
        };
        let slot = &mut self.sources.slots[kind as usize];
        // What was wanted and could not be had is tried again.
        slot.is_missing = opened.is_err() && slot.choice.is_device();
        match &opened {
            Ok(()) => {
                slot.in_use = in_use;
                self.state.clear(Topic::Device(kind), None);
            }
            Err(_) => {
                if let Some(InUse { id, .. }) = in_use {
                    *slot.failed.entry(id).or_default() += 1;
                }
            }
        }
        self.show_sources();
        opened
    }

    /// Whether a device is there, or for the system's choice any.
    fn is_there(&self, kind: DeviceKind, id: Option<&str>) -> bool {
        match id {
            Some(id) => self.sources.has(kind, id),
            None => self.sources.replacement(kind).is_some(),
        }
    }

    /// Whether it is known which devices of a kind are there: what is asked for them answers.
    fn is_known(&self, kind: DeviceKind) -> bool {
        let watchers = self.watchers.as_ref();
        let watcher = watchers.and_then(|watchers| match kind {
            DeviceKind::Camera => watchers.cameras.as_ref(),
            DeviceKind::Microphone | DeviceKind::Speaker => watchers.sound.as_ref(),
        });
        watcher.is_none_or(Watcher::answers)
    }

    fn open_camera(&mut self, source: &Source) -> Result<(), SourceError> {
        self.sources.capture = None;
        if let Some(participant) = &mut self.participant {
            participant.set_video(VideoTrack::Camera, None)?;
        }
        if let Some(screen) = &self.screen {
            screen.pictures.remove(&Shown::Own);
        }
        let camera = camera::open(source)?;
        if let (Source::File(path), Some(camera)) = (source, &camera)
            && !camera.has_own_rate()
        {
            self.tell(SayingKey::ClipRate, &path.display().to_string());
        }
        let capture = camera
            .map(|camera| self.sources.start_camera(camera))
            .transpose()?;
        match &mut self.participant {
            Some(participant) => participant.set_video(VideoTrack::Camera, capture)?,
            None => self.sources.capture = capture,
        }
        Ok(())
    }

    fn open_microphone(&mut self, source: &Source) -> Result<(), SourceError> {
        self.sources.listening = None;
        self.sources.level.clear();
        if let Some(participant) = &mut self.participant {
            participant.set_microphone(None)?;
        }
        self.set_processing();
        let microphone = microphone::open(source, self.sources.seed)?;
        match (&mut self.participant, microphone) {
            (Some(participant), microphone) => participant.set_microphone(microphone)?,
            (None, Some(microphone)) => {
                let (runs, failed) = (self.sink.clone(), self.sink.clone());
                let runs = move || tell_timeout(&runs, Update::MicrophoneRuns);
                let failed = move |why| tell_timeout(&failed, Update::Failed(Failed::Microphone, why));
                let level = Arc::clone(&self.sources.level);
                self.sources.listening = Some(Listening::start(microphone, level, runs, failed)?);
            }
            (None, None) => {}
        }
        Ok(())
    }

    /// What is done to the microphone's sound: what the user prefers, for a device; a clip and a made-up voice are sent as
    /// they are, unless somebody said otherwise.
    pub(super) fn set_processing(&self) {
        let is_device = self.sources.choice(DeviceKind::Microphone).is_device();
        let preferred = is_device.then_some(self.state.model.preferences.processing);
        let wanted = self.processing_wish.or(preferred);
        self.processing
            .set(wanted.map_or(Processing::NONE, |wanted| Processing {
                echo: wanted.echo,
                noise: wanted.noise,
                gain: wanted.gain,
            }));
    }

    fn open_speaker(&mut self, source: &Source) -> Result<(), SourceError> {
        self.sources.speaker = None;
        if let Some(participant) = &self.participant {
            participant.playout().set_speaker(None);
        }
        let speaker = match source {
            Source::Device(name) => Some(Speaker::open(name.as_deref())?),
            Source::Off | Source::Test | Source::File(_) => None,
        };
        match &self.participant {
            Some(participant) => participant.playout().set_speaker(speaker),
            None => self.sources.speaker = speaker,
        }
        Ok(())
    }

    /// Plays a tone on the loudspeaker that was chosen.
    pub(super) fn test_speaker(&mut self) {
        if let Some(participant) = &self.participant {
            return participant.playout().play_tone();
        }
        let (Source::Device(id), _) = self.sources.resolve(DeviceKind::Speaker) else {
            return;
        };
        let sink = self.sink.clone();
        let failed = move |why| try_tell(&sink, Update::Failed(Failed::Speaker, why));
        match Speaker::play_tone(id.as_deref(), failed) {
            Ok(()) => self.state.clear(Topic::Device(DeviceKind::Speaker), None),
            Err(error) => self.tell(SayingKey::Speaker, &error.to_string()),
        }
    }

    /// Devices came or went: what is in use and gone is replaced, what was chosen and is back is used again. The
    /// user is told of both.
    pub(super) fn handle_devices(&mut self, found: Found) {
        let kinds: &[_] = match &found {
            Found::Cameras(_) => &[DeviceKind::Camera],
            // Whoever is without both hears again first.
            Found::Sound(_) => &[DeviceKind::Speaker, DeviceKind::Microphone],
        };
        let mut now = self.sources.present.clone();
        now.update(found);
        let before = std::mem::replace(&mut self.sources.present, now);
        for kind in kinds.iter().copied() {
            // One with which something has happened may work now.
            let is_same = |id: &String| {
                let of = |present| kind.among(present).iter().find(|device| device.id == *id);
                of(&before) == of(&self.sources.present)
            };
            self.sources.slots[kind as usize]
                .failed
                .retain(|id, _| is_same(id));
            self.sources.recognise(kind);
            self.look_again(kind);
        }
        self.show_sources();
    }

    /// What is wanted and missing is tried again once a second.
    pub(super) fn retry_missing(&mut self) {
        for kind in DeviceKind::ALL {
            if self.sources.slots[kind as usize].is_missing {
                self.sources.slots[kind as usize].failed.clear();
                self.look_again(kind);
            }
        }
    }

    /// A device gives or takes nothing any more, or never did.
    pub(super) fn handle_source_failure(&mut self, kind: DeviceKind, saying: Saying) {
        let slot = &mut self.sources.slots[kind as usize];
        let Some(InUse { id, .. }) = slot.in_use.take() else {
            // None that is in use: the one that was to play a tone.
            let at = self.moment();
            return self.state.say(saying, at);
        };
        if self.is_known(kind) {
            *self.sources.slots[kind as usize].failed.entry(id).or_default() += 1;
            self.look_again(kind);
        } else {
            self.lose(kind);
        }
        self.show_sources();
    }

    /// A device works: the user is told if it is another one than before, or the one that was missed.
    pub(super) fn handle_source_running(&mut self, kind: DeviceKind) {
        let slot = &mut self.sources.slots[kind as usize];
        let Some(InUse { id, label }) = slot.in_use.clone() else {
            return;
        };
        slot.failed.remove(&id);
        slot.is_told_gone = false;
        if let Some(fate) = slot.fate.take() {
            self.tell(kind.key(fate), &label);
        }
    }

    fn look_again(&mut self, kind: DeviceKind) {
        let slot = &self.sources.slots[kind as usize];
        if !slot.choice.is_device() || !self.is_known(kind) {
            return;
        }
        let had_one = slot.in_use.is_some() || !slot.failed.is_empty();
        let in_use = slot
            .in_use
            .as_ref()
            .filter(|in_use| self.sources.has(kind, &in_use.id));
        match self.sources.replacement(kind) {
            Some(id) if in_use.is_none_or(|in_use| in_use.id != id) => {
                let is_back = slot.is_chosen(&id) || slot.is_told_gone || in_use.is_some();
                // What failed once and is opened again is no news.
                let is_news = slot.is_told_gone || slot.fate.is_some() || !slot.failed.contains_key(&id);
                let fate = is_news.then_some(if is_back { Fate::Back } else { Fate::Moved });
                self.sources.slots[kind as usize].fate = fate;
                let (source, in_use) = self.sources.device(kind, &id);
                if self.open_as(kind, &source, in_use).is_err() {
                    // The next one, if there is one.
                    self.look_again(kind);
                }
            }
            None if in_use.is_none() && had_one => self.lose(kind),
            _ => {}
        }
    }

    /// A device that is wanted is not there, and no other.
    fn lose(&mut self, kind: DeviceKind) {
        self.switch_off(kind);
        let slot = &mut self.sources.slots[kind as usize];
        slot.in_use = None;
        slot.is_missing = true;
        if !std::mem::replace(&mut slot.is_told_gone, true) {
            self.tell(kind.key(Fate::Gone), "");
        }
    }

    /// Lets go of a device that is gone; what was chosen stays chosen.
    fn switch_off(&mut self, kind: DeviceKind) {
        // Nothing is opened, so nothing can fail.
        let _nothing = match kind {
            DeviceKind::Camera => self.open_camera(&Source::Off),
            DeviceKind::Microphone => self.open_microphone(&Source::Off),
            DeviceKind::Speaker => self.open_speaker(&Source::Off),
        };
    }

    /// Names of devices, for the window.
    pub(super) fn show_sources(&mut self) {
        let own = &mut self.state.model.own;
        let label = |kind| self.sources.in_use(kind).map(|in_use| in_use.label.clone());
        own.camera = label(DeviceKind::Camera);
        own.microphone = label(DeviceKind::Microphone);
        own.speaker = label(DeviceKind::Speaker);
        own.camera_is_missing = self.sources.slots[DeviceKind::Camera as usize].is_missing;
        own.microphone_is_missing = self.sources.slots[DeviceKind::Microphone as usize].is_missing;
        self.state.model.devices = sightline_ui::model::Devices {
            cameras: self.sources.labels(DeviceKind::Camera),
            microphones: self.sources.labels(DeviceKind::Microphone),
            speakers: self.sources.labels(DeviceKind::Speaker),
        };
        self.state.mark_changed();
    }
}

fn not_found(kind: DeviceKind, name: Option<String>) -> SourceError {
    match kind {
        DeviceKind::Camera => CameraError::NotFound(name).into(),
        DeviceKind::Microphone => MicrophoneError::NotFound(name).into(),
        DeviceKind::Speaker => SpeakerError::NotFound(name).into(),
    }
}
