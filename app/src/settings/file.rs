//! The file that settings are kept in, as people and other versions write it: with comments, and with what is not known here. Nothing in
//! it is lost.

use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use directories::ProjectDirs;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sightline_media::new_file;
use tempfile::NamedTempFile;

/// The longest settings file that is read, bytes.
const MAX_LEN: u64 = 64 * 1024;

/// The file, and what of it is no setting.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    /// `None` where the platform names no folder.
    path: Option<PathBuf>,
    /// What is not known here, in the form of the whole.
    unknown: Map<String, Value>,
    /// What is there says more than will be written, so it stays under another name.
    is_kept_aside: bool,
}

impl File {
    /// The one in `folder`, or in the platform's.
    pub fn in_folder(folder: Option<&Path>) -> Self {
        let platform = ProjectDirs::from("", "", "sightline");
        let folder = folder.or_else(|| platform.as_ref().map(ProjectDirs::config_dir));
        Self {
            path: folder.map(|folder| folder.join("settings.json")),
            ..Self::default()
        }
    }

    /// For messages.
    pub fn shown_path(&self) -> String {
        let path = self.path.as_ref().map(|path| path.display().to_string());
        path.unwrap_or_default()
    }

    /// What is there stays under another name when this is written.
    pub const fn keep_aside(&mut self) {
        self.is_kept_aside = true;
    }

    /// The same one with nothing in it.
    pub fn emptied(&self) -> Self {
        Self {
            path: self.path.clone(),
            ..Self::default()
        }
    }

    /// Reads it; the end of a sentence says why it cannot be. None and an empty one are the same as one that says nothing.
    pub fn read<T: DeserializeOwned + Serialize + Default>(&mut self) -> Result<T, String> {
        let Some(mut text) = self.read_text()? else {
            return Ok(T::default());
        };
        let written = text.clone();
        let commented = json_strip_comments::strip(&mut text);
        commented.map_err(|error| error.to_string())?;
        self.is_kept_aside = written != text;
        if text.trim().is_empty() {
            return Ok(T::default());
        }
        let settings = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        // A list would be taken for settings without their names.
        let all: Map<_, _> = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let known = serde_json::to_value(T::default()).map_err(|error| error.to_string())?;
        if let Value::Object(known) = known {
            self.unknown = without(all, &known);
        }
        Ok(settings)
    }

    fn read_text(&self) -> Result<Option<String>, String> {
        let Some(path) = &self.path else {
            return Ok(None);
        };
        match std::fs::metadata(path) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(error.to_string()),
            // A pipe would be waited for.
            Ok(found) if !found.is_file() => return Err("it is no file".into()),
            Ok(found) if found.len() > MAX_LEN => return Err("the file is too long".into()),
            Ok(_) => {}
        }
        let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
        let mut text = String::new();
        let read = file.take(MAX_LEN).read_to_string(&mut text);
        read.map_err(|error| error.to_string())?;
        // Some editors write a byte order mark.
        Ok(Some(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()))
    }

    /// The names of what is not known here, with those that they stand in.
    pub fn unknown(&self) -> Vec<String> {
        let mut names = Vec::new();
        collect_names(&self.unknown, "", &mut names);
        names
    }

    /// Writes what is known, and what is not: to a file for this user alone, which takes the other's place as a whole.
    pub fn write(&mut self, known: Value) -> io::Result<()> {
        let Some(path) = &self.path else {
            return Err(io::Error::other("this system names no folder for settings"));
        };
        let mut all = Value::Object(self.unknown.clone());
        merge(&mut all, known);
        let text = serde_json::to_string_pretty(&all)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        new_file::create_folder(folder)?;
        // A file of its own name each time; it is gone again if it does not become the settings.
        let mut draft = NamedTempFile::new_in(folder)?;
        draft.write_all(text.as_bytes())?;
        draft.write_all(b"\n")?;
        draft.as_file().sync_all()?;
        if self.is_kept_aside {
            set_aside(path)?;
            self.is_kept_aside = false;
        }
        draft.persist(path)?;
        Ok(())
    }

    /// Takes it from the disk.
    pub fn remove(&self) -> io::Result<()> {
        match self.path.as_ref().map(std::fs::remove_file) {
            Some(Err(error)) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Gives what is there the first free name of those that say that it was there before.
fn set_aside(path: &Path) -> io::Result<()> {
    let is_there = |path: &Path| path.symlink_metadata().is_ok();
    if !is_there(path) {
        return Ok(());
    }
    let before = path.with_file_name("settings-before.json");
    let name = new_file::names(&before).find(|name| !is_there(name));
    std::fs::rename(path, name.ok_or(ErrorKind::AlreadyExists)?)
}

/// All but what has the same name in `known`.
fn without(all: Map<String, Value>, known: &Map<String, Value>) -> Map<String, Value> {
    let mut rest = Map::new();
    for (name, value) in all {
        match (value, known.get(&name)) {
            (Value::Object(inner), Some(Value::Object(known))) => {
                let inner = without(inner, known);
                if !inner.is_empty() {
                    rest.insert(name, Value::Object(inner));
                }
            }
            (_, Some(_)) => {}
            (value, None) => {
                rest.insert(name, value);
            }
        }
    }
    rest
}

/// Puts `over` into `under`, whose own values of the same name give way.
fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (name, value) in over {
                merge(under.entry(name).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}

fn collect_names(values: &Map<String, Value>, within: &str, names: &mut Vec<String>) {
    for (name, value) in values {
        let full = format!("{within}{name}");
        match value {
            Value::Object(inner) if !inner.is_empty() => collect_names(inner, &format!("{full}."), names),
            _ => names.push(full),
        }
    }
}
