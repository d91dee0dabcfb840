//! Where sound and pictures come from and go to, as a user names it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A camera or a microphone: `off`, `device[:NAME]`, `file:PATH`, `test`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// None.
    #[default]
    Off,
    /// A device, the default one or one by name.
    Device(Option<String>),
    /// A clip (Y4M or WAV), looped.
    File(PathBuf),
    /// Made up: a moving scene with a clock, or a voice.
    Test,
}

/// A loudspeaker: `device[:NAME]`, `off`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sink {
    /// None.
    #[default]
    Off,
    /// A device, the default one or one by name.
    Device(Option<String>),
}

/// A text that names no source or sink.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is none of: {1}")]
pub struct SpecError(String, &'static str);

impl FromStr for Source {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        match text.split_once(':') {
            None if text == "off" => Ok(Self::Off),
            None if text == "test" => Ok(Self::Test),
            None if text == "device" => Ok(Self::Device(None)),
            Some(("device", name)) if !name.is_empty() => Ok(Self::Device(Some(name.to_owned()))),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            _ => Err(SpecError(
                text.to_owned(),
                "off, device, device:NAME, file:PATH, test",
            )),
        }
    }
}

impl FromStr for Sink {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        match text.split_once(':') {
            None if text == "off" => Ok(Self::Off),
            None if text == "device" => Ok(Self::Device(None)),
            Some(("device", name)) if !name.is_empty() => Ok(Self::Device(Some(name.to_owned()))),
            _ => Err(SpecError(text.to_owned(), "off, device, device:NAME")),
        }
    }
}

/// Opens a clip's file. Only what can be read from the beginning again is one: a pipe, say, would be waited for.
///
/// # Errors
/// Why not, as the end of a sentence.
pub fn open_clip(path: &Path) -> Result<File, String> {
    let is_file = std::fs::metadata(path).map(|found| found.is_file());
    match is_file {
        Ok(true) => File::open(path).map_err(|error| error.to_string()),
        Ok(false) => Err("it is no file, and a clip is read again and again".into()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_and_sinks_are_read_as_the_command_line_names_them() {
        assert_eq!("off".parse(), Ok(Source::Off));
        assert_eq!("test".parse(), Ok(Source::Test));
        assert_eq!("device".parse(), Ok(Source::Device(None)));
        assert_eq!("device:a:b".parse(), Ok(Source::Device(Some("a:b".into()))));
        assert_eq!("file:/a:b".parse(), Ok(Source::File("/a:b".into())));
        assert_eq!("device:x".parse(), Ok(Sink::Device(Some("x".into()))));
        for bad in ["", "on", "file:", "device:", "test:x"] {
            assert!(bad.parse::<Source>().is_err(), "{bad}");
        }
        assert!("test".parse::<Sink>().is_err());
    }
}
