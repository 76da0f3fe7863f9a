//! What a boot does with a master whose peer cannot be asked.

use crate::intent::Intent;
use crate::model::{Origin, State};
use crate::plan::pairing::Identity;
use crate::plan::turn::expect;
use crate::plan::{Action, Object, Plan, Stage};
use crate::props::{Key, View};
use crate::refusal::{Refusal, Why};

/// The values of `zrep:gate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// It is left read-only.
    Strict,
    /// It is taken for the master.
    Open,
}

/// The gate of a dataset, if it has one.
pub fn of(me: &Identity, state: &State) -> Result<Option<Gate>, Refusal> {
    match View::new(state, &me.tag).gate() {
        None => Ok(None),
        Some("strict") => Ok(Some(Gate::Strict)),
        Some("open") => Ok(Some(Gate::Open)),
        Some(found) => Err(Refusal::source(
            &state.name,
            Why::BadGate {
                property: me.tag.property(Key::Gate),
                found: found.to_owned(),
            },
        )),
    }
}

/// Makes a master read-only, and notes what it was before.
pub fn close(me: &Identity, state: &State) -> Plan {
    let intent = Intent::Gated {
        readonly: (state.readonly_origin == Origin::Local).then_some(state.readonly),
    };
    let closed = Action::Set {
        on: Object::Dataset(state.name.clone()),
        properties: vec![
            ("readonly".into(), Some("on".into())),
            (me.tag.property(Key::Intent), Some(intent.to_string())),
        ],
    };
    Plan {
        stages: vec![Stage::source(vec![expect(me, state, Key::Intent), closed])],
        notes: vec![format!(
            "{}: read-only until its peer has been asked; `zrep gate` or `zrep sync` asks again.",
            state.name
        )],
        ..Plan::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::notation::{me, state};

    #[test]
    fn a_gate_is_strict_or_open() {
        let gate = |value: &str| {
            of(
                &me(),
                &state("a/fs", "")
                    .master()
                    .user("zrep:gate", value, Origin::Inherited)
                    .build(),
            )
        };
        assert_eq!(gate("strict"), Ok(Some(Gate::Strict)));
        assert_eq!(gate("open"), Ok(Some(Gate::Open)));
        assert!(gate("yes").is_err());
        assert_eq!(of(&me(), &state("a/fs", "").master().build()), Ok(None));
    }

    #[test]
    fn what_readonly_was_is_noted() {
        let master = state("a/fs", "").master().build();
        assert_eq!(
            close(&me(), &master).lines(),
            [
                "source: expect no zrep:intent on a/fs",
                "source: set readonly=on zrep:intent=gated - on a/fs"
            ]
        );
    }
}
