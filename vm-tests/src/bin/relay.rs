//! A connection with a distance and with accidents. It runs in a guest, as `SSH`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    vm_tests::relay::main()
}
