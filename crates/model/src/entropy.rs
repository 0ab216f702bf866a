//! Randomness. It comes in through [`Entropy`], so that a test can repeat a run.

/// Where random bytes come from. An implementation must be fit for keys.
pub trait Entropy: Send + Sync + std::fmt::Debug {
    /// Fills `bytes` with random bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// `N` random bytes.
pub fn random_bytes<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

/// A uniform number below `bound` (at least 1), by rejection.
pub fn random_below(entropy: &dyn Entropy, bound: u64) -> u64 {
    let bound = bound.max(1);
    let fair = u64::MAX - u64::MAX % bound;
    loop {
        let drawn = u64::from_le_bytes(random_bytes(entropy));
        if drawn < fair {
            return drawn % bound;
        }
    }
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(clippy::disallowed_methods, reason = "the one place where the system's generator is asked")]
    #[expect(clippy::panic, reason = "without randomness no secret can be made, and nothing may go on")]
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            panic!("the operating system gives no random bytes: {error}");
        }
    }
}
