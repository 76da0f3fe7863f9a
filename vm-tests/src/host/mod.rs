//! The host's half of the laboratory. Reading order: [`cli`] says what can be asked,
//! [`commands`] does it, with [`image`] (what boots), [`artifacts`] and [`carry`] (what
//! is carried in) and [`machine`] (the running guest) under it.

pub mod accel;
pub mod artifacts;
pub mod cache;
pub mod carry;
pub mod cleanup;
pub mod cli;
pub mod commands;
pub mod guests;
pub mod image;
pub mod machine;
pub mod mirror;
pub mod packages;
pub mod progress;
pub mod qemu;
pub mod roles;
pub mod session;
pub mod soak;
pub mod terminal;
