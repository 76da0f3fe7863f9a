//! Threads inside long ioctls must not get signals.
//!
//! A signal delivered to a thread that sends or receives ends the ioctl with `EINTR`, and a handler
//! with `SA_RESTART` would even start it again in the middle of the stream.

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr;

/// While it lives, the thread that made it gets no signals; they go to other threads or wait.
///
/// [`Core`](crate::Core) uses it inside every call that may take long. A program that makes it at the
/// start of a thread keeps that thread free of signals between the calls, too.
///
/// A `SIGPIPE` that came meanwhile is discarded: the kernel raises it when the reader of a stream is
/// gone, and the call says so anyway.
#[must_use = "signals are let through again as soon as it is dropped"]
pub struct BlockAll {
    before: libc::sigset_t,
    pipe_before: bool,
    // A mask belongs to one thread, so it has to be put back on the same one.
    not_send: PhantomData<*const ()>,
}

impl BlockAll {
    /// Blocks all signals of this thread, except those that cannot be blocked.
    pub fn new() -> Self {
        let mut all = MaybeUninit::uninit();
        // SAFETY: sigfillset fills the set it is given and cannot fail.
        unsafe { libc::sigfillset(all.as_mut_ptr()) };
        let mut before = MaybeUninit::uninit();
        // SAFETY: `all` has been filled; the old mask goes to `before`. With a valid first argument
        // the call cannot fail.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) };
        // SAFETY: the call above has stored the old mask.
        let before = unsafe { before.assume_init() };
        let pipe_before = is_pending(libc::SIGPIPE);
        Self {
            before,
            pipe_before,
            not_send: PhantomData,
        }
    }
}

impl Default for BlockAll {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for BlockAll {
    fn drop(&mut self) {
        if !self.pipe_before && is_pending(libc::SIGPIPE) {
            take_pending(libc::SIGPIPE);
        }
        // SAFETY: `before` is a mask that the system gave for this very thread.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, ptr::null_mut()) };
    }
}

impl std::fmt::Debug for BlockAll {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockAll").finish_non_exhaustive()
    }
}

fn is_pending(signal: i32) -> bool {
    let mut pending = MaybeUninit::uninit();
    // SAFETY: sigpending fills the set it is given; its only failure is a bad pointer.
    unsafe { libc::sigpending(pending.as_mut_ptr()) };
    // SAFETY: the set has been filled and the signal number is valid.
    unsafe { libc::sigismember(pending.as_ptr(), signal) == 1 }
}

/// Does not wait, since the signal is pending and blocked.
fn take_pending(signal: i32) {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset fills the set it is given and cannot fail.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: the set has been filled and the signal number is valid.
    unsafe { libc::sigaddset(set.as_mut_ptr(), signal) };
    let mut taken = 0;
    // SAFETY: the set has been filled; the number of the signal is stored in a variable of ours.
    unsafe { libc::sigwait(set.as_ptr(), &raw mut taken) };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_blocked(signal: i32) -> bool {
        let mut now = MaybeUninit::uninit();
        // SAFETY: with a null set the call only stores the current mask.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), now.as_mut_ptr()) };
        // SAFETY: the mask has been stored and the signal number is valid.
        unsafe { libc::sigismember(now.as_ptr(), signal) == 1 }
    }

    fn raise(signal: i32) {
        // SAFETY: the call cannot fail.
        let this_thread = unsafe { libc::pthread_self() };
        // SAFETY: the signal goes to this very thread, which blocks it.
        unsafe { libc::pthread_kill(this_thread, signal) };
    }

    #[test]
    fn signals_are_blocked_while_the_guard_lives() {
        assert!(!is_blocked(libc::SIGUSR1));
        let outer = BlockAll::new();
        let inner = BlockAll::new();
        assert!(is_blocked(libc::SIGUSR1));
        drop(inner);
        assert!(is_blocked(libc::SIGUSR1), "the inner guard restores what it found");
        drop(outer);
        assert!(!is_blocked(libc::SIGUSR1));
    }

    #[test]
    fn a_broken_pipe_leaves_no_signal_behind() {
        let outer = BlockAll::new();
        let inner = BlockAll::new();
        raise(libc::SIGPIPE);
        assert!(is_pending(libc::SIGPIPE));
        drop(inner);
        assert!(!is_pending(libc::SIGPIPE));
        drop(outer);
    }

    #[test]
    fn a_broken_pipe_of_before_is_kept() {
        let outer = BlockAll::new();
        raise(libc::SIGPIPE);
        drop(BlockAll::new());
        assert!(is_pending(libc::SIGPIPE));
        drop(outer);
    }
}
