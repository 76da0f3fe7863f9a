//! Randomness that can be repeated: the seed is printed, and `ZREP_CASE_SEED` sets it.

use std::env;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A xorshift generator. Fast enough to fill disks with.
#[derive(Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn new() -> Self {
        let given = env::var("ZREP_CASE_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(Self::from_clock);
        println!("ZREP_CASE_SEED={seed}");
        Self::seeded(seed)
    }

    /// With a seed that somebody else prints.
    pub fn seeded(seed: u64) -> Self {
        // Seeds that differ by one are to have nothing else in common; and a xorshift must not begin with 0.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A seed for those who do not care.
    pub fn from_clock() -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::from(now.subsec_nanos()) << 20 ^ now.as_secs()
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number from 0 to LIMIT - 1.
    pub fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 11) % limit.max(1)
    }

    /// An index of something that has LENGTH elements.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(u64::try_from(length).unwrap_or(u64::MAX))).unwrap_or(0)
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.index(from.len())]
    }

    /// Bytes that no compression makes smaller.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        for part in bytes.chunks_mut(8) {
            part.copy_from_slice(&self.next().to_le_bytes()[..part.len()]);
        }
        bytes
    }

    /// Lets a random time pass, so that what runs beside is at a random step.
    pub fn pause(&mut self, at_most: Duration) {
        let micros = u64::try_from(at_most.as_micros()).unwrap_or(u64::MAX);
        thread::sleep(Duration::from_micros(self.below(micros)));
    }
}

impl Default for Chance {
    fn default() -> Self {
        Self::new()
    }
}
