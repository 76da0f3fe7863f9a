//! Decoders against random and mutated bytes: they answer, with a value or a reason, and take no memory for what is not there.
//!
//! `tests/corpus` holds a message of each type. `ZREP_FUZZ=10000000` says how many inputs to try; the seed is printed, and `ZREP_FUZZ_SEED` sets
//! it.

mod support;

use std::fs;
use std::path::Path;

use zrep::wire::frame::{HEADER, Header, LONGEST_REQUEST};
use zrep::wire::message::{Reply, Request};

/// Inputs in a usual run.
const USUAL: u64 = 300_000;

/// A xorshift generator.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 11).unwrap() % limit.max(1)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[3]
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Frames: a byte that is the type, then the message.
fn corpus() -> Vec<Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn mutated(chance: &mut Chance, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = corpus[chance.below(corpus.len())].clone();
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len());
        match chance.below(6) {
            0 => bytes.truncate(at.max(1)),
            1 => bytes.insert(at, chance.byte()),
            2 => _ = bytes.remove(at),
            3 => bytes[at] ^= 1 << chance.below(8),
            4 => bytes[at] = *[0, 1, 0x7f, 0x80, 0xff].get(chance.below(5)).unwrap(),
            _ => {
                let other = &corpus[chance.below(corpus.len())];
                bytes.extend_from_slice(&other[chance.below(other.len())..]);
            }
        }
        if bytes.is_empty() {
            bytes.push(chance.byte());
        }
    }
    bytes
}

fn random(chance: &mut Chance) -> Vec<u8> {
    let length = 1 + chance.below(200);
    (0..length).map(|_| chance.byte()).collect()
}

/// What decodes must encode to something that decodes to the same.
fn check(bytes: &[u8]) -> bool {
    let (kind, body) = (bytes[0], &bytes[1..]);
    let request = Request::decode(kind, body);
    if let Ok(request) = &request {
        assert_eq!(Request::decode(request.kind(), &request.encode()).as_ref(), Ok(request));
    }
    let reply = Reply::decode(kind, body);
    if let Ok(reply) = &reply {
        assert_eq!(Reply::decode(reply.kind(), &reply.encode()).as_ref(), Ok(reply));
    }
    if let Some(Ok(header)) = bytes.get(..HEADER).map(<[u8; HEADER]>::try_from) {
        let _ = Header::decode(header, LONGEST_REQUEST).map(|header| assert!(header.length <= LONGEST_REQUEST));
    }
    request.is_ok() || reply.is_ok()
}

#[test]
fn every_message_of_the_corpus_decodes() {
    let corpus = corpus();
    assert!(corpus.len() >= 20, "only {} messages", corpus.len());
    for bytes in &corpus {
        assert!(check(bytes), "{:#04x}", bytes[0]);
    }
}

#[test]
fn no_input_is_too_strange() {
    let seed = number("ZREP_FUZZ_SEED").unwrap_or_else(|| u64::from(std::process::id()) << 20 ^ 0x9e37_79b9);
    let inputs = number("ZREP_FUZZ").unwrap_or(USUAL);
    println!("ZREP_FUZZ_SEED={seed}, {inputs} inputs");
    let (corpus, mut chance) = (corpus(), Chance(seed | 1));
    let mut decoded = 0_u64;
    for turn in 0..inputs {
        let bytes = if turn % 4 == 0 {
            random(&mut chance)
        } else {
            mutated(&mut chance, &corpus)
        };
        decoded += u64::from(check(&bytes));
    }
    println!("{decoded} of them were messages");
    assert!(
        decoded > inputs / 1000,
        "the mutations are too wild to test what comes behind the first field"
    );
}

/// Writes the corpus anew; to be run by hand when a message changes: `cargo test --test fuzz -- --ignored`.
#[test]
#[ignore = "writes tests/corpus"]
fn corpus_is_written() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    fs::create_dir_all(&dir).unwrap();
    for (index, (kind, body)) in support::messages().into_iter().enumerate() {
        fs::write(
            dir.join(format!("{index:02}-{kind:02x}")),
            [&[kind][..], &body].concat(),
        )
        .unwrap();
    }
}
