//! Devices: what the user chose of each kind, what is in use, and what stands in for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use sightline_media::camera;
use sightline_media::devices::Present;
use sightline_media::{Capture, Level, Listening, Picture, Source, Speaker, Viewer};
use sightline_ui::model::Choice;
use sightline_ui::{Pictures, Source as Shown};

use crate::participant::SourceError;
use crate::screen::Yuv;
use crate::state::device::DeviceKind;
use crate::update::{Failed, Update, Updates, try_tell};

/// A device that could not be opened this often in a row is passed over. A sound service in which another device
/// has just gone refuses now and then what works a moment later.
pub const TRIES: u8 = 3;

/// A choice, and what came of it.
#[derive(Default)]
pub struct Slot {
    pub choice: Choice,
    /// The device's name, or what stands for one.
    pub in_use: Option<String>,
    /// Devices that did not work, and how often in a row.
    pub failed: BTreeMap<String, u8>,
    /// It is wanted and there is none.
    pub is_missing: bool,
    /// The user was told so.
    pub is_told_gone: bool,
}

/// All three.
pub struct Sources {
    pub present: Present,
    pub slots: [Slot; 3],
    /// Before a call.
    pub capture: Option<Capture>,
    pub listening: Option<Listening>,
    pub speaker: Option<Speaker>,
    /// The loudspeaker that plays the tone before a call, and until when.
    pub tone: Option<(Speaker, Instant)>,
    pub level: Arc<Level>,
    viewer: Arc<dyn Viewer>,
    pub seed: u64,
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
    pub fn resolve(&self, kind: DeviceKind) -> (Source, Option<String>) {
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
    pub fn replacement(&self, kind: DeviceKind) -> Option<String> {
        let slot = &self.slots[kind as usize];
        let names = kind.names(&self.present);
        pick(&slot.choice, names, kind.default_of(&self.present), &slot.failed).cloned()
    }

    pub fn open_camera(&self, source: &Source) -> Result<Option<Capture>, SourceError> {
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
