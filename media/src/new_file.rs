//! Files that hold what a call was: for this user alone, and never in the place of one that is there.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The highest number that is tried for a free name.
const MAX_NUMBER: u32 = 9999;

/// Makes a folder, and those above it that are missing, for this user alone. One that is there stays as it is.
///
/// # Errors
/// The operating system's.
pub fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes a file for this user alone, under the first of its [`names`] that is free. Returns it with that name.
///
/// # Errors
/// The operating system's, or that there are too many of the name.
pub fn create(path: &Path) -> io::Result<(File, PathBuf)> {
    for name in names(path) {
        match create_exactly(&name) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => return made.map(|file| (file, name)),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// `NAME.EXT`, `NAME-2.EXT`, `NAME-3.EXT` and so on.
pub fn names(path: &Path) -> impl Iterator<Item = PathBuf> {
    let numbered = (2..=MAX_NUMBER).map(move |number| {
        let mut name = path.file_stem().unwrap_or_default().to_owned();
        name.push(format!("-{number}"));
        if let Some(extension) = path.extension() {
            name.push(".");
            name.push(extension);
        }
        path.with_file_name(name)
    });
    std::iter::once(path.to_owned()).chain(numbered)
}

/// A link of this name is something that is there, wherever it leads: it is not followed (open(2), `O_EXCL`).
fn create_exactly(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    fn made(path: &Path) -> String {
        let (mut file, name) = create(path).expect("made");
        file.write_all(b"mine").expect("written");
        assert_eq!(name.parent(), path.parent());
        name.file_name().expect("a name").to_string_lossy().into_owned()
    }

    #[test]
    fn what_is_there_stays_and_the_new_file_gets_a_number() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.b.html");
        fs::write(&path, "before").expect("written");
        fs::create_dir(folder.path().join("a.b-2.html")).expect("a folder");
        assert_eq!(made(&path), "a.b-3.html");
        assert_eq!(made(&path), "a.b-4.html");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "before");
        assert_eq!(made(&folder.path().join("bare")), "bare");
        assert_eq!(made(&folder.path().join("bare")), "bare-2");
        assert!(create(&folder.path().join("nowhere").join("x")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn no_link_is_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("victim"), "before").expect("written");
        std::os::unix::fs::symlink(at("victim"), at("a.wav")).expect("a link");
        std::os::unix::fs::symlink(at("not there"), at("a-2.wav")).expect("a link");
        assert_eq!(made(&at("a.wav")), "a-3.wav");
        assert_eq!(fs::read_to_string(at("victim")).expect("a file"), "before");
        assert!(!at("not there").exists());
    }

    #[cfg(unix)]
    #[test]
    fn files_and_folders_are_for_this_user_alone() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).expect("made").permissions().mode() & 0o777;
        let outer = tempfile::tempdir().expect("a folder");
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o755)).expect("set");
        let inner = outer.path().join("new").join("newer");
        create_folder(&inner).expect("made");
        create_folder(&inner).expect("it is there");
        create_folder(outer.path()).expect("it is there");
        assert_eq!(mode(outer.path()), 0o755, "one that is there stays as it is");
        assert_eq!((mode(&outer.path().join("new")), mode(&inner)), (0o700, 0o700));
        let (_, file) = create(&inner.join("a.wav")).expect("made");
        assert_eq!(mode(&file), 0o600);
    }
}
