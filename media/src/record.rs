//! Recordings: for each member a WAV and a Y4M file as played out, both on the playout clock. A gap in the sound
//! is silence, a gap in the picture is the last picture again. One that cannot be written ends alone.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use hound::{SampleFormat, WavSpec, WavWriter};
use sightline_media_proto::Stream;
use sightline_media_proto::audio::SAMPLE_RATE;

use crate::new_file;
use crate::picture::{Picture, Size};

/// Pictures a second in a recording.
const PICTURE_RATE: u64 = 30;

/// Messages that may wait for the disk: two seconds of one member, and no more pictures than that.
const QUEUE: usize = 200;

/// Blocks after which a WAV file's header is brought up to date: a killed program leaves a readable file.
const FLUSH_EVERY: u64 = 100;

/// Recordings of one member: who comes and goes and comes again has further files each time.
const MAX_RECORDINGS: usize = 16;

/// Names the files of one stream of a member: the member's number, and which stream.
pub type RecordingId = (u64, Stream);

/// One block of one stream, as played out.
struct Block {
    file: RecordingId,
    /// Samples that the disk was too slow for, before these: written as silence, so that the clock holds.
    lost: u64,
    samples: Vec<f32>,
    picture: Option<Arc<Picture>>,
}

enum Message {
    Open { file: RecordingId, name: String },
    Block(Block),
    Close { file: RecordingId },
}

/// What has to be said of one member's recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recording {
    /// There were files of the usual name already: they stay, and this one is written instead.
    Renamed(PathBuf),
    /// It ended; a sentence says whose, and why. The others go on.
    Ended(String),
}

/// Writes recordings on a thread of its own. Dropping it finishes all files.
pub struct Recorder {
    messages: Option<SyncSender<Message>>,
    /// Samples lost since the last block that was taken, by file.
    lost: Mutex<BTreeMap<RecordingId, u64>>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Records into `folder`, which is made if need be. What has to be said goes to `tell`, on the recorder's thread.
    ///
    /// # Errors
    /// The folder or the thread cannot be made.
    pub fn start(folder: &Path, tell: impl Fn(Recording) + Send + 'static) -> io::Result<Self> {
        new_file::create_folder(folder)?;
        let (messages, source) = sync_channel(QUEUE);
        let folder = folder.to_owned();
        let thread = std::thread::Builder::new()
            .name("recorder".into())
            .spawn(move || write_all(&folder, &source, &tell))?;
        Ok(Self {
            messages: Some(messages),
            lost: Mutex::default(),
            thread: Some(thread),
        })
    }

    /// Begins the files of a stream of a member.
    pub fn open(&self, file: RecordingId, name: &str) {
        self.send(Message::Open {
            file,
            name: name.to_owned(),
        });
    }

    /// The same without waiting. Returns false when the disk is too slow for it now.
    #[must_use]
    pub fn try_open(&self, file: RecordingId, name: &str) -> bool {
        let name = name.to_owned();
        let messages = self.messages.as_ref();
        messages.is_none_or(|messages| messages.try_send(Message::Open { file, name }).is_ok())
    }

    /// Adds what was just played out of a stream: sound, and the picture shown. Does not wait: what the disk is
    /// too slow for becomes silence.
    pub fn write(&self, file: RecordingId, samples: &[f32], picture: Option<Arc<Picture>>) {
        let Some(messages) = &self.messages else { return };
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        let before = lost.remove(&file).unwrap_or_default();
        let block = Block {
            file,
            lost: before,
            samples: samples.to_vec(),
            picture,
        };
        if messages.try_send(Message::Block(block)).is_err() {
            lost.insert(file, before + samples.len() as u64);
        }
    }

    /// Finishes the files of a stream, if there are any.
    pub fn close(&self, file: RecordingId) {
        self.send(Message::Close { file });
    }

    /// Waits for the disk; a recorder whose thread is gone takes nothing more.
    fn send(&self, message: Message) {
        let _failed = self.messages.as_ref().map(|messages| messages.send(message));
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.messages = None;
        if let Some(thread) = self.thread.take() {
            // A panic was printed when it happened.
            let _panicked = thread.join();
        }
    }
}

fn write_all(folder: &Path, source: &Receiver<Message>, tell: &dyn Fn(Recording)) {
    let mut open = BTreeMap::<RecordingId, Files>::new();
    let mut made = BTreeMap::<RecordingId, usize>::new();
    let ended = |path: &Path, error: &RecordError| {
        tell(Recording::Ended(format!(
            "The recording {} ended: {error}.",
            path.display()
        )));
    };
    for message in source {
        match message {
            Message::Open { file, name } => {
                let name = match file.1 {
                    Stream::Person => name,
                    Stream::Screen => format!("{name} screen"),
                };
                let wish = folder.join(clean(&name));
                let made = made.entry(file).or_default();
                *made += 1;
                if *made > MAX_RECORDINGS + 1 {
                    // That was said.
                    continue;
                }
                let files = if *made <= MAX_RECORDINGS {
                    Files::create(&wish, tell)
                } else {
                    Err(RecordError::TooMany)
                };
                match files {
                    Ok(files) => {
                        open.insert(file, files);
                    }
                    Err(error) => ended(&wish, &error),
                }
            }
            Message::Block(block) => {
                let written = open.get_mut(&block.file).map(|files| files.write(&block, tell));
                if let Some(Err(error)) = written
                    && let Some(files) = open.remove(&block.file)
                {
                    ended(&files.path, &error);
                }
            }
            Message::Close { file } => {
                if let Some(files) = open.remove(&file) {
                    files
                        .finish()
                        .unwrap_or_else(|(path, error)| ended(&path, &error));
                }
            }
        }
    }
    for files in open.into_values() {
        files
            .finish()
            .unwrap_or_else(|(path, error)| ended(&path, &error));
    }
}

#[derive(Debug, thiserror::Error)]
enum RecordError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Sound(#[from] hound::Error),
    #[error("{0}")]
    Picture(String),
    #[error("there are {MAX_RECORDINGS} of this member already")]
    TooMany,
}

/// The files of one member.
struct Files {
    /// Of the sound.
    path: PathBuf,
    sound: WavWriter<BufWriter<File>>,
    blocks: u64,
    samples: u64,
    video: Option<(y4m::Encoder<BufWriter<File>>, Size)>,
    pictures: u64,
}

impl Files {
    /// Makes the first of them. `wish` has no extension.
    fn create(wish: &Path, tell: &dyn Fn(Recording)) -> Result<Self, RecordError> {
        let (file, path) = new_file::create(&free_for_both(wish).with_extension("wav"))?;
        if path.file_stem() != wish.file_name() {
            tell(Recording::Renamed(path.clone()));
        }
        let spec = WavSpec {
            channels: 1,
            sample_rate: SAMPLE_RATE,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let sound = WavWriter::new(BufWriter::new(file), spec)?;
        Ok(Self {
            path,
            sound,
            blocks: 0,
            samples: 0,
            video: None,
            pictures: 0,
        })
    }

    fn write(&mut self, block: &Block, tell: &dyn Fn(Recording)) -> Result<(), RecordError> {
        for _ in 0..block.lost {
            self.sound.write_sample(0i16)?;
        }
        self.samples += block.lost;
        for sample in &block.samples {
            self.sound
                .write_sample((sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)) as i16)?;
        }
        self.samples += block.samples.len() as u64;
        self.blocks += 1;
        if self.blocks.is_multiple_of(FLUSH_EVERY) {
            self.sound.flush()?;
        }
        match &block.picture {
            Some(picture) => self.write_pictures(picture, tell),
            None => Ok(()),
        }
    }

    /// Brings the picture's file up to the sound's time; what came before the first picture is grey.
    fn write_pictures(&mut self, picture: &Picture, tell: &dyn Fn(Recording)) -> Result<(), RecordError> {
        let due = self.samples * PICTURE_RATE / u64::from(SAMPLE_RATE);
        let failed = |error: y4m::Error| RecordError::Picture(error.to_string());
        if self.video.is_none() {
            let wish = self.path.with_extension("y4m");
            let (file, path) = new_file::create(&wish)?;
            // Free when the sound's file was made, and taken since.
            if path != wish {
                tell(Recording::Renamed(path));
            }
            let Size { width, height } = picture.size;
            let rate = y4m::Ratio::new(PICTURE_RATE as usize, 1);
            let mut encoder = y4m::encode(width as usize, height as usize, rate)
                .with_colorspace(y4m::Colorspace::C420jpeg)
                .write_header(BufWriter::new(file))
                .map_err(failed)?;
            let grey = Picture::grey(picture.size, picture.captured);
            while self.pictures + 1 < due {
                encoder
                    .write_frame(&y4m::Frame::new(grey.planes(), None))
                    .map_err(failed)?;
                self.pictures += 1;
            }
            self.video = Some((encoder, picture.size));
        }
        let Some((encoder, size)) = &mut self.video else {
            return Ok(());
        };
        // A file has one size: a sender that changes its own is scaled.
        let scaled = (picture.size != *size).then(|| picture.scaled(*size));
        let frame = scaled.as_ref().unwrap_or(picture);
        while self.pictures < due {
            encoder
                .write_frame(&y4m::Frame::new(frame.planes(), None))
                .map_err(failed)?;
            self.pictures += 1;
        }
        Ok(())
    }

    fn finish(self) -> Result<(), (PathBuf, RecordError)> {
        self.sound.finalize().map_err(|error| (self.path, error.into()))
    }
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

/// What of a name a file may be called: letters, digits, `-` and `_`.
fn clean(name: &str) -> String {
    let clean: String = name
        .chars()
        .map(|character| {
            if character.is_alphanumeric() || "-_".contains(character) {
                character
            } else {
                '_'
            }
        })
        .collect();
    if clean.is_empty() {
        "nameless".to_owned()
    } else {
        clean
    }
}

#[cfg(test)]
mod tests;
