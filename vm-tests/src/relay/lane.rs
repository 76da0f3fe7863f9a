//! One direction of a relay.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

/// What happens to a connection in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accident {
    /// It ends.
    Cut,
    /// It stays, and nothing comes any more.
    Freeze,
}

/// How many bytes pass before the accident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub bytes: u64,
    pub then: Accident,
}

/// What the relay has to know of its lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    UpEnded,
    /// Of standard output, or of standard error.
    DownEnded,
    Accident(Accident),
}

/// One direction: a thread that reads, one that writes, and between them what is on
/// its way.
#[derive(Debug)]
pub struct Lane {
    delay: Duration,
    limit: Option<Limit>,
    events: Sender<Event>,
    /// An accident has happened, here or on the other lane: nothing is delivered any more.
    stopped: Arc<AtomicBool>,
}

/// Bytes that were read together. None at all are the end.
#[derive(Debug)]
struct Parcel {
    due: Instant,
    bytes: Vec<u8>,
}

const LARGEST: usize = 64 * 1024;

/// So many parcels can be on their way, 64 MiB: a delay must not limit the throughput,
/// and a reader that stands still must stop the writer in the end.
const ON_THE_WAY: usize = 1024;

impl Lane {
    pub fn new(delay: Duration, limit: Option<Limit>, events: &Sender<Event>) -> Self {
        Self {
            delay,
            limit,
            events: events.clone(),
            stopped: Arc::default(),
        }
    }

    /// Shares its accidents with the lane of the other direction.
    pub fn beside(mut self, other: &Self) -> Self {
        self.stopped = Arc::clone(&other.stopped);
        self
    }

    /// Passes on until FROM ends or TO takes no more, closes both, and says ENDED.
    pub fn start(mut self, from: impl Read + Send + 'static, to: impl Write + Send + 'static, ended: Event) {
        let (sender, parcels) = mpsc::sync_channel(ON_THE_WAY);
        let delay = self.delay;
        thread::spawn(move || collect(from, &sender, delay));
        thread::spawn(move || {
            self.deliver(parcels, to);
            let _ = self.events.send(ended);
        });
    }

    fn deliver(&mut self, parcels: Receiver<Parcel>, mut to: impl Write) {
        for Parcel { due, bytes } in parcels {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if self.stopped.load(Ordering::SeqCst) {
                stand_still();
            }
            let allowed = self.allowed(bytes.len());
            // A pipe has no buffer of its own on this side: nothing to flush.
            if bytes.is_empty() || to.write_all(&bytes[..allowed]).is_err() {
                return;
            }
            self.count(allowed);
        }
    }

    fn allowed(&self, bytes: usize) -> usize {
        let left = self.limit.map_or(u64::MAX, |limit| limit.bytes);
        bytes.min(left.try_into().unwrap_or(usize::MAX))
    }

    fn count(&mut self, delivered: usize) {
        let Some(limit) = &mut self.limit else { return };
        limit.bytes -= delivered as u64;
        if limit.bytes == 0 {
            self.stopped.store(true, Ordering::SeqCst);
            let _ = self.events.send(Event::Accident(limit.then));
            stand_still();
        }
    }
}

/// Ends when nobody takes the parcels any more, too.
fn collect(mut from: impl Read, parcels: &SyncSender<Parcel>, delay: Duration) {
    let mut buffer = vec![0; LARGEST];
    loop {
        let read = from.read(&mut buffer).unwrap_or(0);
        let parcel = Parcel {
            due: Instant::now() + delay,
            bytes: buffer[..read].to_vec(),
        };
        if parcels.send(parcel).is_err() || read == 0 {
            return;
        }
    }
}

/// With all of its pipes open, until the program ends.
fn stand_still() -> ! {
    loop {
        thread::park();
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    fn lane(delay_ms: u64, limit: Option<Limit>) -> (io::PipeWriter, io::PipeReader, Receiver<Event>) {
        let ((here, writer), (reader, there)) = (io::pipe().unwrap(), io::pipe().unwrap());
        let (events, received) = mpsc::channel();
        Lane::new(Duration::from_millis(delay_ms), limit, &events).start(here, there, Event::UpEnded);
        (writer, reader, received)
    }

    #[test]
    fn bytes_and_their_end_arrive_late_but_not_one_after_the_other() {
        let (mut writer, mut reader, _events) = lane(300, None);
        let started = Instant::now();
        let writing = thread::spawn(move || {
            let parcel = vec![7; LARGEST];
            (0..64).for_each(|_| writer.write_all(&parcel).unwrap());
        });
        let mut received = Vec::new();
        reader.read_to_end(&mut received).unwrap();
        writing.join().unwrap();
        assert_eq!(received.len(), 64 * LARGEST);
        let taken = started.elapsed();
        assert!(
            taken > Duration::from_millis(300) && taken < 20 * Duration::from_millis(300),
            "{taken:?}"
        );
    }

    #[test]
    fn an_accident_happens_at_the_byte() {
        for then in [Accident::Cut, Accident::Freeze] {
            let (mut writer, mut reader, events) = lane(0, Some(Limit { bytes: 5, then }));
            writer.write_all(b"123").unwrap();
            writer.write_all(b"45678").unwrap();
            let mut received = [0; 5];
            reader.read_exact(&mut received).unwrap();
            assert_eq!(&received, b"12345");
            assert_eq!(events.recv_timeout(SOON), Ok(Event::Accident(then)));
        }
    }

    #[test]
    fn a_reader_that_goes_away_is_noticed_by_the_writer() {
        let (mut writer, reader, events) = lane(0, None);
        drop(reader);
        let refused = (0..1000).any(|_| {
            thread::sleep(Duration::from_millis(10));
            writer.write_all(b"x").is_err()
        });
        assert!(refused);
        assert_eq!(events.recv_timeout(SOON), Ok(Event::UpEnded));
    }
}
