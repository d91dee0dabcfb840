//! The handshake: two messages of IKpsk1, the initiator knowing the responder's static key beforehand.

use rand::CryptoRng;
use snow::params::NoiseParams;
use snow::{Builder, HandshakeState};
use zeroize::Zeroizing;

use crate::binding::Binding;
use crate::error::HandshakeError;
use crate::key::{Psk, PublicKey, StaticKey};
use crate::primitives::{Resolver, TAG_LEN};
use crate::transport::Keys;

/// The pattern, as the Noise specification names it.
pub const PATTERN: &str = "Noise_IKpsk1_25519_ChaChaPoly_BLAKE2s";

/// First message: ephemeral key, sealed static key, sealed empty payload. Bytes.
const FIRST_LEN: usize = 32 + 32 + TAG_LEN + TAG_LEN;

/// Second message: ephemeral key, sealed empty payload. Bytes.
const SECOND_LEN: usize = 32 + TAG_LEN;

/// The side that begins.
pub struct Initiator {
    state: HandshakeState,
}

impl Initiator {
    /// Starts a handshake with the holder of `theirs`.
    ///
    /// Returns the state that waits for the answer, and the message to send (96 bytes).
    ///
    /// # Errors
    /// [`HandshakeError::Setup`] when the primitives refuse the keys.
    pub fn start(
        ours: &StaticKey,
        theirs: PublicKey,
        psk: &Psk,
        binding: &Binding,
        rng: &mut impl CryptoRng,
    ) -> Result<(Self, Vec<u8>), HandshakeError> {
        let prologue = binding.prologue();
        let mut state = builder(rng)?
            .local_private_key(ours.as_bytes())
            .and_then(|builder| builder.remote_public_key(&theirs.0))
            .and_then(|builder| builder.psk(1, psk.as_bytes()))
            .and_then(|builder| builder.prologue(&prologue))
            .and_then(Builder::build_initiator)
            .map_err(|_| HandshakeError::Setup)?;
        let mut message = vec![0; FIRST_LEN];
        state
            .write_message(&[], &mut message)
            .map_err(|_| HandshakeError::Setup)?;
        Ok((Self { state }, message))
    }

    /// Takes the answer: the keys are then agreed.
    pub(crate) fn handle_second(mut self, message: &[u8]) -> Result<Keys, HandshakeError> {
        read(&mut self.state, message, SECOND_LEN)?;
        Keys::new(self.state)
    }
}

/// The side that answers.
pub struct Responder {
    state: HandshakeState,
}

impl Responder {
    /// Reads a first message. The initiator's static key is proved once this returns.
    ///
    /// # Errors
    /// [`HandshakeError::Refused`] when the message was made with another secret, key or binding.
    pub fn handle_first(
        ours: &StaticKey,
        psk: &Psk,
        binding: &Binding,
        message: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<(Self, PublicKey), HandshakeError> {
        let prologue = binding.prologue();
        let mut state = builder(rng)?
            .local_private_key(ours.as_bytes())
            .and_then(|builder| builder.psk(1, psk.as_bytes()))
            .and_then(|builder| builder.prologue(&prologue))
            .and_then(Builder::build_responder)
            .map_err(|_| HandshakeError::Setup)?;
        read(&mut state, message, FIRST_LEN)?;
        let theirs = state
            .get_remote_static()
            .and_then(|key| key.try_into().ok())
            .ok_or(HandshakeError::Refused)?;
        Ok((Self { state }, PublicKey(theirs)))
    }

    /// Makes the answer (48 bytes) and the keys.
    pub(crate) fn write_second(mut self) -> Result<(Keys, Vec<u8>), HandshakeError> {
        let mut message = vec![0; SECOND_LEN];
        self.state
            .write_message(&[], &mut message)
            .map_err(|_| HandshakeError::Setup)?;
        Ok((Keys::new(self.state)?, message))
    }
}

fn builder<'a>(rng: &mut impl CryptoRng) -> Result<Builder<'a>, HandshakeError> {
    let params: NoiseParams = PATTERN.parse().map_err(|_| HandshakeError::Setup)?;
    let mut ephemeral = Zeroizing::new([0; 32]);
    rng.fill_bytes(&mut *ephemeral);
    Ok(Builder::with_resolver(params, Box::new(Resolver { ephemeral })))
}

fn read(state: &mut HandshakeState, message: &[u8], expected: usize) -> Result<(), HandshakeError> {
    if message.len() != expected {
        return Err(HandshakeError::Length(message.len()));
    }
    state
        .read_message(message, &mut [0; FIRST_LEN])
        .map(|_| ())
        .map_err(|_| HandshakeError::Refused)
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use zeroize::Zeroizing;

    use super::*;

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        HEXLOWER
            .decode(text.as_bytes())
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .expect("hex of the right length")
    }

    fn vector_builder<'a>(ephemeral: &str) -> Builder<'a> {
        let ephemeral = Zeroizing::new(hex(ephemeral));
        Builder::with_resolver(
            PATTERN.parse().expect("a known pattern"),
            Box::new(Resolver { ephemeral }),
        )
    }

    /// The figures are those of cacophony's and snow's common test vectors for this pattern.
    #[test]
    fn the_published_vector_holds_with_our_primitives() {
        let psk = hex::<32>("54686973206973206d7920417573747269616e20706572737065637469766521");
        let prologue = hex::<9>("4a6f686e2047616c74");
        let init_static = hex::<32>("e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1");
        let resp_static = hex::<32>("4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893");
        let resp_public = hex::<32>("31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62");
        let mut initiator =
            vector_builder("893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a")
                .prologue(&prologue)
                .and_then(|b| b.psk(1, &psk))
                .and_then(|b| b.local_private_key(&init_static))
                .and_then(|b| b.remote_public_key(&resp_public))
                .and_then(Builder::build_initiator)
                .expect("an initiator");
        let mut responder =
            vector_builder("bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b")
                .prologue(&prologue)
                .and_then(|b| b.psk(1, &psk))
                .and_then(|b| b.local_private_key(&resp_static))
                .and_then(Builder::build_responder)
                .expect("a responder");

        let handshake = [
            (
                "4c756477696720766f6e204d69736573",
                "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c794498e192a0a94102bd8fa1a182979c012f4fa2558d899e2e58d4d4aba041a56b35297560de33bf7fe93f8e567791039539f59e76a00721ea7c1095fbccf10a13df79f3b5605bfb0617c309698737c73429",
            ),
            (
                "4d757272617920526f746862617264",
                "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f1448088434523a21bc9f1ce57af3dc28365e1e33c25f577fc4aa2149d5d6a2ab0911beb",
            ),
        ];
        let mut buffer = [0; 256];
        let mut read = [0; 256];
        for (turn, (payload, ciphertext)) in handshake.into_iter().enumerate() {
            let payload = HEXLOWER.decode(payload.as_bytes()).expect("hex");
            let (from, to) = if turn == 0 {
                (&mut initiator, &mut responder)
            } else {
                (&mut responder, &mut initiator)
            };
            let len = from.write_message(&payload, &mut buffer).expect("written");
            assert_eq!(HEXLOWER.encode(&buffer[..len]), ciphertext);
            let len = to.read_message(&buffer[..len], &mut read).expect("read");
            assert_eq!(&read[..len], payload);
        }
        let expected_hash = "a02debd3baac76b19863f7d1175927193fcee661e9f7ae87b6d086cb4926c783";
        assert_eq!(HEXLOWER.encode(initiator.get_handshake_hash()), expected_hash);

        let initiator = initiator.into_stateless_transport_mode().expect("finished");
        let responder = responder.into_stateless_transport_mode().expect("finished");
        let transport = [
            (
                0,
                "462e20412e20486179656b",
                "dc15d1ceff592ff648bba38f9bc63c0049600307fba700ba2a0b2b",
            ),
            (
                0,
                "4361726c204d656e676572",
                "85f1e8c573c0d9fd188080532a0ad1a6d457974c91f2ff0f21ecaf",
            ),
            (
                1,
                "4a65616e2d426170746973746520536179",
                "11d83f8ff550ef18c1314540ade9c7b9e5fb5245889221856ea55b0b8e64bdf1bc",
            ),
            (
                1,
                "457567656e2042f6686d20766f6e2042617765726b",
                "b7b3a985fe737290fb597224ccad3f9ad3caa3d396bf201233891db26172d267f4298d47c2",
            ),
        ];
        for (turn, (counter, payload, ciphertext)) in transport.into_iter().enumerate() {
            let from = if turn % 2 == 0 { &initiator } else { &responder };
            let payload = HEXLOWER.decode(payload.as_bytes()).expect("hex");
            let len = from
                .write_message(counter, &payload, &mut buffer)
                .expect("written");
            assert_eq!(HEXLOWER.encode(&buffer[..len]), ciphertext);
        }
    }
}
