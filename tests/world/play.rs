//! One run from its beginning to its end, alone on the machines but for a writer, with a fault at a chosen point.

use zrep::exit::Exit;
use zrep::host::{Error, ErrorKind};

use super::World;
use super::call::Asked;
use super::promises;
use super::typed::{Mistake, Next, Run, Runner, Typed, Words};
use super::work::{Fault, Work};

/// Where a fault strikes: at which call of the run, after how many deeds of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Strike {
    pub call: usize,
    pub deeds: usize,
    pub fault: Fault,
}

/// How a run is played.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    pub strike: Option<Strike>,
    /// Of two calls that are made at the same time, the second is carried out first.
    pub reversed: bool,
    /// A program appends a record after each deed, wherever it is let.
    pub busy: bool,
    /// The other machine cannot be reached from the beginning.
    pub peer_is_down: bool,
    /// What the program does wrong.
    pub mistake: Mistake,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Played {
    /// None if the process was killed.
    pub exit: Option<Exit>,
    /// Everywhere that a fault could have struck.
    pub points: Vec<Strike>,
    /// Whether two calls were made at the same time.
    pub pairs: bool,
    /// The promises that were broken on the way.
    pub broken: Vec<String>,
    /// Each call, for people.
    pub trace: Vec<String>,
}

/// The number of the first process. Each run has two.
const FIRST_PID: u32 = 1_000_000;

/// Types a verb, as the `number`th in this world.
pub fn play(runner: &mut Runner, world: &mut World, typed: Typed, number: u32, manner: Manner) -> Played {
    let mut run = Run::new(typed, world.layout, FIRST_PID + 2 * number);
    run.mistake = manner.mistake;
    let mut played = Played::default();
    world.alive.extend(run.pids());
    world.forced |= is_force(typed.line);
    let mut peer_is_down = manner.peer_is_down;
    let mut call = 0;
    loop {
        let next = runner.next(&run);
        let asked = match next.as_ref() {
            Next::Ends(exit) => {
                played.exit = Some(*exit);
                break;
            }
            Next::Asks(asked) => {
                played.pairs |= asked.len() > 1;
                chosen(asked, manner.reversed).clone()
            }
        };
        played.trace.push(format!("  {call}. {}", asked.told()));
        let work = Work::new(asked.clone(), world.batches);
        let answer = if peer_is_down && asked.over_network {
            Some(work.unheard(Error::new(ErrorKind::Unreachable, "the machine is down")))
        } else {
            let due = manner.strike.filter(|strike| strike.call == call);
            peer_is_down |= due.is_some_and(|strike| strike.fault == Fault::PeerDies);
            carry_out(world, work, (call, due), manner, &mut played)
        };
        let Some(answer) = answer else { break };
        run.hear(&asked, answer);
        call += 1;
    }
    run.pids().iter().for_each(|pid| _ = world.alive.remove(pid));
    played.trace.push(format!("  ends with {:?}", played.exit));
    played
}

/// Whether a verb goes on without the other side.
pub fn is_force(line: Words) -> bool {
    line.contains(&"-L") || line.contains(&"--force")
}

fn chosen(asked: &[Asked], reversed: bool) -> &Asked {
    let last = asked
        .len()
        .checked_sub(1)
        .expect("a run that waits, waits for something");
    &asked[if reversed { last } else { 0 }]
}

/// Carries a call out, up to its fault if it has one. None if the caller is dead then.
fn carry_out(
    world: &mut World,
    mut work: Work,
    (call, due): (usize, Option<Strike>),
    manner: Manner,
    played: &mut Played,
) -> Option<super::call::Answer> {
    loop {
        let here = |fault| Strike {
            call,
            deeds: work.done(),
            fault,
        };
        let possible = Fault::ALL.into_iter().filter(|fault| work.can_be_struck(*fault));
        played.points.extend(possible.map(here));
        if let Some(strike) = due.filter(|strike| strike.deeds == work.done() && work.can_be_struck(strike.fault)) {
            played
                .trace
                .push(format!("     {:?} after {} deeds", strike.fault, strike.deeds));
            let answer = work.struck(world, strike.fault);
            look_after(world, false, manner, played);
            return answer;
        }
        if work.is_over() {
            return Some(work.answer());
        }
        let is_question = !work.changes();
        work.step(world);
        look_after(world, is_question, manner, played);
    }
}

/// Something may have changed. What a program writes then shows no less than what was there before.
fn look_after(world: &mut World, is_question: bool, manner: Manner, played: &mut Played) {
    let is_written = manner.busy && (world.write(0) | world.write(1));
    if is_written || !is_question {
        played.broken.extend(promises::at_every_step(world).err());
    }
}
