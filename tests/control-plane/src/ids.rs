//! Names that the server makes up: uids, suffixes of generated names, tokens.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

/// The letters that the API uses in generated names: none that could spell a word.
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A source of names: a whole server draws from one, so that one seed fixes them all.
#[derive(Debug)]
pub(crate) struct Ids {
    state: AtomicU64,
    is_seeded: bool,
}

impl Default for Ids {
    fn default() -> Self {
        Self::new()
    }
}

impl Ids {
    /// A source that always gives the same.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self {
            state: AtomicU64::new(seed),
            is_seeded: true,
        }
    }

    /// A source that nobody can predict.
    pub(crate) fn new() -> Self {
        Self {
            state: AtomicU64::new(random()),
            is_seeded: false,
        }
    }

    /// SplitMix64: small, and good enough for names.
    pub(crate) fn number(&self) -> u64 {
        let mut z = self
            .state
            .fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A random UUID (version 4).
    pub(crate) fn uid(&self) -> String {
        let (high, low) = (self.number(), self.number());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            ((low >> 48) & 0x3fff) | 0x8000,
            low & 0xffff_ffff_ffff
        )
    }

    /// The five letters that follow `generateName`.
    pub(crate) fn suffix(&self) -> String {
        let mut bits = self.number();
        (0..5)
            .map(|_| {
                let letter = ALPHABET[(bits % ALPHABET.len() as u64) as usize];
                bits /= ALPHABET.len() as u64;
                char::from(letter)
            })
            .collect()
    }

    /// What a key follows from, where a seed decides on it.
    pub(crate) fn secret(&self) -> Option<[u8; 32]> {
        self.is_seeded.then(|| {
            let mut secret = [0; 32];
            for part in secret.chunks_exact_mut(8) {
                part.copy_from_slice(&self.number().to_be_bytes());
            }
            secret
        })
    }

    /// A bearer token: without a seed one that does not follow from other names.
    pub(crate) fn token(&self) -> String {
        let draw = || match self.is_seeded {
            true => self.number(),
            false => random(),
        };
        format!("{:016x}{:016x}", draw(), draw())
    }
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
