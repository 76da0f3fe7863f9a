//! What a C callback must not do: fail with an `Err`, or panic.

use std::any::Any;
use std::ffi::c_int;
use std::panic::{self, AssertUnwindSafe};

use crate::error::{Error, Result};

/// What a callback returns to go on with the next dataset.
pub(super) const GO_ON: c_int = 0;

/// What a callback returns to end the iteration.
pub(super) const STOP: c_int = 1;

/// Keeps what ended an iteration until C has returned.
#[derive(Debug, Default)]
pub(super) struct Guard(Option<Stop>);

#[derive(Debug)]
enum Stop {
    Failed(Error),
    Panicked(Box<dyn Any + Send>),
}

impl Guard {
    /// The body of a callback. A panic is caught here: it must not cross C.
    pub(super) fn run(&mut self, body: impl FnOnce() -> Result<()>) -> c_int {
        self.0 = match panic::catch_unwind(AssertUnwindSafe(body)) {
            Ok(Ok(())) => return GO_ON,
            Ok(Err(error)) => Some(Stop::Failed(error)),
            Err(payload) => Some(Stop::Panicked(payload)),
        };
        STOP
    }

    /// After C has returned: the failure, or the panic goes on.
    pub(super) fn finish(self) -> Result<()> {
        match self.0 {
            None => Ok(()),
            Some(Stop::Failed(error)) => Err(error),
            Some(Stop::Panicked(payload)) => panic::resume_unwind(payload),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Kind, Op};

    #[test]
    fn success_goes_on() {
        let mut guard = Guard::default();
        assert_eq!(guard.run(|| Ok(())), GO_ON);
        guard.finish().expect("nothing failed");
    }

    #[test]
    fn a_failure_stops_and_comes_back() {
        let mut guard = Guard::default();
        let rc = guard.run(|| Err(Error::new(Op::List, "tank", Kind::Busy, "just so")));
        assert_eq!(rc, STOP);
        assert_eq!(guard.finish().expect_err("it failed").kind(), Kind::Busy);
    }

    #[test]
    fn a_panic_stops_and_goes_on_after_c() {
        let mut guard = Guard::default();
        assert_eq!(guard.run(|| panic!("in the callback")), STOP);
        let payload = panic::catch_unwind(AssertUnwindSafe(|| guard.finish())).expect_err("the panic goes on");
        assert_eq!(payload.downcast_ref(), Some(&"in the callback"));
    }
}
