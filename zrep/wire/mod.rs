//! What two zreps say to each other over one ssh session. `docs/wire.md` has the layout of every byte.
//!
//! [`frame`] and [`message`] only turn values into bytes and back: they do no input or output. [`channel`] moves the bytes.

pub mod channel;
pub mod codec;
pub mod frame;
pub mod message;
pub mod package;
mod values;
