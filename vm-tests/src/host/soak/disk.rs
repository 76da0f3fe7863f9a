//! A disk that a power cut is felt by: like a real one it has a cache that forgets.
//!
//! QEMU is the client of a block server in this program. What the guest writes is kept
//! in memory until the guest flushes, and only then it goes to the file. When the power
//! is cut, each write that was not flushed has reached the medium or not, as chance will
//! have it, whatever was written before or after it.
//!
//! QEMU's own caches would not do: with all of them a write that the guest was told to be
//! done is in the page cache of this machine, where it survives a killed QEMU.

use std::fs::File;
use std::ops::AddAssign;
use std::os::unix::fs::FileExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, ensure};

use super::nbd::{self, Wish};
use crate::cases::chance::Chance;

/// So much an ordinary disk holds back at most.
const CACHE: usize = 64 << 20;

/// A disk, and the thread that serves it to the machine that it is in.
#[derive(Debug)]
pub struct Disk {
    medium: Arc<Mutex<Medium>>,
    serving: Option<JoinHandle<Result<()>>>,
}

/// What a power cut did to the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    pub writes: usize,
    /// Of so many that were not flushed.
    pub of: usize,
}

impl AddAssign for Lost {
    fn add_assign(&mut self, more: Self) {
        self.writes += more.writes;
        self.of += more.of;
    }
}

impl Disk {
    /// A blank disk in FILE.
    pub fn blank(file: &Path, size: u64) -> Result<Self> {
        let file = File::options().read(true).write(true).create_new(true).open(file)?;
        file.set_len(size).context("a disk for the guest")?;
        Ok(Self {
            medium: Arc::new(Mutex::new(Medium::new(file, size))),
            serving: None,
        })
    }

    /// Puts the disk into a machine that is about to start: serves the first client of SOCKET.
    pub fn serve(&mut self, socket: &Path) -> Result<()> {
        ensure!(self.serving.is_none(), "the disk is in a machine already");
        let listener = UnixListener::bind(socket).with_context(|| socket.display().to_string())?;
        let medium = Arc::clone(&self.medium);
        self.serving = Some(thread::spawn(move || {
            let (stream, _) = listener.accept()?;
            serve(stream, &medium)
        }));
        Ok(())
    }

    /// Cuts its power. Its machine must be dead: what that has asked for up to then is
    /// taken in first.
    pub fn cut(&mut self, chance: &mut Chance) -> Result<Lost> {
        self.detach()?;
        lock(&self.medium).forget(chance)
    }

    /// Takes it out of its machine, which must be dead, and keeps its power.
    pub fn detach(&mut self) -> Result<()> {
        match self.serving.take() {
            Some(serving) => serving.join().ok().context("the disk's thread panicked")?,
            None => Ok(()),
        }
    }
}

fn serve(mut stream: UnixStream, medium: &Mutex<Medium>) -> Result<()> {
    let size = lock(medium).size;
    nbd::welcome(&mut stream, size).context("block server")?;
    // A client that is killed may leave half a request behind.
    while let Ok(Some(request)) = nbd::request(&mut stream) {
        let data = match request.wish {
            Wish::Read { offset, length } => lock(medium).read(offset, length)?,
            Wish::Write { offset, data } => {
                lock(medium).write(offset, data)?;
                Vec::new()
            }
            Wish::Flush => {
                lock(medium).flush()?;
                Vec::new()
            }
            Wish::Leave => return Ok(()),
        };
        if nbd::reply(&mut stream, request.cookie, &data).is_err() {
            break;
        }
    }
    Ok(())
}

fn lock(medium: &Mutex<Medium>) -> MutexGuard<'_, Medium> {
    medium.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The file, and what has not been written to it yet.
#[derive(Debug)]
struct Medium {
    file: File,
    size: u64,
    cache: Vec<(u64, Vec<u8>)>,
    cached: usize,
}

impl Medium {
    fn new(file: File, size: u64) -> Self {
        Self {
            file,
            size,
            cache: Vec::new(),
            cached: 0,
        }
    }

    fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        let mut data = vec![0; length];
        self.file.read_exact_at(&mut data, offset)?;
        for (at, written) in &self.cache {
            lay_over(&mut data, offset, written, *at);
        }
        Ok(data)
    }

    fn write(&mut self, offset: u64, data: Vec<u8>) -> Result<()> {
        if self.cached + data.len() > CACHE {
            self.flush()?;
        }
        self.cached += data.len();
        self.cache.push((offset, data));
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.cached = 0;
        for (offset, data) in self.cache.drain(..) {
            self.file.write_all_at(&data, offset)?;
        }
        Ok(())
    }

    fn forget(&mut self, chance: &mut Chance) -> Result<Lost> {
        let of = self.cache.len();
        self.cache.retain(|_| chance.below(2) == 0);
        let writes = of - self.cache.len();
        self.flush()?;
        Ok(Lost { writes, of })
    }
}

/// Copies of WRITTEN, which begins at AT, what lies in DATA, which begins at OFFSET.
fn lay_over(data: &mut [u8], offset: u64, written: &[u8], at: u64) {
    let end = |start: u64, bytes: &[u8]| start + u64::try_from(bytes.len()).unwrap_or(u64::MAX - start);
    let from = offset.max(at);
    let to = end(offset, data).min(end(at, written));
    let within = |start: u64| usize::try_from(from - start).ok().zip(usize::try_from(to - start).ok());
    if from < to
        && let (Some((first, last)), Some((begin, stop))) = (within(offset), within(at))
    {
        data[first..last].copy_from_slice(&written[begin..stop]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::cleanup::RunDir;

    fn medium() -> (Medium, RunDir) {
        let dir = RunDir::new().unwrap();
        let path = dir.path().join("disk");
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)
            .unwrap();
        file.set_len(64).unwrap();
        (Medium::new(file, 64), dir)
    }

    #[test]
    fn what_was_written_is_read_whether_it_was_flushed_or_not() {
        let (mut medium, _dir) = medium();
        medium.write(0, b"aaaa".to_vec()).unwrap();
        medium.flush().unwrap();
        medium.write(2, b"bbbb".to_vec()).unwrap();
        medium.write(5, b"cc".to_vec()).unwrap();
        assert_eq!(medium.read(0, 8).unwrap(), b"aabbbcc\0");
        assert_eq!(medium.read(3, 2).unwrap(), b"bb");
        assert_eq!(medium.read(7, 2).unwrap(), b"\0\0");
    }

    #[test]
    fn a_power_cut_takes_only_what_was_not_flushed() {
        let (mut medium, _dir) = medium();
        medium.write(0, b"kept".to_vec()).unwrap();
        medium.flush().unwrap();
        for number in 0..40 {
            medium.write(8 + number, b"x".to_vec()).unwrap();
        }
        let lost = medium.forget(&mut Chance::seeded(1)).unwrap();
        assert_eq!(lost.of, 40);
        assert!((1..40).contains(&lost.writes), "{lost:?}");
        assert_eq!(medium.read(0, 4).unwrap(), b"kept");
        let there = medium.read(8, 40).unwrap().iter().filter(|byte| **byte == b'x').count();
        assert_eq!(there, 40 - lost.writes);
    }
}
