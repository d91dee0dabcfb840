//! Shared secrets, and the separate keys that are derived from each.

use std::fmt;
use std::ops::Deref;

use blake2::digest::{FixedOutput, Mac};
use blake2::{Blake2s256, Blake2sMac256, Digest};
use libp2p_identity::PeerId;
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use rand::CryptoRng;
use sightline_noise::Psk;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// 32 random bytes that two sides share: from a code, or given to both by who introduces them.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Secret(pub [u8; 32]);

impl Secret {
    /// Draws a secret from `rng`.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut secret = Self([0; 32]);
        rng.fill_bytes(&mut secret.0);
        secret
    }

    /// The key of the tag in the first packet of whoever has a code.
    #[must_use]
    pub fn tag_key(&self) -> TagKey {
        TagKey(self.derive(b"sightline tag", &[]))
    }

    /// The key of the tag in a member's first packet. Of two who both dial with one secret, neither takes its own packet,
    /// sent back, for the other's.
    #[must_use]
    pub fn tag_key_of(&self, dialler: &PeerId) -> TagKey {
        TagKey(self.derive(b"sightline tag", &dialler.to_bytes()))
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

/// Bytes of a control message that are for its receiver alone: a CBOR byte string that wipes itself and prints as `…`.
#[derive(Clone, PartialEq, Eq)]
pub struct Private<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> ZeroizeOnDrop for Private<T> {}

impl<T: Zeroize> From<T> for Private<T> {
    fn from(bytes: T) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl<T: Zeroize> Deref for Private<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Private(…)")
    }
}

impl<C, T: Zeroize + AsRef<[u8]>> Encode<C> for Private<T> {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        let bytes: &T = self;
        e.bytes(bytes.as_ref())?.ok()
    }
}

impl<'b, C, T: Zeroize + TryFrom<&'b [u8]>> Decode<'b, C> for Private<T> {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let bytes = T::try_from(d.bytes()?);
        let bytes = bytes.map_err(|_| decode::Error::message("bytes of another length"))?;
        Ok(Self::from(bytes))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_wipe_themselves_and_print_nothing() {
        fn wipes_itself<T: ZeroizeOnDrop>(_: &T) {}
        let secret = Secret([7; 32]);
        let private = Private::from(secret.0);
        wipes_itself(&secret);
        wipes_itself(&secret.tag_key());
        wipes_itself(&private);
        wipes_itself(&private.0);
        assert_eq!(
            format!("{secret:?} {:?} {private:?}", secret.tag_key()),
            "Secret(…) TagKey(…) Private(…)"
        );
    }

    #[test]
    fn private_bytes_are_a_byte_string_of_their_own_length() {
        let bytes = minicbor::to_vec(Private::from([7u8; 16])).expect("a vector takes it");
        assert_eq!(bytes, [[0x50u8].as_slice(), &[7; 16]].concat());
        let read: Private<[u8; 16]> = decode(&bytes).expect("as it was written");
        assert_eq!(*read, [7; 16]);
        assert!(decode::<Private<[u8; 32]>>(&bytes).is_err());
        let read: Private<Vec<u8>> = decode(&bytes).expect("of any length");
        assert_eq!(*read, [7; 16]);
    }
}
