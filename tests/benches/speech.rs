//! A speech clip through packets, loss and playout on virtual time: what is made up, what waits, and the sound that comes out,
//! WAV files for each network, for `tests/quality.sh` to compare with what went in.
//!
//! `./run bench only speech [--speech FILE.wav] [--to DIR]`; without a clip, a made-up voice.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sightline_media::microphone::{Block, Clip, Microphone, MicrophoneError, made_up_voice};
use sightline_media::{FarEnd, Level, Outbox, Processor, SharedProcessing, VoiceDecoder, VoiceSender};
use sightline_media_proto::audio::{BLOCK, BLOCK_SAMPLES, Packet, Protection, SAMPLE_RATE, Span};
use sightline_media_proto::layer::Layer;
use sightline_media_proto::packing::{self, Packing};
use sightline_media_proto::playout::{Playout, PlayoutStats};
use sightline_media_proto::rate::Bitrate;
use sightline_media_proto::session::LayerTarget;
use sightline_media_proto::video::Packets;
use sightline_media_proto::{AudioTrack, VideoTrack};
use sightline_netem::{Hop, Outage, Random};
use sightline_tests::bench;

/// How long each network is spoken through.
const SECONDS: usize = 33;

/// Each network loses packets in four ways: which ones are lost makes a difference of a tenth.
const SEEDS: [u64; 4] = [1, 2, 3, 4];

/// A network that loses packets by chance, or all of them for a while now and then.
struct Network {
    name: &'static str,
    hop: Hop,
}

const NETWORKS: [Network; 5] = [
    Network::losing("no loss", 0.0),
    Network::losing("5 %", 0.05),
    Network::losing("10 %", 0.10),
    Network::losing("20 %", 0.20),
    Network {
        name: "bursts of 200 ms",
        hop: Hop {
            outage: Some(Outage {
                every: Duration::from_secs(5),
                lasts: Duration::from_millis(200),
            }),
            ..LINE
        },
    },
];

/// 40 ms, give or take 10.
const LINE: Hop = Hop {
    jitter: Duration::from_millis(20),
    ..Hop::fair(Duration::from_millis(30))
};

impl Network {
    const fn losing(name: &'static str, loss: f64) -> Self {
        Self {
            name,
            hop: Hop { loss, ..LINE },
        }
    }
}

fn main() {
    if !bench::is_wanted("speech") {
        return;
    }
    let speech = speech(bench::after("--speech").as_deref());
    let folder = bench::after("--to").map(PathBuf::from);
    if let Some(folder) = &folder {
        std::fs::create_dir_all(folder).expect("a folder");
        write(&folder.join("original.wav"), &speech);
    }
    for line in [("quick", Bitrate(2_000_000)), ("slow", Bitrate(300_000))] {
        print_networks(&speech, line, folder.as_deref());
    }
}

fn print_networks(speech: &[f32], (line, estimate): (&str, Bitrate), folder: Option<&Path>) {
    println!("\nSpeech over a {line} line of 40 ms ± 10, {SECONDS} s");
    println!("  network              made up   recovered   waits ms (median)");
    for network in &NETWORKS {
        let passes = SEEDS.map(|seed| pass(speech, estimate, network, seed));
        let sum =
            |of: fn(&PlayoutStats) -> u64| passes.iter().map(|(_, counts, _)| of(counts)).sum::<u64>() as f64;
        let blocks = sum(|counts| counts.played + counts.concealed);
        let wait = passes.iter().map(|(_, _, wait)| wait).sum::<f64>() / passes.len() as f64;
        println!(
            "  {:<18}   {:>5.2} %   {:>7.2} %   {wait:>8.0}",
            network.name,
            sum(|counts| counts.concealed) / blocks * 100.0,
            sum(|counts| counts.recovered) / blocks * 100.0,
        );
        if let Some(folder) = folder {
            let name = network.name.replace([' ', '%'], "");
            for ((sound, ..), seed) in passes.iter().zip(SEEDS) {
                write(&folder.join(format!("{name}-{line}-{seed}.wav")), sound);
            }
        }
    }
}

fn speech(clip: Option<&str>) -> Vec<f32> {
    let samples = SECONDS * SAMPLE_RATE as usize;
    let Some(path) = clip else {
        return made_up_voice(2).take(samples).collect();
    };
    let mut clip = Clip::open(Path::new(path)).expect("a clip");
    let mut block: Block = [0.0; BLOCK_SAMPLES];
    let blocks = (0..samples / BLOCK_SAMPLES).flat_map(|_| {
        clip.next(&mut block).expect("a clip");
        block
    });
    blocks.collect()
}

fn write(path: &Path, samples: &[f32]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: SAMPLE_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).expect("a file");
    for sample in samples {
        let sample = (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)) as i16;
        writer.write_sample(sample).expect("written");
    }
    writer.finalize().expect("written");
}

/// Gives the speech as fast as it is taken, by a clock of its own.
struct Spoken {
    samples: Vec<f32>,
    at: usize,
    epoch: Instant,
}

impl Microphone for Spoken {
    fn read(&mut self, out: &mut Block) -> Result<Option<Instant>, MicrophoneError> {
        let Some(block) = self.samples.get(self.at..self.at + BLOCK_SAMPLES) else {
            return Err(MicrophoneError::Device("that was all".into()));
        };
        out.copy_from_slice(block);
        let captured = self.epoch + BLOCK * (self.at / BLOCK_SAMPLES) as u32;
        self.at += BLOCK_SAMPLES;
        Ok(Some(captured))
    }
}

/// Packs as `link` would have it, and keeps the packets.
struct Collect {
    link: packing::LinkQuality,
    packing: Mutex<(Packing, Instant)>,
    packets: Mutex<Vec<Arc<[u8]>>>,
    ended: Mutex<std::sync::mpsc::Sender<()>>,
}

impl Outbox for Collect {
    fn send_audio(&self, _: AudioTrack, body: Arc<[u8]>) {
        self.packets.lock().expect("unpoisoned").push(body);
    }

    fn packing(&self) -> (Span, Protection) {
        let mut packing = self.packing.lock().expect("unpoisoned");
        packing.1 += BLOCK;
        let now = packing.1;
        packing.0.handle_links(&[self.link], now)
    }

    fn send_video(&self, _: VideoTrack, _: Layer, _: &Packets) {}

    fn wishes(&self, _: VideoTrack, _: Layer) -> [Option<LayerTarget>; 3] {
        [None; 3]
    }

    fn microphone_runs(&self) {}
    fn microphone_failed(&self, _: String) {
        // Nobody waits any longer when the bench has ended.
        let _gone = self.ended.lock().expect("unpoisoned").send(());
    }

    fn encoder_failed(&self, _: String) {}
}

fn pass(speech: &[f32], estimate: Bitrate, network: &Network, seed: u64) -> (Vec<f32>, PlayoutStats, f64) {
    let epoch = Instant::now();
    let (ended, end) = std::sync::mpsc::channel();
    let collect = Arc::new(Collect {
        link: packing::LinkQuality {
            estimate,
            is_sated: false,
            loss: network.hop.loss as f32,
        },
        packing: Mutex::new((Packing::default(), epoch)),
        packets: Mutex::default(),
        ended: Mutex::new(ended),
    });
    let microphone = Box::new(Spoken {
        samples: speech.to_vec(),
        at: 0,
        epoch,
    });
    let untouched = Processor::new(Arc::new(SharedProcessing::default()), Arc::new(FarEnd::default()));
    let sender = VoiceSender::start(
        microphone,
        Arc::clone(&collect) as _,
        Arc::new(AtomicBool::new(false)),
        Arc::new(Level::default()),
        untouched,
        epoch,
    );
    let sender = sender.expect("a codec");
    end.recv().expect("it comes to its end");
    drop(sender);
    let packets = collect.packets.lock().expect("unpoisoned");
    let mut random = Random(seed);
    let mut arrivals = Vec::new();
    for body in packets.iter() {
        let packet = Packet::decode(body).expect("a packet");
        let sent = BLOCK * (packet.first + packet.span.blocks());
        for took in network.hop.packet(sent, &mut random) {
            arrivals.push((sent + took, packet.clone()));
        }
    }
    arrivals.sort_by_key(|(at, _)| *at);
    let mut arrivals = arrivals.into_iter().peekable();
    let mut playout = Playout::default();
    let mut decoder = VoiceDecoder::new().expect("a codec");
    let (mut sound, mut waits) = (Vec::new(), Vec::new());
    for step in 0..SECONDS as u32 * 200 {
        let now = BLOCK / 2 * step;
        while let Some((at, packet)) = arrivals.next_if(|(at, _)| *at <= now) {
            let _late = playout.handle_packet(packet, epoch + at);
        }
        let mut block = [0.0; BLOCK_SAMPLES / 2];
        playout.poll_audio(&mut decoder, &mut block, epoch + now);
        sound.extend_from_slice(&block);
        waits.push(playout.delay().as_secs_f64() * 1000.0);
    }
    waits.sort_by(f64::total_cmp);
    (sound, playout.counts(), waits[waits.len() / 2])
}
