//! Devices: what the user chose, what is in use, and what happens when one comes or goes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sightline_media::camera::{self, CameraError};
use sightline_media::devices::Present;
use sightline_media::microphone::{self, MicrophoneError};
use sightline_media::{
    Capture, Level, Listening, Picture, Processing, Source, Speaker, SpeakerError, Viewer,
};
use sightline_media_proto::VideoTrack;
use sightline_ui::model::{Choice, SayingKey};
use sightline_ui::{Pictures, Source as Shown};

use super::Controller;
use crate::participant::SourceError;
use crate::screen::Yuv;
use crate::state::Topic;
use crate::state::device::{DeviceKind, Fate};
use crate::update::{Failed, Update, Updates, try_tell};

/// A device that could not be opened this often in a row is passed over. A sound service in which another device
/// has just gone refuses now and then what works a moment later.
const TRIES: u8 = 3;

/// A choice, and what came of it.
#[derive(Default)]
struct Slot {
    choice: Choice,
    /// The device's name, or what stands for one.
    in_use: Option<String>,
    /// Devices that did not work, and how often in a row.
    failed: BTreeMap<String, u8>,
    /// It is wanted and there is none.
    is_missing: bool,
    /// The user was told so.
    is_told_gone: bool,
}

/// All three.
pub struct Sources {
    present: Present,
    slots: [Slot; 3],
    /// Before a call.
    capture: Option<Capture>,
    listening: Option<Listening>,
    speaker: Option<Speaker>,
    /// The loudspeaker that plays the tone before a call, and until when.
    tone: Option<(Speaker, Instant)>,
    pub level: Arc<Level>,
    viewer: Arc<dyn Viewer>,
    seed: u64,
}

/// The device that a choice means now: the one that was named, or else the system's, or else the first that is
/// there and works. `None` when there is none.
fn pick<'a>(
    choice: &'a Choice,
    names: &'a [String],
    default: Option<&'a String>,
    failed: &BTreeMap<String, u8>,
) -> Option<&'a String> {
    let named = match choice {
        Choice::Named(name) => Some(name),
        _ => None,
    };
    let works = |name: &&String| names.contains(name) && failed.get(*name).is_none_or(|times| *times < TRIES);
    named.into_iter().chain(default).chain(names).find(works)
}

impl Sources {
    pub fn new(present: Present, viewer: Arc<dyn Viewer>, seed: u64) -> Self {
        Self {
            present,
            slots: Default::default(),
            capture: None,
            listening: None,
            speaker: None,
            tone: None,
            level: Arc::default(),
            viewer,
            seed,
        }
    }

    pub fn in_use(&self, kind: DeviceKind) -> Option<&String> {
        self.slots[kind as usize].in_use.as_ref()
    }

    pub const fn choice(&self, kind: DeviceKind) -> &Choice {
        &self.slots[kind as usize].choice
    }

    /// What to open for a choice, and what it is called.
    fn resolve(&self, kind: DeviceKind) -> (Source, Option<String>) {
        match &self.slots[kind as usize].choice {
            Choice::Off => (Source::Off, None),
            Choice::Test => (Source::Test, Some("test".into())),
            Choice::File(path) => (Source::File(path.clone()), Some(path.display().to_string())),
            // Who names a device means that one, and hears so when it is not there.
            Choice::Named(name) => (Source::Device(Some(name.clone())), Some(name.clone())),
            Choice::Default => {
                let name = self.replacement(kind);
                (Source::Device(name.clone()), name)
            }
        }
    }

    /// The device that stands in for what was chosen, now.
    fn replacement(&self, kind: DeviceKind) -> Option<String> {
        let slot = &self.slots[kind as usize];
        let names = kind.names(&self.present);
        pick(&slot.choice, names, kind.default_of(&self.present), &slot.failed).cloned()
    }

    fn open_camera(&self, source: &Source) -> Result<Option<Capture>, SourceError> {
        let camera = camera::open(source)?;
        let capture = camera.map(|camera| Capture::start(camera, Arc::clone(&self.viewer)));
        Ok(capture.transpose()?)
    }

    /// What the camera saw last, before a call.
    pub fn latest_picture(&self) -> Option<Arc<Picture>> {
        self.capture.as_ref()?.latest()
    }

    /// The camera that runs already, for a call that begins.
    pub fn take_capture(&mut self) -> Option<Capture> {
        self.capture.take()
    }

    /// Gives back what was tried before a call.
    pub fn end_trials(&mut self) {
        self.capture = None;
        self.listening = None;
        self.speaker = None;
        self.tone = None;
    }

    /// A tone that has been played to its end needs its loudspeaker no more.
    pub fn handle_time(&mut self, now: Instant) {
        if self.tone.as_ref().is_some_and(|(_, until)| now >= *until) {
            self.tone = None;
        }
    }
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

/// Takes what the own camera gives.
pub struct OwnPicture {
    pub pictures: Option<Arc<Pictures>>,
    pub wake: Box<dyn Fn() + Send + Sync>,
    pub updates: Updates,
}

impl Viewer for OwnPicture {
    fn captured(&self, picture: &Arc<Picture>) {
        if let Some(pictures) = &self.pictures {
            pictures.put(Shown::Own, Arc::new(Yuv(Arc::clone(picture))));
            (self.wake)();
        }
    }

    fn camera_failed(&self, message: String) {
        try_tell(&self.updates, Update::Failed(Failed::Camera, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_device_is_replaced_by_the_next_sensible_one() {
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let all = names(&["Laptop", "Headset", "Screen"]);
        let default = "Laptop".to_owned();
        let none = BTreeMap::new();
        let headset = Choice::Named("Headset".into());
        let picked = |choice, names: &[String], failed| pick(choice, names, Some(&default), failed).cloned();
        assert_eq!(picked(&headset, &all, &none).as_deref(), Some("Headset"));
        assert_eq!(picked(&Choice::Default, &all, &none).as_deref(), Some("Laptop"));
        // Unplugged: the system's choice; that one gone, too: whichever is there.
        assert_eq!(
            picked(&headset, &names(&["Screen", "Laptop"]), &none).as_deref(),
            Some("Laptop")
        );
        assert_eq!(
            picked(&headset, &names(&["Screen"]), &none).as_deref(),
            Some("Screen")
        );
        assert_eq!(picked(&headset, &[], &none), None);
        // What is listed and does not work is passed over.
        let failed = BTreeMap::from([("Headset".to_owned(), TRIES), ("Laptop".to_owned(), TRIES)]);
        assert_eq!(picked(&headset, &all, &failed).as_deref(), Some("Screen"));
    }
}
