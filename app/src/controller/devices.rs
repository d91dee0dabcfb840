//! Devices opened, replaced when they go, and used again when they are back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sightline_media::camera::CameraError;
use sightline_media::devices::Present;
use sightline_media::microphone::{self, MicrophoneError};
use sightline_media::{Listening, Processing, Source, Speaker, SpeakerError};
use sightline_media_proto::VideoTrack;
use sightline_ui::Source as Shown;
use sightline_ui::model::{Choice, SayingKey};

use super::Controller;
use super::sources::{Slot, TRIES};
use crate::participant::SourceError;
use crate::state::Topic;
use crate::state::device::{DeviceKind, Fate};
use crate::update::{Failed, Update, try_tell};

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
        let (source, name) = self.sources.resolve(kind);
        self.open_as(kind, &source, name)
    }

    fn open_as(
        &mut self,
        kind: DeviceKind,
        source: &Source,
        name: Option<String>,
    ) -> Result<(), SourceError> {
        self.sources.slots[kind as usize].in_use = None;
        let is_there =
            !matches!(source, Source::Device(None)) || !kind.names(&self.sources.present).is_empty();
        let opened = match kind {
            // The system's choice among none.
            DeviceKind::Camera if !is_there => Err(CameraError::NotFound(None).into()),
            DeviceKind::Microphone if !is_there => Err(MicrophoneError::NotFound(None).into()),
            DeviceKind::Speaker if !is_there => Err(SpeakerError::NotFound(None).into()),
            DeviceKind::Camera => self.open_camera(source),
            DeviceKind::Microphone => self.open_microphone(source),
            DeviceKind::Speaker => self.open_speaker(source),
        };
        let slot = &mut self.sources.slots[kind as usize];
        // What was wanted and could not be had is tried again.
        slot.is_missing = opened.is_err() && slot.choice.is_device();
        match opened {
            Ok(()) => {
                slot.is_told_gone = false;
                slot.in_use = match (name, source) {
                    (None, Source::Device(asked)) => Some(asked.clone().unwrap_or_default()),
                    (name, _) => name,
                };
                self.state.clear(Topic::Device(kind), None);
            }
            Err(_) => {
                if let Some(name) = name {
                    *slot.failed.entry(name).or_default() += 1;
                }
            }
        }
        self.show_sources();
        opened
    }

    fn open_camera(&mut self, source: &Source) -> Result<(), SourceError> {
        self.sources.capture = None;
        if let Some(participant) = &mut self.participant {
            participant.set_video(VideoTrack::Camera, None)?;
        }
        if let Some(screen) = &self.screen {
            screen.pictures.remove(&Shown::Own);
        }
        let capture = self.sources.open_camera(source)?;
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
                let failed = self.sink.clone();
                let failed = move |why| try_tell(&failed, Update::Failed(Failed::Microphone, why));
                let level = Arc::clone(&self.sources.level);
                self.sources.listening = Some(Listening::start(microphone, level, failed)?);
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
    pub(super) fn test_speaker(&mut self, now: Instant) {
        if let Some(participant) = &self.participant {
            return participant.playout().play_tone();
        }
        let (source, _) = self.sources.resolve(DeviceKind::Speaker);
        let Source::Device(name) = source else {
            return;
        };
        match Speaker::open(name.as_deref()) {
            Ok(mut speaker) => {
                speaker.play_tone();
                self.sources.tone = Some((speaker, now + Duration::from_millis(900)));
                self.state.clear(Topic::Device(DeviceKind::Speaker), None);
            }
            Err(error) => self.tell(SayingKey::Speaker, &error.to_string()),
        }
    }

    /// Devices came or went: what is in use and gone is replaced, what was chosen and is back is used again. The
    /// user is told of both.
    pub(super) fn handle_devices(&mut self, present: Present) {
        self.sources.present = present;
        for kind in DeviceKind::ALL {
            self.sources.slots[kind as usize].failed.clear();
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

    /// A device gives or takes nothing any more.
    pub(super) fn handle_source_failure(&mut self, kind: DeviceKind) {
        let slot = &mut self.sources.slots[kind as usize];
        if let Some(name) = slot.in_use.take() {
            slot.failed.insert(name, TRIES);
            self.look_again(kind);
        }
        self.show_sources();
    }

    fn look_again(&mut self, kind: DeviceKind) {
        let slot = &self.sources.slots[kind as usize];
        if !slot.choice.is_device() {
            return;
        }
        let names = kind.names(&self.sources.present);
        let wanted = self.sources.replacement(kind);
        let is_gone = slot.in_use.as_ref().is_none_or(|name| !names.contains(name));
        let (had_one, was_told_gone) = (
            slot.in_use.is_some() || !slot.failed.is_empty(),
            slot.is_told_gone,
        );
        match wanted {
            Some(name) if slot.in_use.as_ref() != Some(&name) => {
                let is_chosen = matches!(&slot.choice, Choice::Named(chosen) if *chosen == name);
                let fate = if is_chosen || was_told_gone || !is_gone {
                    Fate::Back
                } else {
                    Fate::Moved
                };
                match self.open_as(kind, &Source::Device(Some(name.clone())), Some(name.clone())) {
                    Ok(()) => self.tell(kind.key(fate), &name),
                    // The next one, if there is one.
                    Err(_) => self.look_again(kind),
                }
            }
            None if is_gone && !was_told_gone && had_one => {
                let slot = &mut self.sources.slots[kind as usize];
                slot.is_missing = true;
                slot.is_told_gone = true;
                slot.in_use = None;
                self.switch_off(kind);
                self.tell(kind.key(Fate::Gone), "");
            }
            _ => {}
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
        own.camera = self.sources.in_use(DeviceKind::Camera).cloned();
        own.microphone = self.sources.in_use(DeviceKind::Microphone).cloned();
        own.speaker = self.sources.in_use(DeviceKind::Speaker).cloned();
        own.camera_is_missing = self.sources.slots[DeviceKind::Camera as usize].is_missing;
        own.microphone_is_missing = self.sources.slots[DeviceKind::Microphone as usize].is_missing;
        let devices = &self.sources.present.devices;
        self.state.model.devices = sightline_ui::model::Devices {
            cameras: devices.cameras.clone(),
            microphones: devices.microphones.clone(),
            speakers: devices.speakers.clone(),
        };
        self.state.mark_changed();
    }
}
