//! SIGINT and SIGTERM: the first asks for an end after the current step, a second ends at once.
//!
//! A thread of its own hears them. All others block them: a signal ends the ZFS call that it meets, a stream as well as a mere question,
//! and a loop that was asked to end would report a failure instead.
//! Ending at once is as safe as a kill: the next run finds out what was done, and goes on from there.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use zfs_ffi::signals::BlockAll;

/// Whether an end was asked for. While it lives, the thread that listens, and those that it starts, get no signals.
#[derive(Debug)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    _undisturbed: BlockAll,
}

impl Stop {
    /// Listens from now on. `heard` is called at the first signal, from another thread.
    pub fn listen(heard: impl Fn() + Send + 'static) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        let (asked, sleeper) = (Arc::clone(&stop), thread::current());
        thread::Builder::new().name("signals".into()).spawn(move || {
            for signal in signals.forever() {
                if asked.swap(true, Ordering::Relaxed) {
                    std::process::exit(128 + signal);
                }
                heard();
                Thread::unpark(&sleeper);
            }
        })?;
        // The listener has started with the mask of before, and keeps it.
        Ok(Self {
            asked: stop,
            _undisturbed: BlockAll::new(),
        })
    }

    /// Whether it was.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Sleeps until `then`, or until an end is asked for. Only the thread that listens may sleep.
    pub fn sleep_until(&self, then: Instant) {
        while !self.is_asked() {
            let left = then.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return;
            }
            thread::park_timeout(left);
        }
    }
}
