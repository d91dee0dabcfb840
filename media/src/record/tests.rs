use std::fs::{self, File, OpenOptions};
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use super::wav::WavFile;
use super::*;
use crate::picture::Size;

#[test]
fn sound_and_picture_are_written_on_one_clock() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::start(folder.path(), |told| panic!("{told:?}")).expect("a recorder");
    let ann = (1, Stream::Person);
    recorder.open(ann, "Ann/../x");
    let size = Size {
        width: 16,
        height: 16,
    };
    let picture = Arc::new(Picture::grey(size, Instant::now()));
    for block in 0..100 {
        recorder.write(ann, &[0.5; 480], (block >= 50).then(|| Arc::clone(&picture)));
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

fn picture() -> Arc<Picture> {
    let size = Size {
        width: 16,
        height: 16,
    };
    Arc::new(Picture::grey(size, Instant::now()))
}

/// Records a tenth of a second of each of these people. Returns what was told.
fn record(folder: &Path, people: &[&str]) -> Vec<Recording> {
    let (sink, told) = sync_channel(16);
    let recorder = Recorder::start(folder, move |news| sink.send(news).expect("room")).expect("a recorder");
    for (member, name) in (0..).zip(people) {
        let file = (member, Stream::Person);
        recorder.open(file, name);
        for _ in 0..10 {
            recorder.write(file, &[0.5; 480], Some(picture()));
        }
    }
    drop(recorder);
    told.into_iter().collect()
}

fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a folder");
    let entry = |entry: io::Result<fs::DirEntry>| {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        (name, fs::read(entry.path()).expect("a file"))
    };
    entries.map(entry).collect()
}

#[test]
fn a_second_recording_into_the_same_folder_keeps_the_first() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(record(folder.path(), &["Ann"]), []);
    let first = contents(folder.path());
    assert_eq!(first.keys().collect::<Vec<_>>(), ["Ann.wav", "Ann.y4m"]);
    let renamed = |name: &str| Recording::Renamed(folder.path().join(name));
    assert_eq!(
        record(folder.path(), &["Ann", "Ann"]),
        ["Ann-2.wav", "Ann-3.wav"].map(renamed),
        "a second Ann in one call has files of her own as well"
    );
    let all = contents(folder.path());
    assert_eq!(all.len(), 6);
    assert!(first.iter().all(|(name, bytes)| all[name] == *bytes));
    fs::remove_file(folder.path().join("Ann.wav")).expect("removed");
    record(folder.path(), &["Ann"]);
    assert!(
        !folder.path().join("Ann.wav").exists() && folder.path().join("Ann-4.wav").exists(),
        "no sound beside another one's pictures"
    );
}

#[test]
fn a_file_that_comes_in_between_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut files = Files::create(&folder.path().join("Ann"), &|told| panic!("{told:?}")).expect("made");
    let pictures = folder.path().join("Ann.y4m");
    fs::write(&pictures, "theirs").expect("written");
    let block = Block {
        file: (1, Stream::Person),
        lost: 0,
        samples: vec![0.5; 4800],
        picture: Some(picture()),
    };
    let told = Mutex::new(Vec::new());
    let tell = |news| told.lock().expect("unpoisoned").push(news);
    files.write(&block, &tell).expect("written");
    files.write(&block, &tell).expect("written");
    drop(files);
    assert_eq!(fs::read(&pictures).expect("a file"), b"theirs");
    let other = folder.path().join("Ann-2.y4m");
    assert!(fs::metadata(&other).expect("made").len() > 16 * 16);
    assert_eq!(*told.lock().expect("unpoisoned"), [Recording::Renamed(other)]);
}

#[test]
fn who_cannot_be_recorded_ends_nobody_elses_recording() {
    let folder = tempfile::tempdir().expect("a folder");
    let too_long = "x".repeat(300);
    let told = record(folder.path(), &["Ann", &too_long, "Bob"]);
    assert!(
        matches!(told.as_slice(), [Recording::Ended(why)] if why.contains("xxx")),
        "{told:?}"
    );
    let files = contents(folder.path());
    assert_eq!(
        files.keys().collect::<Vec<_>>(),
        ["Ann.wav", "Ann.y4m", "Bob.wav", "Bob.y4m"]
    );
    for name in ["Ann.wav", "Bob.wav"] {
        let sound = hound::WavReader::new(files[name].as_slice()).expect("a recording");
        assert_eq!(sound.duration(), 4800);
    }
}

#[test]
fn who_comes_and_goes_does_not_fill_the_folder_and_takes_nobody_elses_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let (sink, told) = sync_channel(100);
    let tell = move |news| sink.send(news).expect("room");
    let recorder = Recorder::start(folder.path(), tell).expect("a recorder");
    for _ in 0..50 {
        recorder.open((1, Stream::Person), "Eve");
        recorder.close((1, Stream::Person));
    }
    recorder.open((2, Stream::Person), "Ann");
    drop(recorder);
    let files = contents(folder.path());
    assert_eq!(files.len(), 16 + 1);
    assert!(files.contains_key("Ann.wav"));
    let ended = told
        .into_iter()
        .filter(|told| matches!(told, Recording::Ended(_)));
    assert_eq!(ended.count(), 1, "it is said once");
}

const ANN: RecordingId = (1, Stream::Person);

/// The recorder's thread without the thread.
fn writing<'a>(folder: &Path, tell: &'a dyn Fn(Recording)) -> Writing<'a> {
    Writing {
        folder: folder.to_owned(),
        tell,
        recordings: BTreeMap::new(),
        made: BTreeMap::new(),
        too_many: BTreeSet::new(),
    }
}

fn ann() -> Message {
    let name = "Ann".to_owned();
    Message::Open { file: ANN, name }
}

/// Ten milliseconds of Ann.
fn block() -> Message {
    Message::Block(Block {
        file: ANN,
        lost: 0,
        samples: vec![0.5; 480],
        picture: Some(picture()),
    })
}

fn duration(path: &Path) -> u32 {
    hound::WavReader::open(path).expect("a recording").duration()
}

#[test]
fn a_recording_can_be_read_while_it_grows() {
    let folder = tempfile::tempdir().expect("a folder");
    let tell = |told| panic!("{told:?}");
    let mut writing = writing(folder.path(), &tell);
    writing.handle(ann());
    for seconds in 1..=3 {
        for _ in 0..100 {
            writing.handle(block());
        }
        assert_eq!(duration(&folder.path().join("Ann.wav")), seconds * 48_000);
    }
}

#[test]
fn what_could_not_be_written_to_its_end_is_cut_to_what_is_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let tell = |told| panic!("{told:?}");
    let mut files = Files::create(&folder.path().join("Ann"), &tell).expect("made");
    let Message::Block(block) = block() else {
        unreachable!()
    };
    for _ in 0..200 {
        files.write(&block, &tell).expect("written");
    }
    // Half a sample and a part of a picture, as a full disk leaves them.
    for (name, missing) in [("Ann.wav", 1), ("Ann.y4m", 100)] {
        let file = OpenOptions::new()
            .write(true)
            .open(folder.path().join(name))
            .expect("a file");
        let len = file.metadata().expect("a file").len();
        file.set_len(len - missing).expect("shorter");
    }
    files.cut();
    assert_eq!(duration(&folder.path().join("Ann.wav")), 95_999);
    let mut video = y4m::decode(File::open(folder.path().join("Ann.y4m")).expect("a file")).expect("a clip");
    let mut pictures = 0;
    while video.read_frame().is_ok() {
        pictures += 1;
    }
    let bytes = fs::read(folder.path().join("Ann.y4m")).expect("a file");
    let header = 1 + bytes.iter().position(|byte| *byte == b'\n').expect("a header");
    assert!(pictures > 20, "what was not in the writer's buffer: {pictures}");
    let whole = header + pictures * (6 + 16 * 16 * 3 / 2);
    assert_eq!(bytes.len(), whole, "nothing is left of the half");
}

#[test]
fn a_removed_file_is_noticed_and_another_begun() {
    let folder = tempfile::tempdir().expect("a folder");
    let heard = folder.path().join("heard");
    let told = Mutex::new(Vec::new());
    let tell = |news| told.lock().expect("unpoisoned").push(news);
    let mut writing = writing(&heard, &tell);
    writing.handle(ann());
    writing.handle(block());
    fs::remove_dir_all(&heard).expect("removed");
    for _ in 0..150 {
        writing.handle(block());
    }
    writing.finish();
    assert_eq!(duration(&heard.join("Ann.wav")), 51 * 480);
    let told = told.into_inner().expect("unpoisoned");
    assert!(
        matches!(told.as_slice(), [Recording::Ended(why)] if why.contains("removed")),
        "{told:?}"
    );
}

#[test]
fn what_cannot_be_written_goes_on_once_it_can() {
    let folder = tempfile::tempdir().expect("a folder");
    let heard = folder.path().join("heard");
    fs::write(&heard, "no folder").expect("written");
    let told = Mutex::new(Vec::new());
    let tell = |news| told.lock().expect("unpoisoned").push(news);
    let mut writing = writing(&heard, &tell);
    writing.handle(ann());
    let seconds = |writing: &mut Writing<'_>, count: u64| {
        for _ in 0..count * 100 {
            writing.handle(block());
        }
    };
    seconds(&mut writing, 12);
    fs::remove_file(&heard).expect("removed");
    seconds(&mut writing, 4);
    writing.finish();
    assert_eq!(
        duration(&heard.join("Ann.wav")),
        48_000 + 480,
        "tried after 5, 10 and 15 s"
    );
    let told = told.into_inner().expect("unpoisoned");
    assert!(
        matches!(told.as_slice(), [Recording::Ended(_)]),
        "said once: {told:?}"
    );
}

/// What is told is told on the recorder's thread: one that never comes back from it is a disk that never answers.
#[test]
fn a_disk_that_does_not_answer_keeps_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("Ann.wav"), "older").expect("written");
    let (_never, stuck) = sync_channel::<()>(0);
    let stuck = Mutex::new(stuck);
    let recorder = Recorder::start(folder.path(), move |_told| {
        stuck.lock().expect("unpoisoned").recv().expect_err("never sent");
    });
    let recorder = recorder.expect("a recorder");
    recorder.open(ANN, "Ann");
    for _ in 0..10_000 {
        recorder.write(ANN, &[0.5; 480], Some(picture()));
        recorder.open(ANN, "Ann");
        recorder.close(ANN);
    }
    drop(recorder);
}

#[test]
fn the_header_says_what_is_there_from_the_first_moment() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("Ann.wav");
    let mut wav = WavFile::new(File::create(&path).expect("made")).expect("written");
    wav.flush().expect("written");
    assert_eq!(duration(&path), 0);
    for sample in [0.0, 1.0, -1.0, 2.0, f32::NAN] {
        wav.write(sample).expect("written");
    }
    wav.flush().expect("written");
    let samples = hound::WavReader::open(&path).expect("a recording").into_samples();
    let samples: Vec<i16> = samples.map(|sample| sample.expect("a sample")).collect();
    assert_eq!(samples, [0, 32_767, -32_767, 32_767, 0]);
}

#[cfg(unix)]
#[test]
fn recordings_are_for_this_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let outer = tempfile::tempdir().expect("a folder");
    let folder = outer.path().join("heard");
    record(&folder, &["Ann"]);
    for (path, mode) in [("", 0o700), ("Ann.wav", 0o600), ("Ann.y4m", 0o600)] {
        let found = fs::metadata(folder.join(path))
            .expect("made")
            .permissions()
            .mode();
        assert_eq!(found & 0o777, mode, "{path}");
    }
}

#[test]
fn a_name_leads_out_of_no_folder() {
    assert_eq!(clean(".."), "__");
    assert_eq!(clean("Ann/../x"), "Ann____x");
    assert_eq!(clean(""), "nameless");
}
