//! Shared secrets, and the separate keys that are derived from each.

use std::fmt;

use blake2::digest::{FixedOutput, Mac};
use blake2::{Blake2s256, Blake2sMac256, Digest};
use rand::CryptoRng;
use sightline_noise::Psk;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// 32 random bytes that two sides share: from a code, or given to both by who introduces them.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Secret(pub [u8; 32]);

impl Secret {
    /// Draws a secret from `rng`.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The key of the tag in a first packet.
    #[must_use]
    pub fn tag_key(&self) -> TagKey {
        TagKey(self.derive(b"sightline tag", &[]))
    }

    /// The pre-shared key of the Noise handshake within `context`.
    #[must_use]
    pub fn psk(&self, context: &[u8; 16]) -> Psk {
        Psk::from(self.derive(b"sightline psk", context))
    }

    /// A public name for the secret: what a session by code is bound to before the call's id is known.
    #[must_use]
    pub fn context(&self) -> [u8; 16] {
        let derived = self.derive(b"sightline context", &[]);
        let mut context = [0; 16];
        context.copy_from_slice(&derived[..16]);
        context
    }

    /// BLAKE2s keyed with the secret, over a label and what it is for (RFC 7693, section 2.9).
    fn derive(&self, label: &[u8], extra: &[u8]) -> [u8; 32] {
        mac(&self.0, &[label, extra])
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Makes and checks the tags of first packets.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct TagKey([u8; 32]);

impl TagKey {
    /// BLAKE2s over the key and a tag's random part. Both fit into one block, which makes this half as dear as keyed
    /// BLAKE2s: strangers can have it computed as often as they like.
    pub(crate) fn mac(&self, random: &[u8; 8]) -> [u8; 32] {
        hash(&[&self.0, random])
    }
}

impl fmt::Debug for TagKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TagKey(…)")
    }
}

fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Blake2sMac256 as Mac>::new(key.into());
    for part in parts {
        Mac::update(&mut mac, part);
    }
    mac.finalize_fixed().into()
}

/// BLAKE2s over the parts in order (RFC 7693).
pub(crate) fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Blake2s256::new();
    for part in parts {
        Digest::update(&mut hash, part);
    }
    hash.finalize().into()
}
