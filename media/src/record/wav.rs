//! A WAV file that grows: mono, 16 bits, at the program's rate, readable at any moment.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};

use sightline_media_proto::audio::SAMPLE_RATE;

/// Bytes before the samples.
const HEADER_LEN: u64 = 44;

/// Bytes of a sample.
const SAMPLE_LEN: u16 = 2;

/// A file being written.
pub struct WavFile {
    file: BufWriter<File>,
}

impl WavFile {
    pub fn new(file: File) -> io::Result<Self> {
        let mut wav = Self {
            file: BufWriter::new(file),
        };
        wav.file.write_all(&header(0))?;
        Ok(wav)
    }

    /// A sample, -1 to 1.
    pub fn write(&mut self, sample: f32) -> io::Result<()> {
        let sample = (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)) as i16;
        self.file.write_all(&sample.to_le_bytes())
    }

    /// What was written so far is on the disk, and the header says so.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()?;
        mend(self.file.get_mut())
    }

    /// Ends a file that could not be written further: what is there of it is whole.
    pub fn cut(self) {
        let (mut file, _unwritten) = self.file.into_parts();
        // Nothing more can be done for it.
        let _as_it_is = mend(&mut file);
    }

    pub const fn file(&self) -> &BufWriter<File> {
        &self.file
    }
}

/// Has the header say how many samples there are, and whatever is no whole sample go.
fn mend(file: &mut File) -> io::Result<()> {
    let samples = file.metadata()?.len().saturating_sub(HEADER_LEN) / u64::from(SAMPLE_LEN);
    let len = samples * u64::from(SAMPLE_LEN);
    file.set_len(HEADER_LEN + len)?;
    file.rewind()?;
    file.write_all(&header(len))?;
    file.seek(SeekFrom::End(0))?;
    Ok(())
}

/// A header before so many bytes of samples. After twelve hours it says as many as it can.
fn header(len: u64) -> Vec<u8> {
    let rate = SAMPLE_RATE.to_le_bytes();
    let byte_rate = (SAMPLE_RATE * u32::from(SAMPLE_LEN)).to_le_bytes();
    let data = u32::try_from(len).unwrap_or(u32::MAX - 36);
    let mut header = b"RIFF".to_vec();
    header.extend((data.saturating_add(36)).to_le_bytes());
    header.extend(b"WAVEfmt ");
    header.extend(16u32.to_le_bytes());
    // PCM, one channel.
    header.extend([1, 0, 1, 0]);
    header.extend(rate);
    header.extend(byte_rate);
    header.extend(SAMPLE_LEN.to_le_bytes());
    header.extend((8 * SAMPLE_LEN).to_le_bytes());
    header.extend(b"data");
    header.extend(data.to_le_bytes());
    header
}
