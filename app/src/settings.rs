//! Settings that a user may keep: what options are taken for when they are not given.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use directories::ProjectDirs;
use serde::{Deserialize, Serialize};
use sightline_media::av1::EncoderKind;
use sightline_media::{Sink, Source, new_file};
use sightline_ui::Model;
use sightline_ui::model::{Choice, Preferences, Rule, Sending};
use tempfile::NamedTempFile;

use crate::args::{AdmitRule, ApproveRule, Options};
use crate::choice::{from_sink, from_source};

/// The longest settings file that is read, bytes.
const MAX_LEN: u64 = 64 * 1024;

/// What may be said of the uplink, kbit/s: sound for one at the least, and a rate that can be counted in bits.
pub const UPLINK: std::ops::RangeInclusive<u32> = 100..=1_000_000;

/// `settings.json`. All fields may be missing.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
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
    path: Option<PathBuf>,
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
        let none = Self::empty_in(folder);
        let Some(path) = none.path.clone() else {
            return Ok(none);
        };
        let to_error = |why: String| SettingsError(path.display().to_string(), why);
        match std::fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(none),
            Err(error) => return Err(to_error(error.to_string())),
            Ok(found) if found.len() > MAX_LEN => return Err(to_error("the file is too long".into())),
            Ok(_) => {}
        }
        let text = std::fs::read_to_string(&path).map_err(|error| to_error(error.to_string()))?;
        let settings: Self = serde_json::from_str(&text).map_err(|error| to_error(error.to_string()))?;
        settings.check().map_err(to_error)?;
        Ok(Self {
            path: Some(path),
            ..settings
        })
    }

    /// Empty ones, to be kept in `folder` or in the platform's.
    #[must_use]
    pub fn empty_in(folder: Option<&Path>) -> Self {
        Self {
            path: path_in(folder),
            ..Self::default()
        }
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
        let path = self.path.as_ref().map(|path| path.display().to_string());
        model.settings_path = path.unwrap_or_default();
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

    /// Empty settings that are kept where `other` are.
    #[must_use]
    pub fn in_folder_of(self, other: &Self) -> Self {
        Self {
            path: other.path.clone(),
            ..self
        }
    }

    /// Writes them down, readable by this user only; a program that ends in the middle leaves the old ones.
    ///
    /// # Errors
    /// The folder or the file cannot be written.
    pub fn store(&self) -> std::io::Result<()> {
        let Some(path) = &self.path else {
            return Err(std::io::Error::other("this system names no folder for settings"));
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        new_file::create_folder(folder)?;
        let text = serde_json::to_string_pretty(self)?;
        // A file of its own name each time, for this user alone; it is gone again if it does not become the settings.
        let mut draft = NamedTempFile::new_in(folder)?;
        draft.write_all(text.as_bytes())?;
        draft.write_all(b"\n")?;
        draft.as_file().sync_all()?;
        draft.persist(path)?;
        Ok(())
    }

    /// Takes them from the disk.
    ///
    /// # Errors
    /// The file is there and cannot be removed.
    pub fn remove(&self) -> std::io::Result<()> {
        match self.path.as_ref().map(std::fs::remove_file) {
            Some(Err(error)) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn path_in(folder: Option<&Path>) -> Option<PathBuf> {
    let platform = ProjectDirs::from("", "", "sightline");
    let folder = folder.or_else(|| platform.as_ref().map(ProjectDirs::config_dir));
    folder.map(|folder| folder.join("settings.json"))
}

/// A device as the command line names it. Clips and what is made up are for trying only: they are not kept.
fn spec(choice: &Choice) -> Option<String> {
    match choice {
        Choice::Named(name) => Some(format!("device:{name}")),
        Choice::Off | Choice::Default | Choice::Test | Choice::File(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_win_over_settings_and_settings_over_defaults() {
        let folder = tempfile::tempdir().expect("a folder");
        let load = || Settings::load(Some(folder.path()));
        let path = Some(folder.path().join("settings.json"));
        let none = Settings {
            path,
            ..Settings::default()
        };
        assert_eq!(load().ok(), Some(none));

        let text = r#"{"name": "Ann", "admit": "code", "encoder": "rav1e", "interfaces": ["wg0"]}"#;
        std::fs::write(folder.path().join("settings.json"), text).expect("written");
        let mut options = Options {
            name: Some("Bea".into()),
            ..Options::default()
        };
        load().expect("settings").complete(&mut options);
        assert_eq!(options.name.as_deref(), Some("Bea"));
        assert_eq!(options.admit, Some(AdmitRule::Code));
        assert_eq!(options.encoder, Some(EncoderKind::Rav1e));
        assert_eq!(options.approve, None);
        assert_eq!(options.interface, ["wg0"]);
    }

    #[test]
    fn settings_that_make_no_sense_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        for text in [
            "{",
            r#"{"nmae": "x"}"#,
            r#"{"admit": "all"}"#,
            r#"{"encoder": "x264"}"#,
            r#"{"uplink": 5}"#,
            r#"{"camera": "nowhere"}"#,
            r#"{"window": {"theme": "pink"}}"#,
        ] {
            std::fs::write(folder.path().join("settings.json"), text).expect("written");
            let error = Settings::load(Some(folder.path()))
                .expect_err("no settings")
                .to_string();
            assert!(error.contains("settings.json"), "{error}");
        }
    }

    #[test]
    fn what_was_chosen_in_the_window_is_there_again_next_time_and_can_be_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let inside = folder.path().join("new");
        let mut settings = Settings::load(Some(&inside)).expect("none yet");
        let mut model = Model::default();
        settings.show(&mut model);
        model.wanted.name = " Ann ".into();
        model.wanted.rule = Rule::Ask;
        model.wanted.microphone = Choice::Named("Headset: left".into());
        model.wanted.camera = Choice::Test;
        model.preferences.language = Some("de".into());
        model.preferences.text_size = 1.3;
        let sending = Sending {
            uplink: Some(2_000),
            constant_rate: true,
        };
        model.preferences.sending = sending;
        settings.take(&model);
        assert_eq!(
            (settings.uplink, settings.constant_rate),
            (None, false),
            "what the command line says is shown, not kept"
        );
        settings.take_sending(sending);
        settings.store().expect("written");

        let read = Settings::load(Some(&inside)).expect("settings");
        assert_eq!(read, settings);
        let mut again = Model::default();
        read.show(&mut again);
        assert_eq!(again.wanted.name, "Ann");
        assert_eq!(again.wanted.microphone, Choice::Named("Headset: left".into()));
        assert_eq!(
            again.wanted.camera,
            Choice::Default,
            "what is made up is not kept"
        );
        assert_eq!(
            (again.wanted.rule, again.preferences),
            (Rule::Ask, model.preferences)
        );
        let mut options = Options::default();
        read.complete(&mut options);
        assert_eq!((options.uplink, options.constant_rate), (Some(2_000), true));
        read.remove().expect("removed");
        read.remove().expect("nothing to remove");
        assert_eq!(std::fs::read_dir(&inside).expect("a folder").count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn settings_are_for_this_user_alone_and_replaced_whole() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let outer = tempfile::tempdir().expect("a folder");
        let folder = outer.path().join("new");
        let mode = |path: &Path| {
            let found = std::fs::metadata(path).expect("it is there").permissions().mode();
            found & 0o777
        };
        let mut settings = Settings::empty_in(Some(&folder));
        settings.name = Some("Ann".into());
        settings.store().expect("written");
        let path = folder.join("settings.json");
        assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));

        // What others may read, and a link that leads elsewhere, give way as they are.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("set");
        settings.store().expect("written");
        assert_eq!(mode(&path), 0o600);
        let victim = outer.path().join("victim");
        std::fs::write(&victim, "mine").expect("written");
        std::fs::remove_file(&path).expect("removed");
        symlink(&victim, &path).expect("a link");
        settings.store().expect("written");
        assert_eq!(std::fs::read_to_string(&victim).expect("a file"), "mine");
        assert_eq!(Settings::load(Some(&folder)).ok(), Some(settings.clone()));

        // What cannot be put in place leaves nothing.
        std::fs::remove_file(&path).expect("removed");
        std::fs::create_dir(&path).expect("in the way");
        std::fs::write(path.join("kept"), "").expect("written");
        settings.store().expect_err("a folder is in the way");
        assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), 1);
    }
}
