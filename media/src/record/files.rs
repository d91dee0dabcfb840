//! The two files of one stream of a member.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use sightline_media_proto::audio::SAMPLE_RATE;

use super::queue::Block;
use super::wav::WavFile;
use super::{MAX_RECORDINGS, Recording, TRY_EVERY};
use crate::new_file;
use crate::picture::{Picture, Size};

/// Pictures a second in a recording.
const PICTURE_RATE: u64 = 30;

/// Blocks after which a WAV file's header is brought up to date, and it is looked whether the files are still there: a killed
/// program leaves a readable file.
const FLUSH_EVERY: u64 = 100;

/// 32 MiB: with less room on the disk no further files are begun.
#[cfg(unix)]
const ROOM: u64 = 32 << 20;

/// What stands before each picture.
const FRAME: &[u8] = b"FRAME\n";

#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("there are {MAX_RECORDINGS} of this member already")]
    TooMany,
    #[error("a file of it was removed")]
    Removed,
    #[error("there is no room on the disk")]
    NoRoom,
}

impl RecordError {
    /// So many samples later it is tried again.
    pub const fn patience(&self) -> u64 {
        match self {
            Self::Removed => 0,
            Self::Io(_) | Self::TooMany | Self::NoRoom => TRY_EVERY,
        }
    }
}

/// The pictures' file: Y4M, I420.
struct Video {
    file: BufWriter<File>,
    header_len: u64,
    size: Size,
}

/// The files of one stream.
pub struct Files {
    /// Of the sound.
    path: PathBuf,
    sound: WavFile,
    blocks: u64,
    samples: u64,
    video: Option<Video>,
    pictures: u64,
}

impl Files {
    /// Makes the first of them. `wish` has no extension.
    pub fn create(wish: &Path, tell: &dyn Fn(Recording)) -> Result<Self, RecordError> {
        let (file, path) = new_file::create(&free_for_both(wish).with_extension("wav"))?;
        if path.file_stem() != wish.file_name() {
            tell(Recording::Renamed(path.clone()));
        }
        Ok(Self {
            path,
            sound: WavFile::new(file)?,
            blocks: 0,
            samples: 0,
            video: None,
            pictures: 0,
        })
    }

    /// Of the sound.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn write(&mut self, block: &Block, tell: &dyn Fn(Recording)) -> Result<(), RecordError> {
        for _ in 0..block.lost {
            self.sound.write(0.0)?;
        }
        for sample in &block.samples {
            self.sound.write(*sample)?;
        }
        self.samples += block.lost + block.samples.len() as u64;
        self.blocks += 1;
        if self.blocks.is_multiple_of(FLUSH_EVERY) {
            self.sound.flush()?;
            let video = self.video.iter().map(|video| &video.file);
            if video
                .chain([self.sound.file()])
                .any(|file| is_removed(file.get_ref()))
            {
                return Err(RecordError::Removed);
            }
        }
        match &block.picture {
            Some(picture) => self.write_pictures(picture, tell),
            None => Ok(()),
        }
    }

    /// Brings the picture's file up to the sound's time; what came before the first picture is grey.
    fn write_pictures(&mut self, picture: &Picture, tell: &dyn Fn(Recording)) -> Result<(), RecordError> {
        let due = self.samples * PICTURE_RATE / u64::from(SAMPLE_RATE);
        if self.video.is_none() {
            let mut video = self.create_video(picture.size, tell)?;
            let grey = Picture::grey(picture.size, picture.captured);
            while self.pictures + 1 < due {
                video.write(&grey)?;
                self.pictures += 1;
            }
            self.video = Some(video);
        }
        let Some(video) = &mut self.video else {
            return Ok(());
        };
        // A file has one size: a sender that changes its own is scaled.
        let scaled = (picture.size != video.size).then(|| picture.scaled(video.size));
        let frame = scaled.as_ref().unwrap_or(picture);
        while self.pictures < due {
            video.write(frame)?;
            self.pictures += 1;
        }
        Ok(())
    }

    fn create_video(&self, size: Size, tell: &dyn Fn(Recording)) -> Result<Video, RecordError> {
        let wish = self.path.with_extension("y4m");
        let (file, path) = new_file::create(&wish)?;
        // Free when the sound's file was made, and taken since.
        if path != wish {
            tell(Recording::Renamed(path));
        }
        Ok(Video::new(file, size)?)
    }

    pub fn finish(mut self) -> Result<(), RecordError> {
        self.sound.flush()?;
        if let Some(video) = &mut self.video {
            video.file.flush()?;
        }
        Ok(())
    }

    /// Ends files that could not be written further: what is there of them is whole.
    pub fn cut(self) {
        self.sound.cut();
        if let Some(video) = self.video {
            video.cut();
        }
    }
}

impl Video {
    fn new(file: File, size: Size) -> io::Result<Self> {
        let Size { width, height } = size;
        let header = format!("YUV4MPEG2 W{width} H{height} F{PICTURE_RATE}:1 Ip A1:1 C420jpeg\n");
        let mut file = BufWriter::new(file);
        file.write_all(header.as_bytes())?;
        Ok(Self {
            file,
            header_len: header.len() as u64,
            size,
        })
    }

    fn write(&mut self, picture: &Picture) -> io::Result<()> {
        self.file.write_all(FRAME)?;
        self.file.write_all(picture.data())
    }

    /// Has whatever is no whole picture go.
    fn cut(self) {
        let (file, _unwritten) = self.file.into_parts();
        let len = file.metadata().map_or(0, |found| found.len());
        let picture = (FRAME.len() + self.size.samples()) as u64;
        let pictures = len.saturating_sub(self.header_len) / picture;
        // Nothing more can be done for it.
        let _as_it_is = file.set_len(len.min(self.header_len + pictures * picture));
    }
}

/// Whether no name leads to an open file any more.
#[cfg(unix)]
fn is_removed(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|found| found.nlink() == 0)
}

/// Elsewhere an open file cannot be removed.
#[cfg(not(unix))]
const fn is_removed(_: &File) -> bool {
    false
}

/// Fails where there is no room for further files.
#[cfg(unix)]
pub fn look_for_room(folder: &Path) -> Result<(), RecordError> {
    let disk = rustix::fs::statvfs(folder).map_err(io::Error::from)?;
    if disk.f_bavail.saturating_mul(disk.f_frsize) < ROOM {
        return Err(RecordError::NoRoom);
    }
    Ok(())
}

/// Elsewhere it is found out by writing.
#[cfg(not(unix))]
pub const fn look_for_room(_: &Path) -> Result<(), RecordError> {
    Ok(())
}

/// The first of the names under which there is neither sound nor picture, a link to nowhere counting as one.
fn free_for_both(wish: &Path) -> PathBuf {
    let is_free = |path: &PathBuf| {
        let mut both = ["wav", "y4m"].into_iter();
        both.all(|kind| path.with_extension(kind).symlink_metadata().is_err())
    };
    new_file::names(wish)
        .find(is_free)
        .unwrap_or_else(|| wish.to_owned())
}
