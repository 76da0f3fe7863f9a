//! The lab's hand in a guest: runs what it is told over the terminal.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    vm_tests::agent::main()
}
