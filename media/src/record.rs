//! Recordings: for each member a WAV and a Y4M file as played out, both on the playout clock. A gap in the sound
//! is silence, a gap in the picture is the last picture again.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use hound::{SampleFormat, WavSpec, WavWriter};
use sightline_media_proto::audio::SAMPLE_RATE;

use crate::picture::{Picture, Size};

/// Pictures a second in a recording.
const PICTURE_RATE: u64 = 30;

/// Messages that may wait for the disk: two seconds of one member, and no more pictures than that.
const QUEUE: usize = 200;

/// Blocks after which a WAV file's header is brought up to date: a killed program leaves a readable file.
const FLUSH_EVERY: u64 = 100;

/// One block of one member, as played out.
struct Block {
    file: u64,
    /// Samples that the disk was too slow for, before these: written as silence, so that the clock holds.
    lost: u64,
    samples: Vec<f32>,
    picture: Option<Arc<Picture>>,
}

enum Message {
    Open { file: u64, name: String },
    Block(Block),
    Close { file: u64 },
}

/// Writes recordings on a thread of its own. Dropping it finishes all files.
pub struct Recorder {
    messages: Option<SyncSender<Message>>,
    /// Samples lost since the last block that was taken, by file.
    lost: Mutex<BTreeMap<u64, u64>>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Records into `folder`, which is made if need be. `failed` is told once when the disk fails.
    ///
    /// # Errors
    /// The folder or the thread cannot be made.
    pub fn start(folder: &Path, failed: impl Fn(String) + Send + 'static) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let (messages, source) = sync_channel(QUEUE);
        let folder = folder.to_owned();
        let thread = std::thread::Builder::new()
            .name("recorder".into())
            .spawn(move || {
                if let Err(error) = write_all(&folder, &source) {
                    failed(format!("The recording in {} ended: {error}.", folder.display()));
                }
            })?;
        Ok(Self {
            messages: Some(messages),
            lost: Mutex::default(),
            thread: Some(thread),
        })
    }

    /// Begins the files of a member.
    pub fn open(&self, file: u64, name: &str) {
        self.send(Message::Open {
            file,
            name: name.to_owned(),
        });
    }

    /// Adds what was just played out of a member: sound, and the picture shown. Does not wait: what the disk is
    /// too slow for becomes silence.
    pub fn write(&self, file: u64, samples: &[f32], picture: Option<Arc<Picture>>) {
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

    /// Finishes the files of a member.
    pub fn close(&self, file: u64) {
        self.send(Message::Close { file });
    }

    /// Waits for the disk; a recording that has failed takes nothing more.
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

fn write_all(folder: &Path, source: &Receiver<Message>) -> Result<(), RecordError> {
    let mut files = BTreeMap::<u64, Files>::new();
    for message in source {
        match message {
            Message::Open { file, name } => {
                files.insert(file, Files::create(folder, &name)?);
            }
            Message::Block(block) => {
                if let Some(files) = files.get_mut(&block.file) {
                    files.write(&block)?;
                }
            }
            Message::Close { file } => {
                if let Some(files) = files.remove(&file) {
                    files.sound.finalize()?;
                }
            }
        }
    }
    for files in files.into_values() {
        files.sound.finalize()?;
    }
    Ok(())
}

#[derive(Debug, thiserror::Error)]
enum RecordError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Sound(#[from] hound::Error),
    #[error("{0}")]
    Picture(String),
}

/// The files of one member.
struct Files {
    path: PathBuf,
    sound: WavWriter<BufWriter<File>>,
    blocks: u64,
    samples: u64,
    video: Option<(y4m::Encoder<BufWriter<File>>, Size)>,
    pictures: u64,
}

impl Files {
    fn create(folder: &Path, name: &str) -> Result<Self, RecordError> {
        let path = free_path(folder, name);
        let spec = WavSpec {
            channels: 1,
            sample_rate: SAMPLE_RATE,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let sound = WavWriter::create(path.with_extension("wav"), spec)?;
        Ok(Self {
            path,
            sound,
            blocks: 0,
            samples: 0,
            video: None,
            pictures: 0,
        })
    }

    fn write(&mut self, block: &Block) -> Result<(), RecordError> {
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
            Some(picture) => self.write_pictures(picture),
            None => Ok(()),
        }
    }

    /// Brings the picture's file up to the sound's time; what came before the first picture is grey.
    fn write_pictures(&mut self, picture: &Picture) -> Result<(), RecordError> {
        let due = self.samples * PICTURE_RATE / u64::from(SAMPLE_RATE);
        let failed = |error: y4m::Error| RecordError::Picture(error.to_string());
        if self.video.is_none() {
            let file = BufWriter::new(File::create(self.path.with_extension("y4m"))?);
            let Size { width, height } = picture.size;
            let rate = y4m::Ratio::new(PICTURE_RATE as usize, 1);
            let mut encoder = y4m::encode(width as usize, height as usize, rate)
                .with_colorspace(y4m::Colorspace::C420jpeg)
                .write_header(file)
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
}

/// `NAME`, or `NAME-2` and so on when that is taken; only letters, digits, `-` and `_` of the name are used.
fn free_path(folder: &Path, name: &str) -> PathBuf {
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
    let clean = if clean.is_empty() {
        "nameless".to_owned()
    } else {
        clean
    };
    let is_free =
        |path: &PathBuf| !path.with_extension("wav").exists() && !path.with_extension("y4m").exists();
    let numbered = (2..u32::MAX).map(|number| folder.join(format!("{clean}-{number}")));
    std::iter::once(folder.join(&clean))
        .chain(numbered)
        .find(is_free)
        .unwrap_or_else(|| folder.join(clean))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn sound_and_picture_are_written_on_one_clock() {
        let folder = tempfile::tempdir().expect("a folder");
        let recorder = Recorder::start(folder.path(), |error| panic!("{error}")).expect("a recorder");
        recorder.open(1, "Ann/../x");
        let size = Size {
            width: 16,
            height: 16,
        };
        let picture = Arc::new(Picture::grey(size, Instant::now()));
        for block in 0..100 {
            recorder.write(1, &[0.5; 480], (block >= 50).then(|| Arc::clone(&picture)));
        }
        drop(recorder);
        let sound = hound::WavReader::open(folder.path().join("Ann____x.wav")).expect("a recording");
        assert_eq!(sound.duration(), 48_000);
        let file = File::open(folder.path().join("Ann____x.y4m")).expect("a recording");
        let mut video = y4m::decode(file).expect("a clip");
        let pictures = std::iter::from_fn(|| video.read_frame().ok().map(|_| ())).count();
        assert_eq!(
            pictures, 30,
            "half a second before the first picture, and half after"
        );
    }

    #[test]
    fn a_second_ann_gets_files_of_her_own() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("Ann.wav"), b"").expect("written");
        assert_eq!(free_path(folder.path(), "Ann"), folder.path().join("Ann-2"));
        assert_eq!(free_path(folder.path(), "..").parent(), Some(folder.path()));
    }
}
