//! The runner of the cases. It runs in a guest.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    vm_tests::runner::main()
}
