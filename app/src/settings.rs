//! Settings that a user may keep: what options are taken for when they are not given.

use std::io::ErrorKind;
use std::path::Path;

use directories::ProjectDirs;
use serde::Deserialize;
use sightline_media::av1::EncoderKind;

use crate::args::{AdmitRule, ApproveRule, Options};

/// The longest settings file that is read, bytes.
const MAX_LEN: u64 = 64 * 1024;

/// `settings.json`. All fields may be missing.
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    name: Option<String>,
    approve: Option<ApproveRule>,
    admit: Option<AdmitRule>,
    encoder: Option<String>,
    interfaces: Vec<String>,
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
        let platform = ProjectDirs::from("", "", "sightline");
        let folder = folder.or_else(|| platform.as_ref().map(ProjectDirs::config_dir));
        let Some(path) = folder.map(|folder| folder.join("settings.json")) else {
            return Ok(Self::default());
        };
        let to_error = |why: String| SettingsError(path.display().to_string(), why);
        match std::fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(to_error(error.to_string())),
            Ok(found) if found.len() > MAX_LEN => return Err(to_error("the file is too long".into())),
            Ok(_) => {}
        }
        let text = std::fs::read_to_string(&path).map_err(|error| to_error(error.to_string()))?;
        let settings: Self = serde_json::from_str(&text).map_err(|error| to_error(error.to_string()))?;
        if let Some(Err(why)) = settings.encoder.as_deref().map(str::parse::<EncoderKind>) {
            return Err(to_error(why));
        }
        Ok(settings)
    }

    /// Fills in what `options` leave open.
    pub fn complete(self, options: &mut Options) {
        options.name = options.name.take().or(self.name);
        options.approve = options.approve.or(self.approve);
        options.admit = options.admit.or(self.admit);
        if options.interface.is_empty() {
            options.interface = self.interfaces;
        }
        options.encoder = options.encoder.or_else(|| self.encoder?.parse().ok());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_win_over_settings_and_settings_over_defaults() {
        let folder = tempfile::tempdir().expect("a folder");
        let load = || Settings::load(Some(folder.path()));
        assert_eq!(load().ok(), Some(Settings::default()));

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
        ] {
            std::fs::write(folder.path().join("settings.json"), text).expect("written");
            let error = Settings::load(Some(folder.path()))
                .expect_err("no settings")
                .to_string();
            assert!(error.contains("settings.json"), "{error}");
        }
    }
}
