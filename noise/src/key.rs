//! Key types: secrets wipe themselves when dropped and print as `…`.

use std::fmt;

use curve25519_dalek::montgomery::MontgomeryPoint;
use rand::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// An X25519 public key (RFC 7748), 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey(pub [u8; 32]);

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, ..] = self.0;
        write!(f, "PublicKey({a:02x}{b:02x}{c:02x}…)")
    }
}

/// A participant's X25519 private key, made fresh for every call.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct StaticKey([u8; 32]);

impl StaticKey {
    /// Draws a key from `rng`.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut key = Self([0; 32]);
        rng.fill_bytes(&mut key.0);
        key
    }

    /// The key that others know this one by.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(MontgomeryPoint::mul_base_clamped(self.0).to_bytes())
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for StaticKey {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for StaticKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StaticKey(…)")
    }
}

/// A secret that both sides know before the handshake (`psk1`).
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Psk([u8; 32]);

impl Psk {
    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Psk {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Psk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Psk(…)")
    }
}

/// What both ends of a TLS connection derive from it, and nobody else (RFC 8446, section 7.5).
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Exporter(pub [u8; 32]);

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exporter(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wipes_itself<T: ZeroizeOnDrop>() {}

    #[test]
    fn secrets_wipe_themselves_and_print_nothing() {
        wipes_itself::<StaticKey>();
        wipes_itself::<Psk>();
        wipes_itself::<Exporter>();
        let printed = format!(
            "{:?} {:?} {:?}",
            StaticKey::from([7; 32]),
            Psk::from([7; 32]),
            Exporter([7; 32])
        );
        assert_eq!(printed, "StaticKey(…) Psk(…) Exporter(…)");

        let mut key = StaticKey::from([7; 32]);
        key.zeroize();
        assert_eq!(key.as_bytes(), &[0; 32]);
    }

    #[test]
    fn the_public_key_is_the_one_of_rfc_7748() {
        // RFC 7748, section 6.1: Alice's key pair.
        let private: [u8; 32] = [
            0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66, 0x45,
            0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a,
        ];
        let public: [u8; 32] = [
            0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54, 0x74, 0x8b, 0x7d, 0xdc, 0xb4, 0x3e, 0xf7, 0x5a,
            0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38, 0x1a, 0xf4, 0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a,
        ];
        assert_eq!(StaticKey::from(private).public(), PublicKey(public));
    }
}
