//! One dataset in the loop: what is known of it, whether its lock is ours, and what went wrong the last time.

use std::time::{Duration, Instant};

use crate::execute::{self, Failure, Job, Quiet};
use crate::plan::{Plan, Stage};
use crate::problem::Problem;
use crate::session::Session;
use crate::warm::Warm;
use zfs_ffi::DatasetName;

/// One dataset in the loop.
#[derive(Debug, Default)]
pub(super) struct Member {
    /// What is known of both sides, if it can be trusted.
    pub(super) warm: Option<Warm>,
    /// What went wrong the last time.
    pub(super) trouble: Option<Trouble>,
    /// Whether the lock on the source is ours.
    pub(super) locked: bool,
    /// Whether the plan of this round was made from what the last round knew.
    pub(super) carried: bool,
    /// What is wrong with datasets below it, where they are part of the pairing.
    pub(super) below: Vec<String>,
    /// How often in a row its plan was too old when it was carried out.
    pub(super) stale: u32,
}

/// A failure, and when to try again.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) cause: String,
    pub(super) headline: String,
    pub(super) pause: Duration,
    pub(super) until: Instant,
}

impl Member {
    /// Whether it takes part in a round that begins now.
    pub(super) fn is_due(&self) -> bool {
        self.trouble
            .as_ref()
            .is_none_or(|trouble| Instant::now() >= trouble.until)
    }

    /// Does what the last round has left over.
    pub(super) fn settle(&mut self) -> Result<(), Problem> {
        match self.warm.as_mut().and_then(Warm::take_pending) {
            Some(stage) => self.carry_out(stage),
            None => Ok(()),
        }
    }

    /// Does what the last round has left over, and gives the lock back in the same transaction: in a pause anybody may sync the dataset by
    /// hand, or turn the pair.
    pub(super) fn rest(&mut self, session: &Session, name: &DatasetName) -> Result<(), Problem> {
        if !self.locked {
            return Ok(());
        }
        if let Some(warm) = &mut self.warm {
            let stage = warm.take_last(session);
            let rested = self.carry_out(stage);
            self.locked = rested.is_err();
            return rested;
        }
        // After a failure. Whatever stands in the way of this, too, has been told with it, and the end of the loop tries again.
        let release = Warm::release_plan(session, name);
        let released = release.is_ok_and(|plan| run(session, plan).is_ok());
        self.locked = !released;
        Ok(())
    }

    /// Carries out a stage by itself. If that fails, what was known is dropped.
    fn carry_out(&mut self, stage: Stage) -> Result<(), Problem> {
        let Some(ends) = self.warm.as_ref().map(Warm::ends) else {
            return Ok(());
        };
        let plan = Plan {
            stages: vec![stage],
            ..Plan::default()
        };
        execute::run(Job { ends, plan }, &Quiet).map(drop).map_err(|failure| {
            self.warm = None;
            failure.into()
        })
    }
}

fn run(session: &Session, plan: Plan) -> Result<(), Failure> {
    let ends = session.ends_here();
    execute::run(Job { ends, plan }, &Quiet).map(drop)
}
