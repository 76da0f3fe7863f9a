//! `zrep rejoin DATASET`

use serde_json::{Value, json};

use super::failover::finish;
use super::patience::patiently;
use super::sync::tree as sync_tree;
use super::{result_json, show_plan};
use crate::cli::RejoinArgs;
use crate::contact::{self, Purpose};
use crate::execute::{self, Done, Ends, Failure, Job, Quiet};
use crate::exit::Exit;
use crate::host::ErrorKind;
use crate::model::{Kind, Link, Side, State};
use crate::peers::Machine;
use crate::plan::pairing::{self, Place, link_of};
use crate::plan::rejoin::{self, Below, Scene};
use crate::plan::sync::tree::TreePlan;
use crate::plan::{Action, Plan, Stage, settle, standing, sync, tree};
use crate::problem::Problem;
use crate::props::View;
use crate::refusal::{Refusal, Why, counted, quoted};
use crate::session::{Session, UntilBegun};
use crate::ui::Progress;
use zfs_ffi::DatasetName;

/// Makes a superseded master the replica of the new one, and brings it up to date.
pub(super) fn run(args: &RejoinArgs, session: &Session) -> Exit {
    let result = patiently(session, || rejoin(args, session));
    finish(session, "rejoin", &args.dataset, result)
}

/// How many names for what is kept aside are tried.
const NAMES: u32 = 9;

fn rejoin(args: &RejoinArgs, session: &Session) -> Result<Value, Problem> {
    let name = DatasetName::new(&args.dataset)?;
    let found = Found::of(session, &name)?;
    let superseded = found.require_superseded(session)?;
    if !args.dry_run && superseded {
        fence(session, &found)?;
        replay(session, &found)?;
    }
    if !superseded && let Some(done) = found.try_to_follow(session, args.dry_run)? {
        say_done(session, &found, &done);
        let result = result_json(name.as_str(), &Plan::default(), Some(&done.done));
        done.require_whole(session)?;
        return Ok(result);
    }
    // N.B. not before: what goes before may take as long as a stream, and others of this machine wait for the lock file.
    let lock = (!args.dry_run).then(|| session.file_lock()).transpose()?;
    let found = Found::of(session, &name)?;
    // N.B. what goes before may take hours, and somebody may have turned the pair.
    if found.require_superseded(session)? != superseded {
        drop(lock);
        return rejoin(args, session);
    }
    let me = &session.settings.me;
    let (aside, renamed) = found.aside(session)?;
    let was = found.was(renamed.as_ref())?;
    let (below, children) = found.below(session, was)?;
    let scene = Scene {
        name: &name,
        old: found.old.as_ref(),
        aside: &aside,
        renamed: renamed.as_ref(),
        children: &children,
        new: &found.new,
        below: &below,
    };
    let locking = session.locking(was, &session.ends_here())?;
    let plan = (session.revise)(rejoin::plan(me, &scene, &locking)?);
    if args.dry_run {
        show_plan(session, name.as_str(), &plan);
        return Ok(result_json(name.as_str(), &plan, None));
    }
    plan.notes.iter().for_each(|note| session.ui.note(note));
    let keeps = plan.notes.iter().any(|note| note.contains(aside.as_str())) || renamed.is_some();
    let job = Job {
        ends: session.ends_here(),
        plan: plan.clone(),
    };
    match lock {
        Some(lock) => execute::run(job, &UntilBegun::new(&Quiet, lock))?,
        None => execute::run(job, &Quiet)?,
    };
    let caught_up = patiently(session, || catch_up(session, &name))?;
    say_done(session, &found, &caught_up);
    let mut result = result_json(name.as_str(), &plan, Some(&caught_up.done));
    if keeps {
        say_kept_aside(session, &aside)?;
        if [was]
            .into_iter()
            .chain(&below.old)
            .chain(&below.renamed)
            .any(|state| state.encrypted)
        {
            say_key_is_gone(session, &name);
        }
        result["kept_aside"] = json!(aside.as_str());
    }
    caught_up.require_whole(session)?;
    Ok(result)
}

fn say_done(session: &Session, found: &Found, CaughtUp { done, refused }: &CaughtUp) {
    let bytes = usize::try_from(done.bytes()).unwrap_or(usize::MAX);
    let (name, bytes) = (&found.name, counted(bytes, "byte"));
    session
        .ui
        .say(&format!("{name} is the replica of {} now.", found.place));
    let but = match refused.len() {
        0 => String::new(),
        some => format!(", but for {}", counted(some, "dataset")),
    };
    session.ui.say(&format!("{name}: brought up to date{but}, {bytes}."));
}

fn say_kept_aside(session: &Session, aside: &DatasetName) -> Result<(), Problem> {
    let pasted = quoted(aside.as_str());
    session.ui.say(&format!("What only it had is in {aside}, read-only. To look at it: `zfs mount {pasted}` (or `mount -t zfs {pasted} DIRECTORY` where it has a mountpoint of its own); where others are mounted below, it is mounted still, in its old place."));
    let inside = session.observe_below(&session.here(), Side::Source, aside)?;
    let (_, apart) = tree::apart(&session.settings.me, &inside, |state| state.name.to_string());
    session.ui.say(&match apart.first() {
        Some(other) => {
            format!("{other} in it has a pairing of its own: move that out before anybody destroys {aside}.")
        }
        None => format!("To drop it, once nobody needs it: `zfs destroy -r {pasted}`."),
    });
    Ok(())
}

/// N.B. a promote makes the clone the encryption root of both, and ZFS does not take the loaded key along.
fn say_key_is_gone(session: &Session, name: &DatasetName) {
    let pasted = quoted(name.as_str());
    session.ui.say(&format!(
        "What is encrypted with a key of its own cannot be mounted before that is loaded again: `zfs load-key -r {pasted}`."
    ));
}

/// What was looked at.
struct Found {
    name: DatasetName,
    old: Option<State>,
    renamed: Option<State>,
    place: Place,
    machine: Machine,
    new: State,
}

impl Found {
    /// Looks at the dataset, or at what a rejoin that was cut off has renamed it to, and at the side that superseded it.
    fn of(session: &Session, name: &DatasetName) -> Result<Self, Problem> {
        let old = session.observe(Side::Source, name)?;
        // N.B. anybody's dataset may have such a name. Ours is still locked by the rejoin that was cut off, and names the old name.
        let me = &session.settings.me;
        let is_pair = |state: &State| {
            let names = |link: Link| [link.src_fs, link.dest_fs].iter().any(|found| found == name.as_str());
            View::new(state, &me.tag).lock_pid().is_some() && link_of(me, state).is_ok_and(names)
        };
        let mut renamed = None;
        for aside in session.children(name.parent().as_ref().unwrap_or(name))? {
            if aside.as_str().starts_with(&format!("{name}_diverged_e")) {
                renamed = renamed.or(session.observe(Side::Source, &aside)?.filter(is_pair));
            }
        }
        let Some(told) = renamed.as_ref().or(old.as_ref()) else {
            return Err(Refusal::source(name, Why::Missing).into());
        };
        let place = other_end(session, name, told)?;
        let machine = session.machine(Side::Target, &place)?;
        let new = session
            .observe_at(&machine, Side::Target, &place.dataset)?
            .ok_or_else(|| Refusal::target(&place.dataset, Why::Missing))?;
        Ok(Self {
            name: name.clone(),
            old,
            renamed,
            place,
            machine,
            new,
        })
    }

    fn was<'a>(&'a self, renamed: Option<&'a State>) -> Result<&'a State, Problem> {
        renamed
            .or(self.old.as_ref())
            .ok_or_else(|| Refusal::source(&self.name, Why::Missing).into())
    }

    /// Only the replica of a living master rejoins: without one, what is here may be all there is.
    fn require_superseded(&self, session: &Session) -> Result<bool, Problem> {
        let me = &session.settings.me;
        let told = self.was(self.renamed.as_ref())?;
        let (was, is) = (View::new(told, &me.tag), View::new(&self.new, &me.tag));
        let refuse = |why| Err(Refusal::source(&self.name, why).into());
        if self.renamed.is_none() && !standing::is_mutual(me, told, &self.new) {
            let found = link_of(me, &self.new).map_or_else(
                |_| "no pair".to_owned(),
                |link| format!("src-fs={}, dest-fs={}", link.src_fs, link.dest_fs),
            );
            let why = Why::NotMutual {
                other: self.name.to_string(),
                found,
                tag: me.tag.to_string(),
            };
            return Err(Refusal::target(&self.new.name, why).into());
        }
        match (was.is_master(), is.is_master()) {
            (true, true) if is.epoch() > was.epoch() => Ok(true),
            (true, true) => Err(standing::refusal(me, told, &self.new).into()),
            // Restored from an old backup, perhaps: what it holds is older than what is here.
            (false, true) if is.epoch() < was.epoch() => {
                let why = Why::Superseded {
                    epoch: was.epoch(),
                    own: is.epoch(),
                    other: self.name.to_string(),
                };
                Err(Refusal::target(&self.new.name, why).into())
            }
            (false, true) => Ok(false),
            (true | false, false) => refuse(Why::NotSuperseded {
                other: self.place.to_string(),
            }),
        }
    }

    /// Brings up to date what is a replica already, where ZFS finds that it can be: then nothing has to be kept aside.
    ///
    /// N.B. that much was written to it, or that it has what the master lacks, does not decide that. A clone of a snapshot that was taken while its intent
    /// log was in use counts as written to from its first moment: the block in which the log is noted becomes its own (`dsl_dataset_zero_zil`). So
    /// does the replica that a rejoin has just made. And a tree keeps what was destroyed on its master. Only `zfs receive` compares what matters.
    fn try_to_follow(&self, session: &Session, dry_run: bool) -> Result<Option<CaughtUp>, Problem> {
        let (Some(_), None) = (&self.old, &self.renamed) else {
            return Ok(None);
        };
        if dry_run {
            session.ui.note(&format!("{}: this side is a replica already; what follows is done only if ZFS finds, as it is sent to, that it cannot be brought up to date as it is.", self.name));
            return Ok(None);
        }
        match patiently(session, || catch_up(session, &self.name)) {
            Ok(done) if done.refused.iter().any(|refusal| is_divergence(&refusal.why)) => Ok(None),
            Ok(done) => Ok(Some(done)),
            Err(Problem::Failed(failure)) if failure.error.kind == ErrorKind::Modified => Ok(None),
            Err(Problem::Refused(refusal)) if is_divergence(&refusal.why) => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    /// What else is part of the pairing, and what is not and lies below all the same.
    fn below(&self, session: &Session, was: &State) -> Result<(Below, Vec<DatasetName>), Problem> {
        let me = &session.settings.me;
        let is_recursive = |state: &State| View::new(state, &me.tag).is_recursive();
        if !is_recursive(was) {
            return Ok((Below::default(), session.children(&was.name)?));
        }
        if !is_recursive(&self.new) {
            return Err(session.recursive_on_one_side(&self.new.name, &self.name).into());
        }
        let here = |state: Option<&State>| match state {
            Some(state) => session.observe_below(&session.here(), Side::Source, &state.name),
            None => Ok(Vec::new()),
        };
        let (old, renamed) = (here(self.old.as_ref())?, here(self.renamed.as_ref())?);
        let new = session.observe_below(&self.machine, Side::Target, &self.new.name)?;
        let as_it_is = |state: &State| state.name.to_string();
        let as_it_was = |state: &State| {
            let top = self.renamed.as_ref().map_or("", |renamed| renamed.name.as_str());
            let rest = state.name.as_str().strip_prefix(top).unwrap_or_default();
            format!("{}{rest}", self.name)
        };
        let (old, of_old) = tree::apart(me, &old, as_it_is);
        let (renamed, of_renamed) = tree::apart(me, &renamed, as_it_was);
        let apart = if self.renamed.is_some() { of_renamed } else { of_old };
        let new = tree::own(me, &new);
        let below = Below { old, renamed, new };
        Ok((below, apart))
    }

    /// The name for what is kept aside, and the dataset of that name if a rejoin was cut off behind its renaming.
    fn aside(&self, session: &Session) -> Result<(DatasetName, Option<State>), Problem> {
        if let Some(renamed) = &self.renamed {
            return Ok((renamed.name.clone(), Some(renamed.clone())));
        }
        let epoch = View::new(&self.new, &session.settings.me.tag).epoch();
        for aside in asides(&self.name, epoch) {
            if session.observe(Side::Source, &aside)?.is_none() {
                return Ok((aside, None));
            }
        }
        let last = aside_name(&self.name, epoch, NAMES)?;
        Err(Refusal::source(&last, Why::TargetExists).into())
    }
}

/// Whether the two sides have gone different ways since their last common state, or what is here stands in the way of what comes.
fn is_divergence(why: &Why) -> bool {
    matches!(
        why,
        Why::Diverged { .. } | Why::NoCommonSnapshot { .. } | Why::PlaceTaken { .. }
    )
}

fn aside_name(name: &DatasetName, epoch: u64, number: u32) -> Result<DatasetName, Problem> {
    let suffix = if number == 1 {
        String::new()
    } else {
        format!("-{number}")
    };
    Ok(DatasetName::new(&format!("{name}_diverged_e{epoch}{suffix}"))?)
}

fn asides(name: &DatasetName, epoch: u64) -> Vec<DatasetName> {
    (1..=NAMES)
        .filter_map(|number| aside_name(name, epoch, number).ok())
        .collect()
}

/// The end of the pair that is not the dataset itself.
fn other_end(session: &Session, name: &DatasetName, told: &State) -> Result<Place, Problem> {
    let me = &session.settings.me;
    let link = link_of(me, told).map_err(|why| Refusal::source(name, why))?;
    let was_source = link.src_fs == name.as_str() && pairing::is_at(me, &link.src_host, told);
    let end = if was_source {
        pairing::dest_of(me, &link)
    } else {
        pairing::src_of(me, &link)
    };
    Ok(end.map_err(|why| Refusal::source(name, why))?)
}

/// Nothing is decided about a dataset that can still be written to.
fn fence(session: &Session, found: &Found) -> Result<(), Problem> {
    // N.B. behind a renaming that was cut off, what has the old name is the new replica.
    let (Some(old), None) = (&found.old, &found.renamed) else {
        return Ok(());
    };
    let plan = settle::fence(&session.settings.me, old, &found.new);
    let plan = settle::with_trees(plan, &session.below_here(Side::Source, old)?, &[]);
    let ends = Ends {
        source: session.ends_here().source,
        target: found.machine.host.clone(),
    };
    plan.notes.iter().for_each(|note| session.ui.note(note));
    execute::run(Job { ends, plan }, &Quiet)?;
    session.settle(&found.name)
}

/// What a crash has left in the intent log of a filesystem that was not mounted since is something that only it has, and that cannot be seen before
/// it is applied. Where there is more to be seen, it is kept aside as it is, with its intent log.
fn replay(session: &Session, found: &Found) -> Result<(), Problem> {
    let (Some(old), None) = (&found.old, &found.renamed) else {
        return Ok(());
    };
    if old.kind == Kind::Volume || standing::has_more(old, &found.new) {
        return Ok(());
    }
    let below = session.below_here(Side::Source, old)?;
    let all = [old]
        .into_iter()
        .chain(&below)
        .filter(|state| state.kind == Kind::Filesystem);
    let replayed = all.map(|state| Action::Replay(state.name.clone())).collect();
    let plan = Plan {
        stages: vec![Stage::source(replayed)],
        ..Plan::default()
    };
    let ends = session.ends_here();
    execute::run(Job { ends, plan }, &Quiet)?;
    session.settle(&found.name)
}

/// The first sync in the new direction.
fn catch_up(session: &Session, name: &DatasetName) -> Result<CaughtUp, Problem> {
    let pair = contact::meet(session, Purpose::Sync, || session.pair_of_target(name))?;
    let request = sync::Request {
        locking: session.locking(&pair.source, &pair.ends)?,
        now: session.now(),
        force: false,
        changed_only: false,
        preferences: session.settings.preferences,
    };
    let TreePlan { plans, refused, .. } = sync_tree::plans(session, &pair, &request)?;
    let watcher = session.ui.watcher(Progress::of(plans.len()));
    let jobs = plans
        .into_iter()
        .map(|plan| Job {
            ends: pair.ends.clone(),
            plan,
        })
        .collect();
    let results = execute::run_all(jobs, &watcher);
    // N.B. who was written to decides what is done next, whatever else has failed.
    let is_modified = |failure: &&Failure| failure.error.kind == ErrorKind::Modified;
    if let Some(failure) = results
        .iter()
        .filter_map(|result| result.as_ref().err())
        .find(is_modified)
    {
        return Err(failure.clone().into());
    }
    let done = Done::whole(results)?;
    Ok(CaughtUp { done, refused })
}

/// What the first sync in the new direction has brought, and what not.
struct CaughtUp {
    done: Done,
    refused: Vec<Refusal>,
}

impl CaughtUp {
    /// Says what of the tree was not replicated: the role is changed, and the rest is not for nobody to hear of.
    fn require_whole(self, session: &Session) -> Result<(), Problem> {
        let mut refused = self.refused.into_iter().map(Problem::from);
        let Some(first) = refused.next() else { return Ok(()) };
        refused.for_each(|problem| session.ui.problem(&problem));
        Err(first)
    }
}
