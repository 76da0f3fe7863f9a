//! One stream, from wherever it comes to wherever it goes.
//!
//! On one machine two ioctls hold the ends of one pipe. Where a side is far, the kernel here writes into the connection or reads from it, and
//! what stands next to the stream in the plan travels with it: one round trip instead of three.

use std::io::{PipeReader, PipeWriter};
use std::thread;

use super::{Ends, Run, Watch};
use crate::host::{Applied, BatchError, Carried, Errand, Error, ErrorKind, Inlet, Outlet, Received};
use crate::model::Side;
use crate::os;
use crate::plan::{Action, Stage, Transfer};

/// What failed, and on which side.
type Failed = (Side, String, Error);

/// Carries out the run's stage, which is a stream.
pub(super) fn transfer_stage(run: &mut Run, watch: &dyn Watch) {
    let Some(Stage::Transfer(transfer)) = run.stage().cloned() else {
        return;
    };
    let (source, target) = (run.job.ends.source.is_far(), run.job.ends.target.is_far());
    let result = match (source, target) {
        (_, true) => push(run, &transfer, watch),
        (true, false) => pull(run, &transfer, watch),
        (false, false) => across(&run.job.ends, &transfer, watch),
    };
    match result {
        Ok(received) => {
            watch.arrived(&transfer, &received);
            run.done.received.push((*transfer, received));
            run.next += 1;
        }
        Err((side, object, error)) => run.fail(side, &object, error),
    }
}

fn object(transfer: &Transfer, side: Side) -> String {
    match side {
        Side::Source => transfer.snapshot.dataset().to_string(),
        Side::Target => transfer.into.dataset().to_string(),
    }
}

fn of_stream(transfer: &Transfer, (side, error): (Side, Error)) -> Failed {
    (side, object(transfer, side), error)
}

/// One pipe, whose ends two ioctls hold: the stream never passes through this program.
fn across(ends: &Ends, transfer: &Transfer, watch: &dyn Watch) -> Result<Received, Failed> {
    let (input, out) = os::stream_pipe().map_err(|error| {
        of_stream(
            transfer,
            (Side::Source, Error::new(ErrorKind::Other, format!("pipe: {error}"))),
        )
    })?;
    let receive = || ends.target.receive(transfer, input);
    // The end of the pipe tells the receiver of a failure.
    sending(ends, transfer, watch, (out, Box::new(|| {})), receive).map_err(|failed| of_stream(transfer, failed))
}

/// Sends in a thread of its own, while `receive` does what the other end takes.
fn sending<T>(
    ends: &Ends,
    transfer: &Transfer,
    watch: &dyn Watch,
    (out, abort): (PipeWriter, Box<dyn FnOnce() + Send>),
    receive: impl FnOnce() -> Result<T, Error>,
) -> Result<T, (Side, Error)> {
    let bytes = watch.wants_bytes();
    let estimate = bytes.then(|| ends.source.estimate(transfer).ok()).flatten();
    watch.sending(transfer, estimate);
    let told = |so_far| watch.sent(transfer, so_far);
    thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let told = bytes.then_some(&told as &(dyn Fn(u64) + Sync));
            let sent = ends.source.send(transfer, out, told);
            if sent.is_err() {
                abort();
            }
            sent
        });
        let received = receive();
        let sent = sender.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        judge(sent, received)
    })
}

/// To a far target, with its changes before and behind the stream.
fn push(run: &mut Run, transfer: &Transfer, watch: &dyn Watch) -> Result<Received, Failed> {
    let before = run.part(run.next.checked_sub(1), Side::Target).to_vec();
    let after = run.part(Some(run.next + 1), Side::Target).to_vec();
    let ends = run.job.ends.clone();
    let of_target = |error: Error| of_stream(transfer, (Side::Target, error));
    let Inlet { way, abort, finish } = ends
        .target
        .inlet(Errand {
            before: &before,
            transfer,
            after: &after,
        })
        .map_err(of_target)?;
    let (mut first, mut last) = (Ok(Vec::new()), None);
    let receive = || {
        let Carried {
            before,
            received,
            after,
        } = finish()?;
        (first, last) = (before, after);
        received.unwrap_or_else(|| Err(missing(transfer)))
    };
    let received = sending(&ends, transfer, watch, (way, abort), receive);
    note(run, Side::Target, before, first)?;
    let received = received.map_err(|failed| of_stream(transfer, failed))?;
    if let Some(last) = last {
        // N.B. where the next stage is none of changes, nothing has travelled.
        run.carried = matches!(run.job.plan.stages.get(run.next + 1), Some(Stage::Apply { .. }));
        note_later(run, after, last);
    }
    Ok(received)
}

/// From a far source, with its changes before the stream.
fn pull(run: &mut Run, transfer: &Transfer, watch: &dyn Watch) -> Result<Received, Failed> {
    let before = run.part(run.next.checked_sub(1), Side::Source).to_vec();
    let ends = run.job.ends.clone();
    let bytes = watch.wants_bytes();
    watch.sending(transfer, bytes.then(|| ends.source.estimate(transfer).ok()).flatten());
    let outlet = ends.source.outlet(Errand {
        before: &before,
        transfer,
        after: &[],
    });
    let (first, way) = match outlet {
        Ok(Outlet {
            before: first,
            way,
            finish,
        }) => (Ok(first), Ok((way, finish))),
        Err(failed) => (Err(failed.clone()), Err(failed.error)),
    };
    note(run, Side::Source, before, first)?;
    let (way, finish) = way.map_err(|error| of_stream(transfer, (Side::Source, error)))?;
    let received = receive(&ends, transfer, way);
    let sent = finish();
    judge(sent, received).map_err(|failed| of_stream(transfer, failed))
}

fn receive(ends: &Ends, transfer: &Transfer, way: PipeReader) -> Result<Received, Error> {
    ends.target.receive(transfer, way)
}

fn missing(transfer: &Transfer) -> Error {
    Error::new(
        ErrorKind::Lost,
        format!("receive {}: no answer about the stream", transfer.into),
    )
}

/// Notes what came of changes that travelled with a stream.
fn note(
    run: &mut Run,
    side: Side,
    actions: Vec<Action>,
    result: Result<Vec<Applied>, BatchError>,
) -> Result<(), Failed> {
    match result {
        Ok(applied) => {
            let noted = actions
                .into_iter()
                .zip(applied)
                .map(|(action, applied)| (side, action, applied));
            run.done.applied.extend(noted);
            Ok(())
        }
        Err(failed) => {
            if failed.begun {
                let done = actions.iter().take(failed.index);
                let noted = done.map(|action| (side, action.clone(), Applied::Done));
                run.done.applied.extend(noted);
            }
            if failed.error.kind == ErrorKind::Lost {
                let unsure = actions.iter().skip(failed.index);
                run.unsure.extend(unsure.map(|action| (side, action.clone())));
            }
            let object = actions
                .get(failed.index)
                .map_or_else(String::new, |action| action.object().to_owned());
            Err((side, object, failed.error))
        }
    }
}

/// The stream has arrived, so a failure behind it is one of the stage behind it.
fn note_later(run: &mut Run, actions: Vec<Action>, result: Result<Vec<Applied>, BatchError>) {
    if let Err((side, object, error)) = note(run, Side::Target, actions, result) {
        run.fail(side, &object, error);
    }
}

/// Which of two errors is the cause. A sender whose reader went away, and a receiver whose stream ended, only tell that
/// the other side failed.
fn judge<T>(sent: Result<(), Error>, received: Result<T, Error>) -> Result<T, (Side, Error)> {
    match (sent, received) {
        (_, Ok(received)) => Ok(received),
        (
            Err(cause),
            Err(Error {
                kind: ErrorKind::Interrupted | ErrorKind::Lost,
                ..
            }),
        ) if cause.kind != ErrorKind::Interrupted => Err((Side::Source, cause)),
        (Ok(()) | Err(_), Err(cause)) => Err((Side::Target, cause)),
    }
}
