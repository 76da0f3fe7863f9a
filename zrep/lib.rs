//! zrep: a ZFS filesystem on one machine, continuously on another, and one command to turn the two round.
//!
//! ```text
//!  argv -> Args -> observe(source), observe(target) -> plan -> execute -> Outcome -> text | JSON, exit code
//! ```
//!
//! Each arrow is a value. Nothing to the right calls anything to the left.

#![forbid(unsafe_code)]

pub mod after;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod contact;
pub mod execute;
pub mod exit;
pub mod gap;
pub mod host;
pub mod hostname;
pub mod intent;
pub mod lock;
pub mod model;
pub mod names;
pub mod native;
pub mod os;
pub mod peers;
pub mod plan;
pub mod policy;
pub mod problem;
pub mod props;
pub mod refusal;
pub mod relay;
pub mod run;
pub mod serve;
pub mod session;
pub mod settings;
pub mod ssh;
pub mod stop;
pub mod ui;
pub mod warm;
pub mod wire;
