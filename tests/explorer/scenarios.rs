//! Who types what, and what happens meanwhile.

use crate::search::{Bounds, Operator};
use crate::world::SIDES;
use crate::world::scene::{FAILOVER, SYNC, SYNC_BACK, TAKEOVER, TAKEOVER_ALONE};
use crate::world::typed::Words;
use crate::world::way::{Line, Way};
use crate::world::work::Fault;

pub(crate) const ROUND: Words = &["loop", SIDES[0]];
pub(crate) const REFRESH: Words = &["refresh", SIDES[1]];
pub(crate) const ABORT: Words = &["failover", "--abort", SIDES[0]];
pub(crate) const REJOIN: Words = &["rejoin", SIDES[0]];
pub(crate) const SYNC_BY_FORCE: Words = &["sync", "-f", SIDES[0]];
const REJOIN_TARGET: Words = &["rejoin", SIDES[1]];

/// What strikes calls that change something.
const FAULTS: &[Fault] = &[Fault::RequestLost, Fault::ReplyLost, Fault::LinkCut, Fault::CallerDies];

/// Each of these verbs alone settles what was planned and cut off.
const SETTLED: &[Way] = &[
    by(&[(0, FAILOVER)]),
    by(&[(1, TAKEOVER)]),
    by(&[(0, SYNC), (1, SYNC_BACK)]),
];

/// After force somebody must say on which side the other one goes on.
pub(crate) const REJOINED: &[Way] = &[by(&[
    (0, SYNC),
    (1, SYNC_BACK),
    (0, REJOIN),
    (1, REJOIN_TARGET),
    (0, SYNC),
])];

/// Who takes over alone is the master from then on, whatever was in the way.
pub(crate) const TAKEN_OVER: &[Way] = &[Way {
    lines: &[(1, TAKEOVER_ALONE), (0, REJOIN)],
    master: Some(1),
}];

const fn by(lines: &'static [Line]) -> Way {
    Way { lines, master: None }
}

pub(crate) const fn on_source(lines: &'static [Words]) -> Operator {
    Operator { side: 0, lines }
}

pub(crate) const fn on_target(lines: &'static [Words]) -> Operator {
    Operator { side: 1, lines }
}

/// Whether the walks go further than they do by default.
pub(crate) fn is_deep() -> bool {
    std::env::var_os("ZREP_EXPLORER").is_some_and(|wish| wish == "deep")
}

/// Operators who mean well, and one record. Nothing breaks.
pub(crate) fn undisturbed(operators: &[Operator]) -> Bounds {
    Bounds {
        operators: operators.to_vec(),
        writes: 1,
        faults: 0,
        kinds: FAULTS,
        partitions: false,
        reboots: false,
        closing: SETTLED,
    }
}

/// One fault of a call.
pub(crate) fn struck(operators: &[Operator]) -> Bounds {
    Bounds {
        faults: 1,
        ..undisturbed(operators)
    }
}

/// A network that is cut once; and a record, or two where the walk may be deep.
pub(crate) fn cut(operators: &[Operator]) -> Bounds {
    Bounds {
        writes: if is_deep() { 2 } else { 1 },
        faults: 1,
        kinds: &[],
        partitions: true,
        closing: REJOINED,
        ..undisturbed(operators)
    }
}

/// Two operators at once; a fault strikes only where the walk may be deep.
pub(crate) fn planned(operators: &[Operator]) -> Bounds {
    if is_deep() {
        struck(operators)
    } else {
        undisturbed(operators)
    }
}
