//! Settings that a user may keep: what options are taken for when they are not given.

mod file;

use std::path::Path;

use serde::{Deserialize, Serialize};
use sightline_media::av1::EncoderKind;
use sightline_media::{Sink, Source};
use sightline_ui::Model;
use sightline_ui::model::{Choice, Preferences, Rule, Sending};

use self::file::File;
use crate::args::{AdmitRule, ApproveRule, Options};
use crate::choice::{from_sink, from_source};

/// What may be said of the uplink, kbit/s: sound for one at the least, and a rate that can be counted in bits.
pub const UPLINK: std::ops::RangeInclusive<u32> = 100..=1_000_000;

/// `settings.json`. All fields may be missing.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct Settings {
    name: Option<String>,
    approve: Option<ApproveRule>,
    admit: Option<AdmitRule>,
    encoder: Option<String>,
    uplink: Option<u32>,
    constant_rate: bool,
    interfaces: Vec<String>,
    /// Devices as the command line names them: what the window offers first. Nothing is switched on by them.
    camera: Option<String>,
    microphone: Option<String>,
    speaker: Option<String>,
    tell_interface: bool,
    window: Preferences,
    /// Where they were read, and are written.
    #[serde(skip)]
    file: File,
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("The settings in {0} cannot be used: {1}.")]
pub struct SettingsError(String, String);

impl Settings {
    /// Reads the settings in `folder`, or in the platform's; none there are the same as empty ones.
    ///
    /// # Errors
    /// [`SettingsError`] for a file that is there and makes no sense.
    pub fn load(folder: Option<&Path>) -> Result<Self, SettingsError> {
        let mut file = File::in_folder(folder);
        let read = file
            .read()
            .and_then(|settings: Self| settings.check().map(|()| settings));
        match read {
            Ok(settings) => Ok(Self { file, ..settings }),
            Err(why) => Err(SettingsError(file.shown_path(), why)),
        }
    }

    /// Empty ones, in place of those in `folder`, or in the platform's, that cannot be read: they are kept aside when these
    /// are written.
    #[must_use]
    pub fn in_place_of_unread(folder: Option<&Path>) -> Self {
        let mut file = File::in_folder(folder);
        file.keep_aside();
        Self {
            file,
            ..Self::default()
        }
    }

    /// What the file names beside settings that this version knows: it is kept, and has no effect.
    #[must_use]
    pub fn unknown(&self) -> Vec<String> {
        self.file.unknown()
    }

    fn check(&self) -> Result<(), String> {
        if let Some(encoder) = &self.encoder {
            encoder.parse::<EncoderKind>()?;
        }
        if self.uplink.is_some_and(|kilobits| !UPLINK.contains(&kilobits)) {
            return Err(format!(
                "the uplink is not between {} and {} kbit/s",
                UPLINK.start(),
                UPLINK.end()
            ));
        }
        let to_text = |error: sightline_media::SpecError| error.to_string();
        for source in self.camera.iter().chain(&self.microphone) {
            source.parse::<Source>().map_err(to_text)?;
        }
        if let Some(sink) = &self.speaker {
            sink.parse::<Sink>().map_err(to_text)?;
        }
        Ok(())
    }

    /// Fills in what `options` leave open.
    pub fn complete(&self, options: &mut Options) {
        options.name = options.name.take().or_else(|| self.name.clone());
        options.approve = options.approve.or(self.approve);
        options.admit = options.admit.or(self.admit);
        options.tell_interface |= self.tell_interface;
        if options.interface.is_empty() {
            options.interface.clone_from(&self.interfaces);
        }
        options.encoder = options.encoder.or_else(|| self.encoder.as_ref()?.parse().ok());
        options.uplink = options.uplink.or(self.uplink);
        options.constant_rate |= self.constant_rate;
    }

    /// Fills in what the window begins with.
    pub fn show(&self, model: &mut Model) {
        let source = |text: &Option<String>| {
            let source = text.as_ref().and_then(|text| text.parse().ok());
            source.map_or(Choice::Default, |source: Source| from_source(&source))
        };
        let sink = self.speaker.as_ref().and_then(|text| text.parse().ok());
        let wanted = &mut model.wanted;
        wanted.name = self.name.clone().unwrap_or_default();
        wanted.rule = self.approve.map_or(Rule::Listed, Rule::from);
        wanted.admit_by_code = self.admit == Some(AdmitRule::Code);
        wanted.camera = source(&self.camera);
        wanted.microphone = source(&self.microphone);
        wanted.speaker = sink.map_or(Choice::Default, |sink: Sink| from_sink(&sink));
        wanted.tell_medium = self.tell_interface;
        model.preferences = self.window.clone();
        model.preferences.sending = Sending {
            uplink: self.uplink,
            constant_rate: self.constant_rate,
        };
        model.settings_path = self.file.shown_path();
    }

    /// Takes over what the user chose in the window.
    pub fn take(&mut self, model: &Model) {
        let wanted = &model.wanted;
        self.name = Some(wanted.name.trim().to_owned()).filter(|name| !name.is_empty());
        self.approve = Some(wanted.rule.into());
        self.admit = Some(if wanted.admit_by_code {
            AdmitRule::Code
        } else {
            AdmitRule::Ask
        });
        self.camera = spec(&wanted.camera);
        self.microphone = spec(&wanted.microphone);
        self.speaker = spec(&wanted.speaker);
        self.tell_interface = wanted.tell_medium;
        self.window = model.preferences.clone();
        // What is shown may be the command line's.
        self.window.sending = Sending::default();
    }

    /// Takes over how much is to be sent.
    pub const fn take_sending(&mut self, sending: Sending) {
        self.uplink = sending.uplink;
        self.constant_rate = sending.constant_rate;
    }

    /// Writes them down, readable by this user only; a program that ends in the middle leaves the old ones.
    ///
    /// # Errors
    /// The folder or the file cannot be written.
    pub fn store(&mut self) -> std::io::Result<()> {
        let known = serde_json::to_value(&*self)?;
        self.file.write(known)
    }

    /// Forgets them all; what is on the disk stays there.
    pub fn forget(&mut self) {
        let file = self.file.emptied();
        *self = Self {
            file,
            ..Self::default()
        };
    }

    /// Takes them from the disk.
    ///
    /// # Errors
    /// The file is there and cannot be removed.
    pub fn remove(&mut self) -> std::io::Result<()> {
        self.file.remove()
    }
}

/// A device as the command line names it. Clips and what is made up are for trying only: they are not kept.
fn spec(choice: &Choice) -> Option<String> {
    match choice {
        Choice::Named(name) => Some(format!("device:{name}")),
        Choice::Off | Choice::Default | Choice::Test | Choice::File(_) => None,
    }
}

#[cfg(test)]
mod tests;
