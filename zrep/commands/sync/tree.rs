//! What is below a dataset whose pairing is recursive: its plans, and what came of them.

use serde_json::Value;

use super::say_kept;
use crate::commands::{failed_json, result_json};
use crate::execute::{Done, Failure, Job};
use crate::exit::Exit;
use crate::plan::sync::tree::{Purpose, TreePlan, Trees};
use crate::plan::tree::{Fate, matched};
use crate::plan::{Plan, sync, synconly};
use crate::problem::Problem;
use crate::props::{Key, View};
use crate::refusal::{Refusal, Why, quoted};
use crate::session::{Pair, Session};
use zfs_ffi::DatasetName;

/// What there is to do for one operand.
#[derive(Debug)]
pub(crate) struct Work {
    /// The plan of the dataset itself.
    pub(crate) job: Job,
    /// Those of what is below it, where that is part of the pairing.
    pub(crate) children: Vec<Job>,
    /// What of that is not replicated.
    pub(crate) refused: Vec<Refusal>,
}

impl Work {
    pub(crate) fn of_one(job: Job) -> Self {
        Self {
            job,
            children: Vec::new(),
            refused: Vec::new(),
        }
    }

    pub(crate) fn jobs(&self) -> impl Iterator<Item = &Job> {
        [&self.job].into_iter().chain(&self.children)
    }

    pub(crate) fn notes(&self) -> impl Iterator<Item = &String> {
        self.jobs().flat_map(|job| &job.plan.notes)
    }
}

/// Plans a sync of a pair.
pub(crate) fn work(session: &Session, pair: &Pair, request: &sync::Request) -> Result<Work, Problem> {
    Ok(work_of(session, pair, plans(session, pair, request)?))
}

/// Plans a sync of what is there already.
pub(super) fn latest(session: &Session, pair: &Pair, request: &sync::Request) -> Result<Work, Problem> {
    let me = &session.settings.me;
    let Pair { source, target, .. } = pair;
    let below = pair
        .below
        .as_ref()
        .filter(|_| View::new(source, &me.tag).is_recursive());
    require(session, pair)?;
    let plans = match below {
        None => TreePlan::of_one(synconly::plan(me, source, target, request)?),
        Some(below) => synconly::tree::plan(me, Trees { source, target, below }, request)?,
    };
    Ok(work_of(session, pair, plans))
}

fn work_of(session: &Session, pair: &Pair, plans: TreePlan) -> Work {
    let TreePlan { mut plans, refused, .. } = plans;
    let job = |plan| Job {
        ends: pair.ends.clone(),
        plan: (session.revise)(plan),
    };
    let top = plans.remove(0);
    Work {
        job: job(top),
        children: plans.into_iter().map(job).collect(),
        refused,
    }
}

/// The plans of a sync: one, or those of a tree; that of the dataset itself is the first.
pub(crate) fn plans(session: &Session, pair: &Pair, request: &sync::Request) -> Result<TreePlan, Problem> {
    let me = &session.settings.me;
    match purpose(session, pair)? {
        None => Ok(TreePlan::of_one(sync::plan(me, &pair.source, &pair.target, request)?)),
        Some((trees, purpose)) => Ok(sync::tree::plan(me, trees, request, purpose)?),
    }
}

/// Whether the pair is one of trees, by its properties, or because shell zrep has replicated it with `-R`: it does not write that down.
fn purpose<'a>(session: &Session, pair: &'a Pair) -> Result<Option<(Trees<'a>, Purpose)>, Problem> {
    let me = &session.settings.me;
    let Pair {
        source,
        target,
        below: Some(below),
        ..
    } = pair
    else {
        return Ok(None);
    };
    let trees = Trees { source, target, below };
    let [of_source, of_target] = [source, target].map(|state| View::new(state, &me.tag).is_recursive());
    match (of_source, of_target) {
        (true, true) => return Ok(Some((trees, Purpose::Sync))),
        // N.B. what this machine sends, it says itself; what it receives, too.
        (true, false) if session.recursive || !pair.ends.source.is_far() => return Ok(Some((trees, Purpose::Adopt))),
        (true, false) => return Err(Refusal::target(&target.name, not_recursive(session, &source.name)).into()),
        (false, _) => {}
    }
    let Some(first) = below.source.first() else {
        return Ok(None);
    };
    let is_known = |fate: &Fate<'_>| matches!(fate, Fate::Known { .. });
    if matched(me, source, target, below)
        .children
        .iter()
        .any(|child| is_known(&child.fate))
    {
        return Ok(Some((trees, Purpose::Adopt)));
    }
    Err(Refusal::source(&source.name, not_recursive(session, &first.name)).into())
}

pub(crate) fn not_recursive(session: &Session, child: &DatasetName) -> Why {
    Why::NotRecursive {
        child: child.clone(),
        tag: session.settings.me.tag.to_string(),
    }
}

/// Refuses `-R` for a pairing that is not recursive and has something below it; says whether the pairing is recursive.
pub(crate) fn require(session: &Session, pair: &Pair) -> Result<bool, Problem> {
    let first = pair.below.as_ref().and_then(|below| below.source.first());
    let tag = &session.settings.me.tag;
    let [of_source, of_target] = [&pair.source, &pair.target].map(|state| View::new(state, tag).is_recursive());
    match (of_source, first) {
        (true, _) if !of_target => Err(on_one_side(session, pair).into()),
        (true, _) => Ok(true),
        (false, Some(first)) => Err(Refusal::source(&pair.source.name, not_recursive(session, &first.name)).into()),
        (false, None) => Ok(false),
    }
}

/// N.B. the new master would be one of a pairing of one dataset.
fn on_one_side(session: &Session, pair: &Pair) -> Refusal {
    let why = Why::RecursiveOnOneSide {
        other: pair.source.name.clone(),
        property: session.settings.me.tag.property(Key::Recursive),
        command: format!("zrep -R sync {}", quoted(pair.source.name.as_str())),
    };
    Refusal::target(&pair.target.name, why)
}

/// A child, its plan, and what came of it.
pub(super) struct ChildOutcome {
    name: String,
    result: Result<(Plan, Option<Done>), Problem>,
}

impl ChildOutcome {
    pub(super) fn new(plan: Plan, done: Result<Option<Done>, Failure>) -> Self {
        let name = plan.of.as_ref().map(ToString::to_string).unwrap_or_default();
        Self {
            name,
            result: done.map(|done| (plan, done)).map_err(Problem::from),
        }
    }

    pub(super) fn refused(refusal: &Refusal) -> Self {
        Self {
            name: refusal.dataset.clone(),
            result: Err(refusal.clone().into()),
        }
    }

    pub(super) fn is_stale(&self) -> bool {
        self.result.as_ref().is_err_and(Problem::is_stale)
    }

    pub(super) fn json(&self) -> Value {
        match &self.result {
            Ok((plan, done)) => result_json(&self.name, plan, done.as_ref()),
            Err(problem) => failed_json(&self.name, problem),
        }
    }
}

/// Says what went wrong below.
pub(super) fn report(session: &Session, children: &[ChildOutcome]) -> Exit {
    let mut exit = Exit::Success;
    for child in children {
        match &child.result {
            Ok((_, done)) => done.iter().for_each(|done| say_kept(session, done)),
            Err(problem) => {
                session.ui.problem(problem);
                exit = exit.and(problem.exit());
            }
        }
    }
    let failed = children.iter().filter(|child| child.result.is_err()).count();
    if failed > 0 {
        session.ui.note(&format!(
            "{failed} of {} below not replicated; see above.",
            crate::refusal::counted(children.len(), "dataset")
        ));
    }
    exit
}

/// Whether anything was sent to one of them.
pub(super) fn have_received(children: &[ChildOutcome]) -> bool {
    let mut done = children
        .iter()
        .filter_map(|child| child.result.as_ref().ok()?.1.as_ref());
    done.any(|done| !done.received.is_empty())
}

pub(super) fn bytes(children: &[ChildOutcome]) -> u64 {
    let done = children
        .iter()
        .filter_map(|child| child.result.as_ref().ok()?.1.as_ref());
    done.map(Done::bytes).sum()
}
