//! Hangs up on a server that gives no sign of life while its stream comes in: the kernel that reads it would wait for ever.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::line::Heard;

/// Watches until it is dropped.
#[derive(Debug)]
#[must_use = "it watches as long as it lives"]
pub(super) struct Watchdog {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Calls `hang_up` when nothing was heard for `patience`.
    pub(super) fn start(heard: Arc<Mutex<Heard>>, patience: Duration, hang_up: Box<dyn FnOnce() + Send>) -> Self {
        let (stop, stopped) = mpsc::channel::<()>();
        let begun = Instant::now();
        let thread = thread::Builder::new().name("watchdog".into()).spawn(move || {
            let tick = (patience / 10).max(Duration::from_millis(10));
            while matches!(stopped.recv_timeout(tick), Err(RecvTimeoutError::Timeout)) {
                let at = heard.lock().unwrap_or_else(PoisonError::into_inner).at;
                if at.max(begun).elapsed() > patience {
                    hang_up();
                    return;
                }
            }
        });
        Self {
            stop: Some(stop),
            thread: thread.ok(),
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    fn hung_up(after: Duration, patience: Duration) -> bool {
        let hung_up = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&hung_up);
        let heard = Arc::new(Mutex::new(Heard {
            at: Instant::now(),
            bytes: 0,
        }));
        let watchdog = Watchdog::start(heard, patience, Box::new(move || flag.store(true, Ordering::Relaxed)));
        thread::sleep(after);
        drop(watchdog);
        hung_up.load(Ordering::Relaxed)
    }

    #[test]
    fn only_silence_ends_the_session() {
        assert!(hung_up(Duration::from_millis(300), Duration::from_millis(50)));
        assert!(!hung_up(Duration::from_millis(50), Duration::from_secs(60)));
    }
}
