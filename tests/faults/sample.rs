//! Which of all cases are played by default: about one in ten, and the same ones at each run. Every action of every verb meets every kind of fault in them.

use crate::subjects::Subject;
use crate::world::{Batches, Layout};

/// What is to be played.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// All cases, and not only some.
    pub(crate) all: bool,
    /// Only the subjects with this in their names.
    only: String,
}

impl Sample {
    /// What `ZREP_FAULTS` asks for: `all`, or all cases of the subjects with that text in their names.
    pub(crate) fn of(wish: Option<&str>) -> Self {
        let all = wish.is_some();
        let only = wish.filter(|wish| *wish != "all").unwrap_or_default().to_owned();
        Self { all, only }
    }

    pub(crate) fn has(&self, subject: &Subject) -> bool {
        subject.name.contains(&self.only)
    }

    /// Whether subjects are left out.
    pub(crate) fn is_partial(&self) -> bool {
        !self.only.is_empty()
    }

    /// Whether the `number`th strike of a verb is due. Where each action is a deed of its own, and where an administrator's programs run on two machines, all are.
    pub(crate) fn strikes(&self, (layout, batches): (Layout, Batches), reversed: bool, number: usize) -> bool {
        let every = match (layout, batches, reversed) {
            (Layout::Plain, Batches::Calls, false) | (Layout::Serving, Batches::Programs, false) => 1,
            (_, Batches::Torn, _) => 4,
            (_, Batches::Programs | Batches::Calls, _) => 9,
        };
        self.all || number.is_multiple_of(every)
    }

    /// Which of the ways on are gone after the `number`th strike.
    pub(crate) fn goes(&self, number: usize, way: usize, ways: usize) -> bool {
        self.all || number % ways == way
    }
}
