//! The generator of a call's keys: who learns its state learns nothing of what it gave out before.
//!
//! Fast key erasure (D. J. Bernstein, "Fast-key-erasure random-number generators", 2017): ChaCha20 (RFC 8439) under the
//! current key, its counter and nonce at zero, makes the next key, which takes the place of the one that made it, and
//! then what is handed out, each byte of which is wiped as it is.

use std::convert::Infallible;
use std::fmt;

use chacha20::cipher::{KeyIvInit, StreamCipher};
use chacha20::{ChaCha20, Nonce};
use rand::{SeedableRng, TryCryptoRng, TryRng};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const KEY_LEN: usize = 32;

/// 736 bytes: with the key twelve blocks of ChaCha20, as in Bernstein's own generator.
const OUTPUT_LEN: usize = 736;

/// A generator for keys. There are no copies of it: two would give out the same.
pub struct FastKeyErasureRng(Box<State>);

/// On the heap, so that moving the generator leaves nothing behind.
#[derive(Zeroize, ZeroizeOnDrop)]
struct State {
    /// Makes the next output; what is in `output` was made by one that is gone.
    key: [u8; KEY_LEN],
    /// Zeros up to `used`, then what was not handed out yet.
    output: [u8; OUTPUT_LEN],
    used: usize,
}

impl FastKeyErasureRng {
    /// A generator whose whole output follows from `seed`.
    #[must_use]
    pub fn new(seed: &[u8; 32]) -> Self {
        let mut state = Box::new(State {
            key: [0; KEY_LEN],
            output: [0; OUTPUT_LEN],
            used: OUTPUT_LEN,
        });
        state.key.copy_from_slice(seed);
        Self(state)
    }
}

impl State {
    fn refill(&mut self) {
        let mut cipher = ChaCha20::new((&self.key).into(), &Nonce::default());
        // Nothing of the old key is left here, nothing counts as used, and what the cipher adds to zeros is itself.
        self.zeroize();
        cipher.apply_keystream(&mut self.key);
        cipher.apply_keystream(&mut self.output);
    }

    fn hand_out(&mut self, mut wanted: &mut [u8]) {
        while !wanted.is_empty() {
            if self.used == OUTPUT_LEN {
                self.refill();
            }
            let len = wanted.len().min(OUTPUT_LEN - self.used);
            let (now, later) = std::mem::take(&mut wanted).split_at_mut(len);
            let fresh = &mut self.output[self.used..self.used + len];
            now.copy_from_slice(fresh);
            fresh.zeroize();
            self.used += len;
            wanted = later;
        }
    }
}

impl TryRng for FastKeyErasureRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.hand_out(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.hand_out(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        self.0.hand_out(dst);
        Ok(())
    }
}

impl TryCryptoRng for FastKeyErasureRng {}

/// For simulations: a call that is repeated from its seed.
impl SeedableRng for FastKeyErasureRng {
    type Seed = [u8; 32];

    fn from_seed(seed: [u8; 32]) -> Self {
        Self::new(&Zeroizing::new(seed))
    }
}

impl fmt::Debug for FastKeyErasureRng {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FastKeyErasureRng(…)")
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;
    use rand::Rng;

    use super::*;

    fn drawn(rng: &mut FastKeyErasureRng, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        rng.fill_bytes(&mut bytes);
        bytes
    }

    /// The first two blocks are test vectors 1 and 2 of RFC 8439, appendix A.1; what follows them was computed from
    /// the cipher's definition there.
    #[test]
    fn the_output_is_that_of_chacha20_whose_first_half_block_is_the_next_key() {
        let mut rng = FastKeyErasureRng::new(&[0; 32]);
        assert_eq!(
            HEXLOWER.encode(&drawn(&mut rng, 96)),
            "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586\
             9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed\
             29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f"
        );
        assert_eq!(
            HEXLOWER.encode(&rng.0.key),
            "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
        );
        let first = drawn(&mut rng, OUTPUT_LEN - 96);
        assert!(
            HEXLOWER
                .encode(&first)
                .ends_with("26fc8eae0d2d65c42a479f088648be2d")
        );
        assert_eq!(
            HEXLOWER.encode(&drawn(&mut rng, 32)),
            "afbdad2845b93cdbb2fe6463d2fe162adae0f6e676f0494218f5ce0596e79f5c",
            "the output under the next key"
        );
        assert_eq!(
            HEXLOWER.encode(&rng.0.key),
            "b0fd14ff96a0bda154c329082c9c6533bb4c9473bf5dde138f82c9ac5553d958"
        );
    }

    #[test]
    fn what_was_handed_out_cannot_be_computed_from_the_state_after() {
        let seed = [7; KEY_LEN];
        for len in [16, 32, 700, OUTPUT_LEN, OUTPUT_LEN + 16, 3 * OUTPUT_LEN + 40] {
            let mut rng = FastKeyErasureRng::new(&seed);
            let mut keys = vec![seed];
            let mut handed_out = Vec::new();
            for _ in 0..len / 4 {
                handed_out.extend(drawn(&mut rng, 4));
                if keys.last() != Some(&rng.0.key) {
                    keys.push(rng.0.key);
                }
            }
            let State { key, output, used } = &*rng.0;
            assert!(output[..*used].iter().all(|byte| *byte == 0), "{len}");
            assert!(output[*used..].iter().any(|byte| *byte != 0) || *used == OUTPUT_LEN);
            // Neither it nor a key that made it is there, and the one key that is leads only forwards.
            let forwards = drawn(&mut FastKeyErasureRng::new(key), 8 * OUTPUT_LEN);
            let state = [key.as_slice(), output, &forwards].concat();
            let (_, gone) = keys.split_last().expect("the seed");
            for secret in gone
                .iter()
                .map(<[u8; 32]>::as_slice)
                .chain(handed_out.chunks_exact(8))
            {
                assert!(!state.windows(secret.len()).any(|part| part == secret), "{len}");
            }
        }
    }

    #[test]
    fn a_generator_wipes_itself_and_prints_nothing() {
        fn wipes_itself<T: ZeroizeOnDrop>() {}
        wipes_itself::<State>();
        wipes_itself::<ChaCha20>();
        let mut rng = FastKeyErasureRng::new(&[7; 32]);
        let _drawn = rng.next_u32();
        assert_eq!(
            format!("{rng:?} {rng:#?}"),
            "FastKeyErasureRng(…) FastKeyErasureRng(…)"
        );
        rng.0.zeroize();
        assert_eq!((rng.0.key, rng.0.output), ([0; KEY_LEN], [0; OUTPUT_LEN]));
    }

    proptest! {
        #[test]
        fn a_seed_gives_one_stream_in_whatever_pieces_it_is_taken(
            seed in any::<[u8; 32]>(),
            pieces in prop::collection::vec(0usize..900, 1..8),
        ) {
            let whole = drawn(&mut FastKeyErasureRng::new(&seed), pieces.iter().sum());
            let mut again = FastKeyErasureRng::from_seed(seed);
            let parts: Vec<u8> = pieces.iter().flat_map(|len| drawn(&mut again, *len)).collect();
            prop_assert_eq!(&whole, &parts);

            let mut words = FastKeyErasureRng::new(&seed);
            let first = [words.next_u32().to_le_bytes().as_slice(), &words.next_u64().to_le_bytes()].concat();
            prop_assert_eq!(&drawn(&mut FastKeyErasureRng::new(&seed), 12), &first);

            let mut other = seed;
            other[0] ^= 1;
            prop_assert_ne!(drawn(&mut FastKeyErasureRng::new(&other), 16), drawn(&mut FastKeyErasureRng::new(&seed), 16));
        }
    }
}
