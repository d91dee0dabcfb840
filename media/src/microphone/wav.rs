//! WAV as programs write it: RIFF and RF64, with PCM, floating point, A-law and µ-law. What is wrong in a header and can be
//! reckoned from the rest is not believed: lengths, byte rates, paddings.
//!
//! Format: Microsoft's “Multiple Channel Audio Data and WAVE Files”; RF64: EBU Tech 3306; the laws: ITU-T G.711.

use std::io::{self, Read, Seek, SeekFrom};

/// Chunks that may stand before the samples.
const MAX_CHUNKS: usize = 10_000;

/// Channels at the most.
const MAX_CHANNELS: u16 = 64;

/// The speaker for effects below a voice, in a mask of channels.
const LOW_EFFECTS: u32 = 1 << 3;

/// A length that says that it is elsewhere, or that nobody knew it.
const UNKNOWN: u32 = u32::MAX;

/// How a sample is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Unsigned8,
    /// Signed, so many bytes, the least first. The most significant bits count, however many are valid.
    Signed(u8),
    Float32,
    Float64,
    ALaw,
    MuLaw,
}

/// What stands before the samples.
struct Header {
    encoding: Encoding,
    channels: u16,
    rate: u32,
    /// Which speakers the channels are for, if that is said.
    mask: Option<u32>,
}

/// A clip that is read as it is played.
pub struct Wav<R> {
    reader: R,
    header: Header,
    /// Where the samples begin, bytes.
    begin: u64,
    /// Whole moments of samples.
    moments: u64,
    /// The next moment to be read.
    at: u64,
    bytes: Vec<u8>,
}

impl<R: Read + Seek> Wav<R> {
    /// Reads what stands before the samples.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence.
    pub fn open(mut reader: R) -> Result<Self, String> {
        let end = reader.seek(SeekFrom::End(0)).map_err(|error| error.to_string())?;
        let not_wav = |_| "it is not a WAV clip".to_owned();
        reader.rewind().map_err(|error| error.to_string())?;
        let riff: [u8; 12] = read(&mut reader).map_err(not_wav)?;
        match (&riff[..4], &riff[8..]) {
            (b"RIFF" | b"RF64" | b"BW64", b"WAVE") => {}
            (b"RIFX", b"WAVE") => return Err("its numbers are in the other order (RIFX); convert it".into()),
            _ => return Err("it is not a WAV clip".into()),
        }
        let (mut header, mut long) = (None, None);
        let mut at = 12;
        for _ in 0..MAX_CHUNKS {
            let chunk = chunk(&mut reader, at).map_err(|_| "there is no sound in it".to_owned())?;
            let (id, len, body) = chunk;
            match &id {
                b"fmt " => header = Some(Header::read(&mut reader, len).map_err(not_wav)??),
                b"ds64" => {
                    let lengths: [u8; 16] = read(&mut reader).map_err(not_wav)?;
                    long = lengths.last_chunk().map(|data| u64::from_le_bytes(*data));
                }
                b"data" => {
                    let header = header.ok_or("its samples come before it is said what they are")?;
                    // Whoever wrote into a pipe did not know, and whoever broke off did not say.
                    let rest = end.saturating_sub(body);
                    let said = if len == UNKNOWN {
                        long.unwrap_or(rest)
                    } else {
                        u64::from(len)
                    };
                    let len = if said == 0 { rest } else { said.min(rest) };
                    return Ok(Self {
                        moments: len / header.moment_len() as u64,
                        header,
                        begin: body,
                        reader,
                        at: 0,
                        bytes: Vec::new(),
                    });
                }
                _ => {}
            }
            at = next_chunk(&mut reader, body + u64::from(len)).map_err(|error| error.to_string())?;
        }
        Err("it holds too many chunks".into())
    }

    /// Hertz.
    pub const fn rate(&self) -> u32 {
        self.header.rate
    }

    /// Moments in which each channel has a sample.
    pub const fn moments(&self) -> u64 {
        self.moments
    }

    /// Of each channel, whether it has effects below a voice.
    pub fn low_effects(&self) -> Vec<bool> {
        let mask = self.header.mask.unwrap_or(0);
        let mut speakers = (0..u32::BITS)
            .map(|bit| 1 << bit)
            .filter(|speaker| mask & speaker != 0);
        (0..self.header.channels)
            .map(|_| speakers.next() == Some(LOW_EFFECTS))
            .collect()
    }

    /// The next moments, interleaved, as many as so many at the most; none after the last.
    ///
    /// # Errors
    /// The clip cannot be read.
    pub fn read(&mut self, moments: usize) -> io::Result<impl Iterator<Item = f32>> {
        let count = (self.moments - self.at).min(moments as u64);
        let moment_len = self.header.moment_len();
        self.bytes.clear();
        let wanted = count * moment_len as u64;
        self.reader.by_ref().take(wanted).read_to_end(&mut self.bytes)?;
        self.at += count;
        let encoding = self.header.encoding;
        let samples = self.bytes.chunks_exact(encoding.len());
        Ok(samples.map(move |bytes| encoding.sample(bytes)))
    }

    /// From the first moment again.
    ///
    /// # Errors
    /// The clip cannot be read.
    pub fn rewind(&mut self) -> io::Result<()> {
        self.at = 0;
        self.reader.seek(SeekFrom::Start(self.begin))?;
        Ok(())
    }
}

impl Header {
    fn read(reader: &mut impl Read, len: u32) -> io::Result<Result<Self, String>> {
        let mut bytes = [0; 40];
        let known = (len as usize).min(bytes.len());
        reader.read_exact(&mut bytes[..known])?;
        let short = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let long = |at: usize| u32::from(short(at)) | u32::from(short(at + 2)) << 16;
        let (channels, rate, block, bits) = (short(2), long(4), short(12), short(14));
        let is_extensible = short(0) == 0xFFFE && known == bytes.len();
        let (tag, mask) = if is_extensible {
            (short(24), Some(long(20)))
        } else {
            (short(0), None)
        };
        if !(1..=MAX_CHANNELS).contains(&channels) {
            return Ok(Err(format!("{channels} channels are too few or too many")));
        }
        // What a sample takes is clear from the block, unless that is wrong.
        let container = block
            .checked_div(channels)
            .filter(|len| *len > 0 && block % channels == 0);
        let len = container.unwrap_or(bits.div_ceil(8));
        let encoding = match (tag, len) {
            (1, 1) => Ok(Encoding::Unsigned8),
            (1, 2..=4) => Ok(Encoding::Signed(len as u8)),
            (3, 4) => Ok(Encoding::Float32),
            (3, 8) => Ok(Encoding::Float64),
            (6, 1) => Ok(Encoding::ALaw),
            (7, 1) => Ok(Encoding::MuLaw),
            (1 | 3, _) => Err(format!(
                "samples of {} bits are not supported; convert it",
                u32::from(len) * 8
            )),
            (2 | 17, _) => Err("its sound is compressed as ADPCM; convert it to PCM".into()),
            (0x55, _) => Err("its sound is compressed as MP3; convert it to PCM".into()),
            (tag, _) => Err(format!(
                "its sound is of kind {tag:#06x}, which is not supported; convert it to PCM"
            )),
        };
        Ok(encoding.map(|encoding| Self {
            encoding,
            channels,
            rate,
            mask,
        }))
    }

    /// Bytes in which each channel has a sample.
    const fn moment_len(&self) -> usize {
        self.encoding.len() * self.channels as usize
    }
}

impl Encoding {
    const fn len(self) -> usize {
        match self {
            Self::Unsigned8 | Self::ALaw | Self::MuLaw => 1,
            Self::Signed(len) => len as usize,
            Self::Float32 => 4,
            Self::Float64 => 8,
        }
    }

    /// A sample, -1 to 1 for all but floating point, from as many bytes as it takes.
    fn sample(self, bytes: &[u8]) -> f32 {
        match (self, bytes) {
            (Self::Unsigned8, [byte]) => (f32::from(*byte) - 128.0) / 128.0,
            (Self::ALaw, [byte]) => f32::from(a_law(*byte)) / 32_768.0,
            (Self::MuLaw, [byte]) => f32::from(mu_law(*byte)) / 32_768.0,
            (Self::Float32, [a, b, c, d]) => f32::from_le_bytes([*a, *b, *c, *d]),
            (Self::Float64, bytes) => bytes
                .as_array()
                .map_or(0.0, |bytes| f64::from_le_bytes(*bytes) as f32),
            (Self::Signed(_), bytes) => {
                let mut word = [0; 4];
                for (to, from) in word.iter_mut().rev().zip(bytes.iter().rev()) {
                    *to = *from;
                }
                i32::from_le_bytes(word) as f32 / 2_147_483_648.0
            }
            _ => 0.0,
        }
    }
}

/// G.711's A-law, as 16 bits.
fn a_law(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let (exponent, mantissa) = (byte >> 4 & 7, i16::from(byte & 15));
    let size = match exponent {
        0 => mantissa << 4 | 8,
        _ => (mantissa << 4 | 0x108) << (exponent - 1),
    };
    if byte & 0x80 == 0 { -size } else { size }
}

/// G.711's µ-law, as 16 bits.
fn mu_law(byte: u8) -> i16 {
    let byte = !byte;
    let size = ((i16::from(byte & 15) << 3 | 0x84) << (byte >> 4 & 7)) - 0x84;
    if byte & 0x80 == 0 { size } else { -size }
}

/// The chunk at a place: its id, the length that it says, and where its body begins, which is read next.
fn chunk(reader: &mut (impl Read + Seek), at: u64) -> io::Result<([u8; 4], u32, u64)> {
    reader.seek(SeekFrom::Start(at))?;
    let id = read(reader)?;
    let len = u32::from_le_bytes(read(reader)?);
    Ok((id, len, at + 8))
}

/// Where the next chunk begins. Chunks of odd length are padded, but not by everybody.
fn next_chunk(reader: &mut (impl Read + Seek), end: u64) -> io::Result<u64> {
    if end.is_multiple_of(2) {
        return Ok(end);
    }
    reader.seek(SeekFrom::Start(end))?;
    let id = read::<4>(reader).unwrap_or_default();
    let is_unpadded = id.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    Ok(if is_unpadded { end } else { end + 1 })
}

fn read<const N: usize>(reader: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
