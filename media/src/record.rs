//! Recordings: for each member a WAV and a Y4M file as played out, both on the playout clock. A gap in the sound
//! is silence, a gap in the picture is the last picture again. One that cannot be written ends alone, whole as far as it came,
//! and goes on in further files once it can. Nobody ever waits for the disk.
//!
//! ```text
//!   Recorder ── queue.rs ──► the recorder's thread ── files.rs ── wav.rs, y4m
//! ```

mod files;
mod queue;
mod wav;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sightline_media_proto::Stream;
use sightline_media_proto::audio::SAMPLE_RATE;

use self::files::{Files, RecordError};
use self::queue::{Block, Message, Queue};
use crate::new_file;
use crate::picture::Picture;

/// Recordings of one member: who comes and goes and comes again has further files each time, and so has whom the disk had no room
/// for.
const MAX_RECORDINGS: usize = 16;

/// 5 s of samples: how often it is tried to go on with what could not be written.
const TRY_EVERY: u64 = 5 * SAMPLE_RATE as u64;

/// 1 s: how long it is waited for the disk at the end. Nothing is lost of what it has taken by then.
const PATIENCE: Duration = Duration::from_secs(1);

/// Names the files of one stream of a member: the member's number, and which stream.
pub type RecordingId = (u64, Stream);

/// What has to be said of one member's recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recording {
    /// There were files of the usual name already: they stay, and this one is written instead.
    Renamed(PathBuf),
    /// It ended; a sentence says whose, and why. The others go on.
    Ended(String),
}

/// Writes recordings on a thread of its own. Dropping it finishes all files, as far as the disk lets it.
pub struct Recorder {
    queue: Arc<Queue>,
    /// Samples lost since the last block that was taken, by file.
    lost: Mutex<BTreeMap<RecordingId, u64>>,
}

impl Recorder {
    /// Records into `folder`, which is made if need be. What has to be said goes to `tell`, on the recorder's thread.
    ///
    /// # Errors
    /// The folder or the thread cannot be made.
    pub fn start(folder: &Path, tell: impl Fn(Recording) + Send + 'static) -> io::Result<Self> {
        new_file::create_folder(folder)?;
        let queue = Arc::new(Queue::default());
        let (folder, source) = (folder.to_owned(), Arc::clone(&queue));
        crate::send::spawn("recorder", move || {
            let mut writing = Writing {
                folder,
                tell: &tell,
                recordings: BTreeMap::new(),
                made: BTreeMap::new(),
                too_many: BTreeSet::new(),
            };
            while let Some(message) = source.pop() {
                writing.handle(message);
            }
            writing.finish();
            source.finish();
        })?;
        Ok(Self {
            queue,
            lost: Mutex::default(),
        })
    }

    /// Begins the files of a stream of a member.
    pub fn open(&self, file: RecordingId, name: &str) {
        let name = name.to_owned();
        self.queue.push(Message::Open { file, name });
    }

    /// Adds what was just played out of a stream: sound, and the picture shown. What the disk is too slow for becomes silence.
    pub fn write(&self, file: RecordingId, samples: &[f32], picture: Option<Arc<Picture>>) {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        let before = lost.remove(&file).unwrap_or_default();
        let block = Block {
            file,
            lost: before,
            samples: samples.to_vec(),
            picture,
        };
        if !self.queue.try_push(block) {
            lost.insert(file, before + samples.len() as u64);
        }
    }

    /// Finishes the files of a stream, if there are any.
    pub fn close(&self, file: RecordingId) {
        self.queue.push(Message::Close { file });
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // A disk that does not answer is left behind with the thread.
        self.queue.end(PATIENCE);
    }
}

/// One stream's recording.
enum State {
    Open(Box<Files>),
    /// It cannot be written; so many samples until it is tried again.
    Waiting(u64),
}

/// All recordings, on the recorder's thread.
struct Writing<'a> {
    folder: PathBuf,
    tell: &'a dyn Fn(Recording),
    /// Each with the name that its files are to have.
    recordings: BTreeMap<RecordingId, (PathBuf, State)>,
    made: BTreeMap<RecordingId, usize>,
    /// Of whom it was said that there are too many.
    too_many: BTreeSet<RecordingId>,
}

impl Writing<'_> {
    fn handle(&mut self, message: Message) {
        match message {
            Message::Open { file, name } => {
                let name = match file.1 {
                    Stream::Person => name,
                    Stream::Screen => format!("{name} screen"),
                };
                let wish = self.folder.join(clean(&name));
                let state = self.create(file, &wish).unwrap_or_else(|error| {
                    if !matches!(error, RecordError::TooMany) || self.too_many.insert(file) {
                        self.say_ended(&wish, &error);
                    }
                    State::Waiting(TRY_EVERY)
                });
                self.recordings.insert(file, (wish, state));
            }
            Message::Block(block) => self.write(&block),
            Message::Close { file } => {
                if let Some((_, State::Open(files))) = self.recordings.remove(&file) {
                    self.close(*files);
                }
            }
        }
    }

    fn create(&mut self, file: RecordingId, wish: &Path) -> Result<State, RecordError> {
        let made = self.made.entry(file).or_default();
        if *made >= MAX_RECORDINGS {
            return Err(RecordError::TooMany);
        }
        // It may have been removed.
        new_file::create_folder(&self.folder)?;
        files::look_for_room(&self.folder)?;
        let files = Files::create(wish, self.tell)?;
        *made += 1;
        Ok(State::Open(Box::new(files)))
    }

    fn write(&mut self, block: &Block) {
        let Some((wish, state)) = self.recordings.get_mut(&block.file) else {
            return;
        };
        match state {
            State::Open(files) => {
                let Err(error) = files.write(block, self.tell) else {
                    return;
                };
                let state = std::mem::replace(state, State::Waiting(error.patience()));
                if let State::Open(files) = state {
                    let path = files.path().to_owned();
                    files.cut();
                    self.say_ended(&path, &error);
                }
            }
            State::Waiting(left) => {
                let passed = block.lost + block.samples.len() as u64;
                *left = left.saturating_sub(passed);
                if *left > 0 {
                    return;
                }
                *left = TRY_EVERY;
                let wish = wish.clone();
                // Why it could not be was said, and is not said again.
                if let Ok(state) = self.create(block.file, &wish) {
                    self.recordings.insert(block.file, (wish, state));
                    self.write(block);
                }
            }
        }
    }

    fn close(&self, files: Files) {
        let path = files.path().to_owned();
        files
            .finish()
            .unwrap_or_else(|error| self.say_ended(&path, &error));
    }

    fn finish(mut self) {
        for (_, (_, state)) in std::mem::take(&mut self.recordings) {
            if let State::Open(files) = state {
                self.close(*files);
            }
        }
    }

    fn say_ended(&self, path: &Path, error: &RecordError) {
        let more = if matches!(error, RecordError::TooMany) {
            ""
        } else {
            " It goes on in another file once it can."
        };
        let path = path.display();
        (self.tell)(Recording::Ended(format!(
            "The recording {path} ended: {error}.{more}"
        )));
    }
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
