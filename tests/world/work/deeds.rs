//! What is one deed, and what are several: the kernel does some changes as a whole, and others can be cut off in between.

use zrep::plan::Action;

use crate::world::Batches;

/// A part of a call that either is done or is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    /// A question is answered.
    Look,
    /// Changes before the stream, or without one.
    Before(Part),
    /// The stream is under way. If it breaks now, half of it has arrived.
    Begin,
    /// It has arrived.
    Arrive,
    /// Changes behind it.
    After(Part),
}

type Property = (String, Option<String>);

/// Some changes of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) actions: Vec<Action>,
    /// Where the first of them stands in the batch.
    pub(super) at: usize,
    /// Whether something was changed before.
    pub(super) begun: bool,
    /// It is the beginning of an action, whose rest is another part.
    pub(super) is_piece: bool,
}

/// The parts of a batch that are done as one.
pub(super) fn parts(batch: &[Action], batches: Batches) -> Vec<Part> {
    let together = |one: &Action, next: &Action| match batches {
        Batches::Programs => is_scriptable(one) && is_scriptable(next),
        // A program looks at all its conditions first.
        Batches::Torn => one.is_condition() && next.is_condition(),
        Batches::Calls => false,
    };
    let mut parts = Vec::new();
    let (mut at, mut begun) = (0, false);
    for chunk in batch.chunk_by(together) {
        let pieces = pieces(chunk, batches);
        let count = pieces.len();
        for (number, actions) in pieces.into_iter().enumerate() {
            let changes = actions.iter().any(|action| !action.is_condition());
            parts.push(Part {
                actions,
                at,
                begun,
                is_piece: number + 1 < count,
            });
            begun |= changes;
        }
        at += chunk.len();
    }
    parts
}

/// A program sets properties one after the other. Without one, each inherit is a call, and then all values are set by one.
fn pieces(chunk: &[Action], batches: Batches) -> Vec<Vec<Action>> {
    let [action @ Action::Set { on, properties }] = chunk else {
        return vec![chunk.to_vec()];
    };
    let set = |properties: &[Property]| {
        let (on, properties) = (on.clone(), properties.to_vec());
        vec![Action::Set { on, properties }]
    };
    match (batches, is_scriptable(action)) {
        (Batches::Programs, true) => vec![chunk.to_vec()],
        (Batches::Torn, true) => properties.chunks(1).map(set).collect(),
        (Batches::Programs | Batches::Torn | Batches::Calls, _) if properties.len() < 2 => vec![chunk.to_vec()],
        (Batches::Programs | Batches::Torn | Batches::Calls, _) => {
            let (values, inherits): (Vec<Property>, Vec<Property>) =
                properties.iter().cloned().partition(|(_, value)| value.is_some());
            let values = (!values.is_empty()).then(|| set(&values));
            inherits.chunks(1).map(set).chain(values).collect()
        }
    }
}

/// Whether a channel program can do it. See `host/local/program.rs`.
fn is_scriptable(action: &Action) -> bool {
    match action {
        Action::Expect { .. } | Action::ExpectNewest { .. } | Action::Snapshot(_) | Action::Destroy { .. } => true,
        Action::Set { properties, .. } => properties
            .iter()
            .enumerate()
            .all(|(index, (name, _))| name.contains(':') && (index == 0 || !name.ends_with(":master"))),
        _ => false,
    }
}
