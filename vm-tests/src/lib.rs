//! The QEMU laboratory of zrep: real OpenZFS for tests, benchmarks and the demo, on
//! any Linux machine, with or without ZFS, with or without KVM.
//!
//! Two programs share this crate, because they speak to each other:
//!
//! ```text
//!   on the host                                   in the guest
//!   lab ──► host::{image, artifacts, machine} ──► guest/init ──► cases ──► runner
//!                                                                            │
//!                                            cases::<area>::<rule>::run(&Lab) ◄
//! ```
//!
//! * [`host`]: images, the files of a run, QEMU; what `lab` does.
//! * [`runner`]: runs the cases one by one inside a guest; what `cases` does.
//! * [`fixture`]: what a case works with: fresh pools, zrep, and ways to look at both.
//! * [`cases`]: the cases themselves, one file each.
//! * [`relay`]: a third program, which in guests stands between two hosts.
//! * [`agent`]: a fourth one, the lab's hand in guests whose power is cut.
//! * [`tally`]: the closing line, which both programs write and the host reads.
//!
//! A guest is driven through text (a script, arguments, lines on a port), never
//! through a type shared at run time, so that a script can do all that a case can.

#![forbid(unsafe_code)]

pub mod agent;
pub mod cases;
pub mod fixture;
pub mod host;
pub mod relay;
pub mod runner;
pub mod tally;
