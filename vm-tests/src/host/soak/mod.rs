//! Power cuts and partitions: two machines that die and come back, with disks that forget
//! what was not flushed, and a cable that can be pulled. All three are in this program's
//! hands, because QEMU's own outlive a killed QEMU too well.
//!
//! ```text
//!                       lab
//!   disk ◄─ nbd ─┐  ┌─ cable ─┐  ┌─ nbd ─► disk
//!               QEMU           QEMU
//!   orders ──► agent           agent ◄── orders
//! ```
//!
//! Reading order: [`schedule`] says what is cut when; [`power`] is one cut, with [`scene`]
//! before it, [`boot`] and [`settle`] behind it, and [`report`] of it; [`partition`] is the drill
//! with the cable. Under them [`pair`] keeps the promises, with [`look`], [`step`], [`ledger`] and
//! [`foreign`]; and [`node`] is a machine, with [`disk`], [`cable`] and [`orders`].

pub mod boot;
pub mod cable;
pub mod disk;
pub mod foreign;
pub mod ledger;
pub mod look;
pub mod nbd;
pub mod node;
pub mod orders;
pub mod pair;
pub mod partition;
pub mod power;
pub mod report;
pub mod scene;
pub mod schedule;
pub mod settle;
pub mod step;
