//! AV1's open bitstream units (AV1 specification, section 5.3), as far as our encoders make them. What leaves and what
//! reaches a decoder is written here, and can say nothing else: one picture, shown, of a size that we show, and of
//! everything else that AV1 has (metadata, padding, film grain, layers, scaled, hidden and repeated pictures, many tiles)
//! nothing.
//!
//! ```text
//!   temporal unit ──► mod.rs: units ──► sequence.rs: sequence header     both by bits.rs
//!                                   ──► frame.rs: head of the frame
//! ```

mod bits;
mod frame;
mod sequence;

pub use sequence::{MAX_PIXELS, MAX_SIDE, MIN_SIDE, SequenceHeader, is_size};

/// `obu_type` (section 6.2.2). Whatever a camera or encoder says about itself is in [`METADATA`].
const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
const METADATA: u8 = 5;
const FRAME: u8 = 6;
const PADDING: u8 = 15;

/// `obu_has_size_field`.
const HAS_SIZE: u8 = 2;

/// Bytes of an LEB128 value below 2^32, as AV1 has them (section 4.10.5), at the most.
const MAX_LEB128: usize = 8;

/// Why a temporal unit is not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObuError {
    /// Not a sequence of units with sizes.
    #[error("the picture is not a sequence of AV1 units")]
    Framing,
    /// A unit that has no place in a picture of ours, or not this one, or not there.
    #[error("the picture has an AV1 unit of type {0} that does not belong there")]
    Unit(u8),
    /// A sequence header that asks for more than our encoders do.
    #[error("the picture is of a kind of AV1 that is not used here")]
    Sequence,
    /// A frame that is not one whole picture of the sequence's size, shown at once.
    #[error("the picture is not one whole AV1 frame")]
    Frame,
    /// It builds on a sequence that has not begun.
    #[error("the picture is of a sequence that has not begun")]
    NotBegun,
    /// It says the same in another way than ours do.
    #[error("the picture is not written as AV1 is written here")]
    Form,
}

/// One picture as it leaves: a temporal delimiter, before a key frame its sequence header, and one frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemporalUnit {
    /// The units.
    pub data: Vec<u8>,
    /// Whether it builds on no other.
    pub is_key: bool,
    /// What the picture is like.
    pub sequence: SequenceHeader,
}

/// Reads the temporal units of one encoder, in order.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    sequence: Option<SequenceHeader>,
}

impl Reader {
    /// What an encoder of ours made, without what is not needed to decode it: metadata, padding, names of layers.
    ///
    /// # Errors
    /// [`ObuError`]: it has to be set up in another way.
    pub fn handle_encoded(&mut self, encoded: &[u8]) -> Result<TemporalUnit, ObuError> {
        let units: Vec<_> = Units(encoded)
            .filter(|unit| !matches!(unit, Ok(unit) if matches!(unit.kind, METADATA | PADDING)))
            .collect::<Result<_, _>>()?;
        self.read(&units)
    }

    /// What a member sent: just what [`Self::handle_encoded`] gives there. After an error the next key frame can be read
    /// again.
    ///
    /// # Errors
    /// [`ObuError`].
    pub fn handle_received(&mut self, received: &[u8]) -> Result<TemporalUnit, ObuError> {
        let units: Vec<_> = Units(received).take(MAX_UNITS).collect::<Result<_, _>>()?;
        let unit = self.read(&units)?;
        if unit.data == received {
            Ok(unit)
        } else {
            Err(ObuError::Form)
        }
    }

    fn read(&mut self, units: &[Unit<'_>]) -> Result<TemporalUnit, ObuError> {
        let (header, frame) = match units {
            [delimiter, header, frame] if header.kind == SEQUENCE_HEADER => {
                delimiter.expect(TEMPORAL_DELIMITER)?;
                let header = SequenceHeader::read(header.payload).ok_or(ObuError::Sequence)?;
                (Some(header), frame)
            }
            [delimiter, frame] => {
                delimiter.expect(TEMPORAL_DELIMITER)?;
                (None, frame)
            }
            [.., last] => return Err(ObuError::Unit(last.kind)),
            [] => return Err(ObuError::Framing),
        };
        frame.expect(FRAME)?;
        let sequence = header.or(self.sequence).ok_or(ObuError::NotBegun)?;
        let is_key = frame::read(frame.payload, &sequence).ok_or(ObuError::Frame)?;
        if is_key != header.is_some() {
            return Err(ObuError::Frame);
        }
        self.sequence = Some(sequence);
        Ok(TemporalUnit {
            data: write(header.as_ref(), frame.payload),
            is_key,
            sequence,
        })
    }
}

/// Units of a picture: delimiter, sequence header, frame; and one more by which too many are told.
const MAX_UNITS: usize = 4;

fn write(header: Option<&SequenceHeader>, frame: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(frame.len() + 40);
    push(&mut data, TEMPORAL_DELIMITER, &[]);
    if let Some(header) = header {
        push(&mut data, SEQUENCE_HEADER, &header.write());
    }
    push(&mut data, FRAME, frame);
    data
}

fn push(data: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    data.push(kind << 3 | HAS_SIZE);
    let mut left = payload.len();
    while left > 0x7f {
        data.push(left as u8 & 0x7f | 0x80);
        left >>= 7;
    }
    data.push(left as u8);
    data.extend_from_slice(payload);
}

/// One unit, of all layers or of one.
struct Unit<'a> {
    kind: u8,
    payload: &'a [u8],
}

impl Unit<'_> {
    const fn expect(&self, kind: u8) -> Result<(), ObuError> {
        if self.kind == kind {
            Ok(())
        } else {
            Err(ObuError::Unit(self.kind))
        }
    }
}

/// The units of a temporal unit, each with its size.
struct Units<'a>(&'a [u8]);

impl<'a> Iterator for Units<'a> {
    type Item = Result<Unit<'a>, ObuError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let unit = split_unit(self.0);
        self.0 = unit.as_ref().map_or(&[], |(_, rest)| rest);
        Some(unit.map(|(unit, _)| unit).ok_or(ObuError::Framing))
    }
}

/// The first unit: header (1 or 2 bytes), size (LEB128), payload; and what follows it.
fn split_unit(bytes: &[u8]) -> Option<(Unit<'_>, &[u8])> {
    let (header, rest) = bytes.split_first()?;
    let (is_forbidden, has_extension, has_size, is_reserved) = (
        header & 0x80 != 0,
        header & 4 != 0,
        header & HAS_SIZE != 0,
        header & 1 != 0,
    );
    if is_forbidden || !has_size || is_reserved {
        return None;
    }
    let rest = if has_extension {
        // The temporal layer (3 bits), which is for relays; there are no spatial ones.
        let (extension, rest) = rest.split_first()?;
        if extension & 0x1f != 0 {
            return None;
        }
        rest
    } else {
        rest
    };
    let (size, size_len) = leb128(rest)?;
    let (payload, rest) = rest.get(size_len..)?.split_at_checked(size)?;
    let kind = header >> 3 & 0x0f;
    Some((Unit { kind, payload }, rest))
}

/// AV1 specification, section 4.10.5: seven bits a byte, at most eight bytes, the value below 2^32.
fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().take(MAX_LEB128).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let value = u32::try_from(value).ok()?;
            return Some((usize::try_from(value).ok()?, at + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests;
