//! What leaves of a voice looks the same whatever is said: size, number and moment of every packet.
#![allow(clippy::disallowed_methods, clippy::expect_used, missing_docs)]

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{self, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sightline_media::microphone::{Block, Microphone, MicrophoneError, made_up_voice};
use sightline_media::{FarEnd, Level, Outbox, Processing, Processor, SharedProcessing, VoiceSender};
use sightline_media_proto::audio::{BLOCK, Protection, Span};
use sightline_media_proto::layer::Layer;
use sightline_media_proto::link::{Class, Sender};
use sightline_media_proto::session::LayerTarget;
use sightline_media_proto::video::Packets;
use sightline_media_proto::{AudioTrack, VideoTrack};

/// Ten seconds.
const BLOCKS: u32 = 1000;

/// Gives what it is made of, block by block, without waiting.
struct Spoken {
    samples: Box<dyn Iterator<Item = f32> + Send>,
    /// How many blocks it has given: the test's clock.
    given: Arc<AtomicU32>,
    epoch: Instant,
}

impl Microphone for Spoken {
    fn read(&mut self, block: &mut Block) -> Result<Option<Instant>, MicrophoneError> {
        let given = self.given.load(Ordering::Relaxed);
        if given >= BLOCKS {
            return Err(MicrophoneError::Device("that was all".into()));
        }
        block.fill_with(|| self.samples.next().unwrap_or_default());
        self.given.store(given + 1, Ordering::Relaxed);
        Ok(Some(self.epoch + BLOCK * given))
    }
}

/// Packs in one way for the first half, in another for the second, and notes what leaves, and after how many blocks.
struct Notes {
    packings: [(Span, Protection); 2],
    asked: Mutex<u32>,
    given: Arc<AtomicU32>,
    sent: Mutex<Vec<(u32, Arc<[u8]>)>>,
    ended: Mutex<mpsc::Sender<()>>,
}

impl Outbox for Notes {
    fn send_audio(&self, _: AudioTrack, body: Arc<[u8]>) {
        let given = self.given.load(Ordering::Relaxed);
        self.sent.lock().expect("unpoisoned").push((given, body));
    }

    fn packing(&self) -> (Span, Protection) {
        let mut asked = self.asked.lock().expect("unpoisoned");
        *asked += 1;
        self.packings[usize::from(*asked > 300)]
    }

    fn send_video(&self, _: VideoTrack, _: Layer, _: &Packets) {}

    fn wishes(&self, _: VideoTrack, _: Layer) -> [Option<LayerTarget>; 3] {
        [None; 3]
    }

    fn microphone_runs(&self) {}
    fn microphone_failed(&self, _: String) {
        // The test may have failed meanwhile.
        let _gone = self.ended.lock().expect("unpoisoned").send(());
    }

    fn encoder_failed(&self, _: String) {}
}

/// What leaves on a link: when, of which class, how long.
fn leaves(
    samples: impl Iterator<Item = f32> + Send + 'static,
    packings: [(Span, Protection); 2],
    is_muted: bool,
) -> Vec<(Duration, Class, usize)> {
    let epoch = Instant::now();
    let (ended, end) = channel();
    let given = Arc::new(AtomicU32::new(0));
    let notes = Arc::new(Notes {
        packings,
        asked: Mutex::new(0),
        given: Arc::clone(&given),
        sent: Mutex::default(),
        ended: Mutex::new(ended),
    });
    let wanted = Arc::new(SharedProcessing::default());
    wanted.set(Processing::ALL);
    let microphone = Spoken {
        samples: Box::new(samples),
        given,
        epoch,
    };
    let sender = VoiceSender::start(
        Box::new(microphone),
        Arc::clone(&notes) as _,
        Arc::new(AtomicBool::new(is_muted)),
        Arc::new(Level::default()),
        Processor::new(wanted, Arc::new(FarEnd::default())),
        epoch,
    );
    let sender = sender.expect("a codec");
    end.recv().expect("it comes to its end");
    drop(sender);
    let sent = notes.sent.lock().expect("unpoisoned");
    let mut link = Sender::new(1, epoch);
    let mut left = Vec::new();
    for (given, body) in &*sent {
        let at = BLOCK * *given;
        link.handle_audio(AudioTrack::Voice, Arc::clone(body), epoch + at);
        while let Some(leaving) = link.poll_packet(epoch + at) {
            left.push((at, leaving.class, leaving.body.len()));
        }
    }
    left
}

#[test]
fn speech_silence_and_mute_leave_the_same_packets_at_the_same_moments() {
    let ways = [
        [(Span::Ten, Protection::Light); 2],
        [
            (Span::Twenty, Protection::Light),
            (Span::Twenty, Protection::Strong),
        ],
        [(Span::Ten, Protection::Strong), (Span::Twenty, Protection::Light)],
    ];
    for packings in ways {
        let speech = leaves(made_up_voice(1), packings, false);
        assert!(speech.len() >= 500, "{packings:?}: {} packets", speech.len());
        let silence = leaves(std::iter::repeat(0.0), packings, false);
        assert!(speech == silence, "{packings:?}: silence looks different");
        let muted = leaves(made_up_voice(1), packings, true);
        assert!(speech == muted, "{packings:?}: mute looks different");
        let other = leaves(made_up_voice(5), packings, false);
        assert!(speech == other, "{packings:?}: another voice looks different");
    }
}
