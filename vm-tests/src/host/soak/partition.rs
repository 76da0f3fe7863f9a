//! The partition drill: a master that nobody reaches goes on, its replica takes over, both
//! are written to, and then they meet.

use anyhow::Result;

use super::ledger::{Kind, Writer, read};
use super::node::PATIENCE;
use super::orders::Said;
use super::pair::{Pair, Side, violated};
use crate::host::session::quote;

/// The size of the dataset in MiB, and how much of it a rejoin may send, in percent.
const SIZE: u32 = 64;
const PERCENT: f64 = 5.0;

const OLD: Side = Side::Alpha;
const NEW: Side = Side::Beta;

/// Runs the drill on a pair that was just booted, and says what happens.
pub fn run(pair: &mut Pair, say: impl Fn(String)) -> Result<()> {
    pair.make(SIZE)?;
    say(format!("alpha is the master of {SIZE} MiB, beta has the replica"));
    let mut on_old = writer(pair, OLD, "of alpha")?;
    pair.syncs(OLD)?;
    let mut on_new = part(pair, &say)?;
    for writer in [&mut on_old, &mut on_new] {
        writer.write_on(10, PATIENCE)?;
    }
    say(format!("both are written to: {}", pair.look_for_one_writer(true)?));
    end_of(pair, &mut on_new)?;
    meet(pair, &mut on_old, &say)?;
    rejoin(pair, &say)?;
    tail_is_there(pair, &mut on_old)?;
    say("what alpha wrote alone is there, under its own name".to_owned());
    pair.settle_ledger(NEW, |file| file == on_old.file)?;
    pair.syncs(NEW)?;
    pair.settle_foreign()
}

/// Pulls the cable, and lets beta take over by force. Returns a writer there; alpha writes, too.
fn part(pair: &Pair, say: &impl Fn(String)) -> Result<Writer> {
    pair.cable.pull();
    say("the cable is pulled; alpha goes on writing".to_owned());
    let more = |side: Side, size| {
        let directory = quote(side.mountpoint());
        let write = format!("cd {directory} && head -c {size} /dev/urandom >more && echo only {side:?} >only");
        pair.node(side).ok(&write)
    };
    more(OLD, "8M")?;
    let forced = pair.zrep(NEW, &format!("takeover -L {}", quote(NEW.dataset())))?;
    say(expect(forced, "takeover -L on beta")?.to_string());
    more(NEW, "1M")?;
    writer(pair, NEW, "of beta")
}

/// Puts the cable back: alpha's next sync gets it fenced, and changes nothing on beta.
fn meet(pair: &mut Pair, on_old: &mut Writer, say: &impl Fn(String)) -> Result<()> {
    let before = digest(pair)?;
    pair.cable.plug_in();
    let contact = pair.zrep(OLD, &format!("sync {}", quote(OLD.dataset())))?;
    say(format!("the cable is back\n{contact}"));
    fenced(pair, &contact)?;
    if !on_old.ends() {
        return violated("P1: alpha is fenced, and is written to all the same");
    }
    end_of(pair, on_old)?;
    if digest(pair)? != before {
        return violated("P1: the first contact has changed beta's data");
    }
    say("alpha is fenced, and beta's data is what it was".to_owned());
    Ok(())
}

fn writer(pair: &Pair, side: Side, file: &str) -> Result<Writer> {
    Writer::start(pair.node(side), side, Kind::Fsync, file)
}

/// Stops a writer, if it has not stopped, and promises what it was told to be safe.
fn end_of(pair: &mut Pair, writer: &mut Writer) -> Result<()> {
    if let Some(wrong) = writer.stop()? {
        return violated(wrong);
    }
    let records = writer.acknowledged();
    pair.ledger.promise(&writer.file, records);
    Ok(())
}

fn expect(said: Said, what: &str) -> Result<Said> {
    if said.ok() {
        Ok(said)
    } else {
        violated(format!("{what}: {said}"))
    }
}

/// Checksums of all of beta's files, and its snapshots.
fn digest(pair: &Pair) -> Result<Vec<String>> {
    let (mountpoint, dataset) = (quote(NEW.mountpoint()), quote(NEW.dataset()));
    pair.node(NEW).ok(&format!(
        "cd {mountpoint} && find . -type f -print0 | sort -z | xargs -0 cksum; \
         zfs list -Hp -t snapshot -o guid,name -s createtxg {dataset}"
    ))
}

fn fenced(pair: &Pair, contact: &Said) -> Result<()> {
    let views = pair.look_for_one_writer(true)?;
    let [old, new] = [&views.0[OLD.index()], &views.0[NEW.index()]];
    let fenced = old
        .as_ref()
        .is_some_and(|view| view.fenced.is_some() && !view.is_writable());
    let untouched = new.as_ref().is_some_and(super::look::View::leads);
    if contact.ok() || !fenced || !untouched {
        return violated(format!("P1: after the first contact {views}"));
    }
    Ok(())
}

fn rejoin(pair: &Pair, say: &impl Fn(String)) -> Result<()> {
    let before = pair.cable.carried();
    let said = pair.zrep(OLD, &format!("rejoin {}", quote(OLD.dataset())))?;
    let carried = pair.cable.carried() - before;
    let said = expect(said, "rejoin on alpha")?;
    let percent = percent(carried);
    say(said.to_string());
    say(format!(
        "the cable has carried {carried} bytes for it, {percent:.1} % of the dataset"
    ));
    let (tail, _) = pair.tail(OLD)?;
    let views = pair.look_for_one_writer(false)?;
    if !said.says(&tail) || !views.at_rest_with(NEW.index()) {
        return violated(format!("rejoin leaves {views}, and {tail}: {said}"));
    }
    if percent >= PERCENT {
        return violated(format!(
            "rejoin has sent {percent:.1} % of the dataset, {PERCENT} are allowed"
        ));
    }
    Ok(())
}

fn percent(bytes: u64) -> f64 {
    100.0 * bytes as f64 / (f64::from(SIZE) * 1024.0 * 1024.0)
}

/// All that alpha acknowledged is in what was put aside, with the files around it.
fn tail_is_there(pair: &Pair, writer: &mut Writer) -> Result<()> {
    let (tail, mountpoint) = pair.tail(OLD)?;
    let found = read(pair.node(OLD), &mountpoint)?;
    let there = found.get(&writer.file).copied().unwrap_or(0);
    let only = pair.node(OLD).run(&format!("cat {}/only", quote(&mountpoint)))?;
    if there < writer.acknowledged() || only.stdout != ["only Alpha"] {
        return violated(format!(
            "P4: {} records were acknowledged, {tail} has {there}; {only}",
            writer.acknowledged()
        ));
    }
    Ok(())
}
