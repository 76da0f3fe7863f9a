//! Tests against a kernel.
//!
//! They scribble on the pool that the environment variable `ZFS_FFI_TEST_POOL` names, each below a
//! dataset of its own, and need root. Without the variable each says that it was skipped. Run with
//! `--test-threads=1 --nocapture`.

#[path = "zfs/lab.rs"]
mod lab;

#[path = "zfs/core.rs"]
mod core;
#[path = "zfs/handle.rs"]
mod handle;
#[path = "zfs/link.rs"]
mod link;
#[path = "zfs/stream.rs"]
mod stream;
