//! Single bits, the highest of each byte first (AV1 specification, section 4.10).

/// Reads bits off a slice.
pub struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> BitReader<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// `f(1)`; `None` after the end.
    pub fn flag(&mut self) -> Option<bool> {
        let byte = *self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    /// `f(count)`, at most 32 bits.
    pub fn bits(&mut self, count: u32) -> Option<u32> {
        (0..count).try_fold(0, |value, _| Some(value << 1 | u32::from(self.flag()?)))
    }

    /// Whether only `trailing_bits()` follow: a one, then zeros (section 5.3.4).
    pub fn is_at_trailing_bits(&mut self) -> bool {
        if self.flag() != Some(true) {
            return false;
        }
        while let Some(bit) = self.flag() {
            if bit {
                return false;
            }
        }
        true
    }
}

/// Puts bits together into bytes.
#[derive(Default)]
pub struct BitWriter {
    bytes: Vec<u8>,
    count: usize,
}

impl BitWriter {
    pub fn flag(&mut self, bit: bool) {
        if self.count.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(bit) << (7 - self.count % 8);
        }
        self.count += 1;
    }

    pub fn bits(&mut self, value: u32, count: u32) {
        for at in (0..count).rev() {
            self.flag(value >> at & 1 == 1);
        }
    }

    /// Ends with `trailing_bits()`.
    pub fn finish(mut self) -> Vec<u8> {
        self.flag(true);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_read_as_written() {
        let mut writer = BitWriter::default();
        writer.bits(0b101, 3);
        writer.flag(false);
        writer.bits(1023, 10);
        let bytes = writer.finish();
        assert_eq!(bytes, [0b1010_1111, 0b1111_1110]);
        let mut reader = BitReader::new(&bytes);
        assert_eq!(
            (reader.bits(3), reader.flag(), reader.bits(10)),
            (Some(5), Some(false), Some(1023))
        );
        assert!(reader.is_at_trailing_bits());
        assert_eq!(reader.flag(), None);
    }

    #[test]
    fn a_byte_may_be_all_trailing_bits_but_nothing_may_follow_them() {
        for (bytes, ends) in [
            (&[0x80][..], true),
            (&[0x80, 0], true),
            (&[0x80, 1], false),
            (&[0], false),
            (&[], false),
        ] {
            assert_eq!(BitReader::new(bytes).is_at_trailing_bits(), ends, "{bytes:?}");
        }
    }
}
