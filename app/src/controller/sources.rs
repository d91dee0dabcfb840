//! Devices: what the user chose of each kind, what is in use, and what stands in for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use sightline_media::camera::Camera;
use sightline_media::devices::{self, Device, Present};
use sightline_media::{Capture, Level, Listening, Picture, Source, Speaker, Viewer};
use sightline_ui::model::Choice;
use sightline_ui::{Pictures, Source as Shown};

use crate::participant::SourceError;
use crate::screen::Yuv;
use crate::state::device::{DeviceKind, Fate};
use crate::update::{Failed, Update, Updates, tell_timeout};

/// A device that did not work this often in a row is passed over. A sound service in which another device has just gone
/// refuses now and then what works a moment later.
pub const TRIES: u8 = 3;

/// What is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InUse {
    /// A device's id, or what stands for one.
    pub id: String,
    /// What the user calls it.
    pub label: String,
}

/// A choice, and what came of it.
#[derive(Default)]
pub struct Slot {
    pub choice: Choice,
    /// The id of the device that was chosen, once it was there: another of its name may come.
    pub chosen: Option<String>,
    /// What is opened.
    pub in_use: Option<InUse>,
    /// What the user is told once that works.
    pub fate: Option<Fate>,
    /// Devices that did not work, by their ids, and how often in a row.
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
    pub level: Arc<Level>,
    viewer: Arc<dyn Viewer>,
    pub seed: u64,
}

impl Slot {
    /// The device that the choice means among these: the one that was chosen, or else another of its name, or the system's, or the
    /// first that works. What a loudspeaker plays is no microphone, unless it was chosen. `None` when there is none.
    fn pick<'a>(&self, devices: &'a [Device], default: Option<&String>) -> Option<&'a Device> {
        let chosen = self
            .chosen
            .iter()
            .flat_map(|id| devices.iter().filter(move |device| device.id == *id));
        let named = match &self.choice {
            Choice::Named(name) => devices::find(name, devices),
            _ => None,
        };
        let others = || devices.iter().filter(|device| !device.is_monitor);
        let default = others().find(|device| Some(&device.id) == default);
        let works = |device: &&Device| self.failed.get(&device.id).is_none_or(|times| *times < TRIES);
        chosen.chain(named).chain(default).chain(others()).find(works)
    }

    /// Whether this device is the one that was chosen.
    pub fn is_chosen(&self, id: &str) -> bool {
        self.chosen.as_deref() == Some(id)
    }
}

impl Sources {
    pub fn new(present: Present, viewer: Arc<dyn Viewer>, seed: u64) -> Self {
        Self {
            present,
            slots: Default::default(),
            capture: None,
            listening: None,
            speaker: None,
            level: Arc::default(),
            viewer,
            seed,
        }
    }

    pub fn in_use(&self, kind: DeviceKind) -> Option<&InUse> {
        self.slots[kind as usize].in_use.as_ref()
    }

    pub const fn choice(&self, kind: DeviceKind) -> &Choice {
        &self.slots[kind as usize].choice
    }

    /// What to open for a choice, and what it is called.
    pub fn resolve(&mut self, kind: DeviceKind) -> (Source, Option<InUse>) {
        let made_up = |text: String| InUse {
            id: text.clone(),
            label: text,
        };
        match &self.slots[kind as usize].choice {
            Choice::Off => (Source::Off, None),
            Choice::Test => (Source::Test, Some(made_up("test".into()))),
            Choice::File(path) => (
                Source::File(path.clone()),
                Some(made_up(path.display().to_string())),
            ),
            // Who names a device means that one, and hears so when it is not there.
            Choice::Named(name) => {
                let name = name.clone();
                self.recognise(kind);
                match self.slots[kind as usize].chosen.clone() {
                    Some(id) => self.device(kind, &id),
                    None => (Source::Device(Some(name.clone())), Some(made_up(name))),
                }
            }
            Choice::Default => match self.replacement(kind) {
                Some(id) => self.device(kind, &id),
                None => (Source::Device(None), None),
            },
        }
    }

    /// Notes which device was chosen, as soon as one of that name is there.
    pub fn recognise(&mut self, kind: DeviceKind) {
        let slot = &mut self.slots[kind as usize];
        if let (Choice::Named(name), None) = (&slot.choice, &slot.chosen) {
            let device = devices::find(name, kind.among(&self.present));
            slot.chosen = device.map(|device| device.id.clone());
        }
    }

    /// A device to open, by its id, and what it is called.
    pub fn device(&self, kind: DeviceKind, id: &str) -> (Source, Option<InUse>) {
        let among = kind.among(&self.present);
        let device = among.iter().find(|device| device.id == id);
        let in_use = InUse {
            id: id.to_owned(),
            label: device.map_or_else(|| id.to_owned(), |device| devices::label(device, among)),
        };
        (Source::Device(Some(id.to_owned())), Some(in_use))
    }

    /// The id of the device that a choice means now, or that stands in for it.
    pub fn replacement(&self, kind: DeviceKind) -> Option<String> {
        let picked =
            self.slots[kind as usize].pick(kind.among(&self.present), kind.default_of(&self.present));
        picked.map(|device| device.id.clone())
    }

    /// Whether a device of this kind is there.
    pub fn has(&self, kind: DeviceKind, id: &str) -> bool {
        kind.among(&self.present).iter().any(|device| device.id == id)
    }

    /// What devices of a kind are called.
    pub fn labels(&self, kind: DeviceKind) -> Vec<String> {
        let among = kind.among(&self.present);
        among.iter().map(|device| devices::label(device, among)).collect()
    }

    pub fn start_camera(&self, camera: Box<dyn Camera>) -> Result<Capture, SourceError> {
        Ok(Capture::start(camera, Arc::clone(&self.viewer))?)
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
    }
}

/// Takes what the own camera gives.
pub struct OwnPicture {
    pub pictures: Option<Arc<Pictures>>,
    pub wake: Box<dyn Fn() + Send + Sync>,
    pub updates: Updates,
}

impl Viewer for OwnPicture {
    fn camera_runs(&self) {
        tell_timeout(&self.updates, Update::CameraRuns);
    }

    fn captured(&self, picture: &Arc<Picture>) {
        if let Some(pictures) = &self.pictures {
            pictures.put(Shown::Own, Arc::new(Yuv(Arc::clone(picture))));
            (self.wake)();
        }
    }

    fn camera_failed(&self, message: String) {
        tell_timeout(&self.updates, Update::Failed(Failed::Camera, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(id: &str, name: &str) -> Device {
        Device {
            id: id.into(),
            name: name.into(),
            is_monitor: id.ends_with(".monitor"),
            ..Device::default()
        }
    }

    fn slot(choice: Choice, chosen: Option<&str>) -> Slot {
        Slot {
            choice,
            chosen: chosen.map(str::to_owned),
            ..Slot::default()
        }
    }

    #[test]
    fn a_lost_device_is_replaced_by_the_next_sensible_one() {
        let [laptop, headset, screen] =
            ["Laptop", "Headset", "Screen"].map(|name| device(&name.to_lowercase(), name));
        let default = "laptop".to_owned();
        let picked = |slot: &Slot, devices: &[Device]| {
            slot.pick(devices, Some(&default)).map(|device| device.id.clone())
        };
        let all = [laptop.clone(), headset.clone(), screen.clone()];
        let mut named = slot(Choice::Named("Headset".into()), Some("headset"));
        assert_eq!(picked(&named, &all).as_deref(), Some("headset"));
        assert_eq!(
            picked(&slot(Choice::Default, None), &all).as_deref(),
            Some("laptop")
        );
        // Unplugged: the system's choice; that one gone, too: whichever is there.
        let left = [screen.clone(), laptop];
        assert_eq!(picked(&named, &left).as_deref(), Some("laptop"));
        assert_eq!(picked(&named, &[screen]).as_deref(), Some("screen"));
        assert_eq!(picked(&named, &[]), None);
        // What is listed and does not work is passed over.
        named.failed = BTreeMap::from([("headset".to_owned(), TRIES), ("laptop".to_owned(), TRIES)]);
        assert_eq!(picked(&named, &all).as_deref(), Some("screen"));
    }

    #[test]
    fn of_two_with_one_name_the_one_that_was_chosen_is_used_while_it_is_there() {
        let [first, second] = ["usb-1", "usb-2"].map(|id| device(id, "Headset"));
        let named = slot(Choice::Named("Headset".into()), Some("usb-2"));
        let picked = |devices: &[Device]| named.pick(devices, None).map(|device| device.id.clone());
        assert_eq!(picked(&[first.clone(), second]).as_deref(), Some("usb-2"));
        assert_eq!(picked(&[first]).as_deref(), Some("usb-1"), "the next best");
    }

    #[test]
    fn what_a_loudspeaker_plays_is_a_microphone_only_for_whoever_chose_it() {
        let devices = [
            device("out.monitor", "Monitor of Laptop"),
            device("mic", "Laptop"),
        ];
        let monitor = "out.monitor".to_owned();
        let picked = |slot: &Slot, devices: &[Device]| {
            slot.pick(devices, Some(&monitor)).map(|device| device.id.clone())
        };
        let default = slot(Choice::Default, None);
        assert_eq!(picked(&default, &devices).as_deref(), Some("mic"));
        assert_eq!(picked(&default, &devices[..1]), None);
        let meant = slot(Choice::Named("Monitor of Laptop".into()), None);
        assert_eq!(picked(&meant, &devices).as_deref(), Some("out.monitor"));
    }
}
