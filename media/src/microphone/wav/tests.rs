use std::io::Cursor;

use super::*;
use sightline_media_proto::audio::BLOCK_SAMPLES;

use crate::microphone::{Block, Clip};

/// A tenth of a second of 440 Hz at 48 kHz, at −9.6 dB on average when it is received.
fn tone(n: usize) -> f64 {
    0.47 * (n as f64 * 440.0 * std::f64::consts::TAU / 48_000.0).sin()
}

const MOMENTS: usize = 4_800;

/// A clip in parts that a test may twist.
struct Parts {
    kind: &'static [u8; 4],
    format: Vec<u8>,
    /// Chunks between the format and the samples, as they stand in the file.
    between: Vec<u8>,
    data_len: Option<u32>,
    data: Vec<u8>,
}

impl Parts {
    /// So many channels of a tone, each moment written by `write`.
    fn new(tag: u16, channels: u16, len: u16, write: impl Fn(usize) -> Vec<u8>) -> Self {
        let mut format = Vec::new();
        for short in [tag, channels] {
            format.extend(short.to_le_bytes());
        }
        for long in [48_000u32, 48_000 * u32::from(channels * len)] {
            format.extend(long.to_le_bytes());
        }
        for short in [channels * len, 8 * len] {
            format.extend(short.to_le_bytes());
        }
        Self {
            kind: b"RIFF",
            format,
            between: Vec::new(),
            data_len: None,
            data: (0..MOMENTS).flat_map(write).collect(),
        }
    }

    fn usual() -> Self {
        Self::new(1, 1, 2, |n| ((tone(n) * 32_767.0) as i16).to_le_bytes().to_vec())
    }

    /// Says which bits are valid, for which speakers, and the kind at its other place.
    fn extensible(mut self, valid: u16, mask: u32) -> Self {
        let tag = [self.format[0], self.format[1]];
        self.format[..2].copy_from_slice(&0xFFFEu16.to_le_bytes());
        for short in [22, valid] {
            self.format.extend(u16::to_le_bytes(short));
        }
        self.format.extend(mask.to_le_bytes());
        self.format.extend(tag);
        self.format
            .extend(*b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71");
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.kind.to_vec();
        bytes.extend([0; 4]);
        bytes.extend(b"WAVE");
        if self.kind == b"RF64" {
            bytes.extend(b"ds64");
            bytes.extend(28u32.to_le_bytes());
            for length in [0, self.data.len() as u64, MOMENTS as u64] {
                bytes.extend(length.to_le_bytes());
            }
            bytes.extend([0; 4]);
        }
        bytes.extend(b"fmt ");
        bytes.extend((self.format.len() as u32).to_le_bytes());
        bytes.extend(&self.format);
        bytes.extend(&self.between);
        bytes.extend(b"data");
        bytes.extend(self.data_len.unwrap_or(self.data.len() as u32).to_le_bytes());
        bytes.extend(&self.data);
        bytes
    }
}

/// How loud a clip is in its second half, decibels.
fn level(bytes: &[u8]) -> Result<f64, String> {
    let mut clip = Clip::from_bytes(bytes).map_err(|error| error.to_string())?;
    let mut block: Block = [0.0; BLOCK_SAMPLES];
    let mut power = 0.0;
    for n in 0..10 {
        clip.next(&mut block).map_err(|error| error.to_string())?;
        if n >= 5 {
            power += block.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / 480.0 / 5.0;
        }
    }
    Ok(10.0 * power.log10())
}

#[test]
fn a_clip_is_as_loud_however_it_is_written() {
    let float64 = |n| tone(n).to_le_bytes().to_vec();
    let float32 = |n| (tone(n) as f32).to_le_bytes().to_vec();
    let word = |n| (tone(n) * 2_147_483_647.0) as i32;
    let left_justified = move |n| (word(n) & !0xFF).to_le_bytes().to_vec();
    let twenty_in_24 = move |n| (word(n) & !0xFFF).to_le_bytes()[1..].to_vec();
    let centre = |n| {
        let mut moment = vec![0; 12];
        moment[4..6].copy_from_slice(&((tone(n) * 32_767.0) as i16).to_le_bytes());
        moment
    };
    let against = |n| {
        let sample = (tone(n) * 32_767.0) as i16;
        [sample, -sample].map(i16::to_le_bytes).concat()
    };
    let odd_list = |padding: &[u8]| [b"LIST\x05\x00\x00\x00INFO!", padding].concat();
    let mut extra = Parts::usual().extensible(16, 4);
    extra.format.extend([1, 2, 3, 4]);
    let mut wrong_rate = Parts::usual();
    wrong_rate.format[8..12].copy_from_slice(&[9; 4]);
    let mut odd_len = Parts::usual();
    odd_len.data.push(0);
    let eighteen = Parts {
        format: [Parts::new(1, 1, 4, |_| Vec::new()).format, vec![0, 0]].concat(),
        ..Parts::new(1, 1, 4, move |n| word(n).to_le_bytes().to_vec())
    };
    let cases = [
        ("usual", Parts::usual()),
        (
            "8 bits",
            Parts::new(1, 1, 1, |n| vec![(tone(n) * 127.0 + 128.0) as u8]),
        ),
        ("float", Parts::new(3, 1, 4, float32)),
        ("double", Parts::new(3, 1, 8, float64)),
        ("24 in 32", Parts::new(1, 1, 4, left_justified).extensible(24, 4)),
        ("20 in 24", Parts::new(1, 1, 3, twenty_in_24).extensible(20, 4)),
        ("32 with a longer format", eighteen),
        ("centre", Parts::new(1, 6, 2, centre).extensible(16, 0x3F)),
        ("antiphase", Parts::new(1, 2, 2, against)),
        (
            "RF64",
            Parts {
                kind: b"RF64",
                data_len: Some(UNKNOWN),
                ..Parts::usual()
            },
        ),
        (
            "padded list",
            Parts {
                between: odd_list(&[0]),
                ..Parts::usual()
            },
        ),
        (
            "list without padding",
            Parts {
                between: odd_list(&[]),
                ..Parts::usual()
            },
        ),
        ("longer extensible", extra),
        ("wrong byte rate", wrong_rate),
        (
            "from a pipe",
            Parts {
                data_len: Some(UNKNOWN),
                ..Parts::usual()
            },
        ),
        (
            "broken off",
            Parts {
                data_len: Some(0),
                ..Parts::usual()
            },
        ),
        ("odd length", odd_len),
    ];
    for (name, parts) in cases {
        let level = level(&parts.bytes());
        assert!(
            level.as_ref().is_ok_and(|level| (level + 9.6).abs() < 0.4),
            "{name}: {level:?}"
        );
    }
}

#[test]
fn what_a_clip_is_unfit_for_is_said() {
    let short = Parts {
        data: vec![0; 100],
        ..Parts::usual()
    };
    let late = Parts {
        format: vec![1, 0],
        ..Parts::usual()
    };
    for (bytes, expected) in [
        (b"OggS".to_vec(), "not a WAV"),
        ([b"RIFX", &Parts::usual().bytes()[4..]].concat(), "RIFX"),
        (Parts::new(0x55, 2, 1, |_| vec![0, 0]).bytes(), "MP3"),
        (Parts::new(2, 1, 1, |_| vec![0]).bytes(), "ADPCM"),
        (Parts::new(0x161, 1, 1, |_| vec![0]).bytes(), "0x0161"),
        (Parts::new(3, 1, 2, |_| vec![0, 0]).bytes(), "16 bits"),
        (short.bytes(), "less than 10 ms"),
        (late.bytes(), "0 channels"),
        (Parts::usual().bytes()[..36].to_vec(), "no sound"),
    ] {
        let told = level(&bytes).expect_err(expected);
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn the_laws_are_those_of_the_telephone() {
    for (byte, size) in [
        (0x00, -5_504),
        (0x80, 5_504),
        (0x55, -8),
        (0xD5, 8),
        (0x2A, -32_256),
        (0xAA, 32_256),
    ] {
        assert_eq!(a_law(byte), size, "A-law {byte:#x}");
    }
    for (byte, size) in [
        (0x00, -32_124),
        (0x80, 32_124),
        (0x7F, 0),
        (0xFF, 0),
        (0x40, -1_884),
    ] {
        assert_eq!(mu_law(byte), size, "µ-law {byte:#x}");
    }
}

#[test]
fn a_clip_goes_round_without_a_gap() {
    let bytes = Parts::usual().bytes();
    let mut wav = Wav::open(Cursor::new(&*bytes)).expect("a clip");
    let first: Vec<f32> = wav.read(MOMENTS + 1).expect("read").collect();
    assert_eq!(first.len(), MOMENTS);
    assert_eq!(wav.read(1).expect("read").count(), 0);
    wav.rewind().expect("a beginning");
    let again: Vec<f32> = wav.read(100).expect("read").collect();
    assert_eq!(again, first[..100]);
}
