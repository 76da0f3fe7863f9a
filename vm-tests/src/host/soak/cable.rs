//! The cable between the two machines, in this program's hands: it can be pulled, and a
//! machine that starts anew finds it where it was.
//!
//! A pulled cable carries nothing, and says nothing: to the machines it is as if the other
//! one were very far away.

use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context, Result};

/// The largest frame there is, with room to spare.
const LONGEST: u32 = 256 << 10;

#[derive(Clone, Debug, Default)]
pub struct Cable(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    pulled: AtomicBool,
    swallowed: AtomicU64,
    /// Bytes, of both directions.
    carried: AtomicU64,
    /// Where frames for either end go; none as long as no machine is there.
    ends: [Mutex<Option<UnixStream>>; 2],
}

impl Cable {
    /// Lays an end to a machine that is about to start and will be the first client of SOCKET.
    pub fn lay(&self, end: usize, socket: &Path) -> Result<()> {
        let listener = UnixListener::bind(socket).with_context(|| socket.display().to_string())?;
        let shared = Arc::clone(&self.0);
        thread::spawn(move || {
            let (stream, _) = listener.accept()?;
            *lock(&shared.ends[end]) = Some(stream.try_clone()?);
            // The end of a machine that was killed, and no other way to leave.
            let _ = carry(stream, &shared, 1 - end);
            io::Result::Ok(())
        });
        Ok(())
    }

    pub fn pull(&self) {
        self.0.pulled.store(true, Ordering::SeqCst);
    }

    pub fn plug_in(&self) {
        self.0.pulled.store(false, Ordering::SeqCst);
    }

    pub fn is_pulled(&self) -> bool {
        self.0.pulled.load(Ordering::SeqCst)
    }

    /// How many bytes it has carried up to now, both ways and with all that frames have
    /// around what they carry.
    pub fn carried(&self) -> u64 {
        self.0.carried.load(Ordering::SeqCst)
    }

    /// How many frames were sent into the pulled cable.
    pub fn swallowed(&self) -> u64 {
        self.0.swallowed.load(Ordering::SeqCst)
    }
}

/// Carries frames to the other end, as long as this one lives.
fn carry(mut from: UnixStream, shared: &Shared, to: usize) -> io::Result<()> {
    loop {
        let frame = frame(&mut from)?;
        if shared.pulled.load(Ordering::SeqCst) {
            shared.swallowed.fetch_add(1, Ordering::SeqCst);
            continue;
        }
        let bytes = u64::try_from(frame.len()).unwrap_or(0);
        shared.carried.fetch_add(bytes, Ordering::SeqCst);
        let mut end = lock(&shared.ends[to]);
        let arrived = end.as_mut().map(|stream| stream.write_all(&frame));
        if let Some(Err(_)) = arrived {
            // The other machine is dead, and its next life brings a new stream.
            *end = None;
        }
    }
}

/// A frame as QEMU writes it: its length in four bytes, and so many more.
fn frame(from: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let number = u32::from_be_bytes(length);
    if number > LONGEST {
        return Err(io::Error::other("no frame"));
    }
    let mut frame = length.to_vec();
    let read = from.take(number.into()).read_to_end(&mut frame)?;
    if read < usize::try_from(number).unwrap_or(usize::MAX) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(frame)
}

fn lock(end: &Mutex<Option<UnixStream>>) -> MutexGuard<'_, Option<UnixStream>> {
    end.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::host::cleanup::RunDir;

    fn machine(cable: &Cable, end: usize, dir: &RunDir, life: u32) -> UnixStream {
        let socket = dir.path().join(format!("{end}.{life}"));
        cable.lay(end, &socket).unwrap();
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        while lock(&cable.0.ends[end]).is_none() {
            thread::yield_now();
        }
        stream
    }

    fn send(stream: &mut UnixStream, text: &[u8]) {
        let length = u32::try_from(text.len()).unwrap().to_be_bytes();
        stream.write_all(&[&length[..], text].concat()).unwrap();
    }

    #[test]
    fn a_cable_carries_unless_it_is_pulled_and_to_the_next_life_of_a_machine() {
        let (cable, dir) = (Cable::default(), RunDir::new().unwrap());
        let (mut alpha, mut beta) = (machine(&cable, 0, &dir, 1), machine(&cable, 1, &dir, 1));
        send(&mut alpha, b"one");
        assert_eq!(&frame(&mut beta).unwrap()[4..], b"one");

        drop(beta);
        *lock(&cable.0.ends[1]) = None;
        let mut beta = machine(&cable, 1, &dir, 2);
        cable.pull();
        send(&mut beta, b"lost");
        send(&mut alpha, b"lost, too");
        while cable.swallowed() < 2 {
            thread::yield_now();
        }
        cable.plug_in();
        send(&mut alpha, b"two");
        assert_eq!(&frame(&mut beta).unwrap()[4..], b"two");
        send(&mut beta, b"three");
        assert_eq!(&frame(&mut alpha).unwrap()[4..], b"three");
    }
}
