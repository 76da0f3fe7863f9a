//! The commands, one file each.

pub mod bench;
pub mod demo;
pub mod exec;
pub mod image;
pub mod shell;
pub mod soak;
pub mod test;

/// The exit status when the laboratory itself failed. Not 1 or 2, which scripts use;
/// `docker run` and `timeout` have the same meaning for 125.
pub const LAB_FAILED: i32 = 125;
