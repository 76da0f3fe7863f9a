//! Which power is cut, during which verb, and when in it: pure, and all from the seed.

use std::fmt;

use crate::cases::chance::Chance;

/// The verb during which the power is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// `failover` on the master.
    Failover,
    /// `takeover` on the replica, with the master in reach.
    Takeover,
    /// `takeover -L` on the replica, with the cable pulled.
    Forced,
    /// `rejoin` on a master that was superseded by a forced takeover.
    Rejoin,
    /// `failover --abort` on a master whose failover was killed.
    Abort,
}

impl Verb {
    pub const ALL: [Self; 5] = [Self::Failover, Self::Takeover, Self::Forced, Self::Rejoin, Self::Abort];

    /// Whether the old master is expected to lose nothing by it.
    pub fn is_planned(self) -> bool {
        match self {
            Self::Failover | Self::Takeover | Self::Abort => true,
            Self::Forced | Self::Rejoin => false,
        }
    }

    /// The verb that takes as long, if another one does: a takeover is a failover that is asked for from the other side.
    pub fn timed_as(self) -> Self {
        match self {
            Self::Failover | Self::Takeover => Self::Failover,
            Self::Forced | Self::Rejoin | Self::Abort => self,
        }
    }

    /// Looks a verb up by its name; the error lists the names there are.
    pub fn by_name(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|verb| verb.to_string() == name)
            .ok_or_else(|| {
                let known = Self::ALL.map(|verb| verb.to_string());
                format!("there are: {}", known.join(", "))
            })
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Failover => "failover",
            Self::Takeover => "takeover",
            Self::Forced => "takeover -L",
            Self::Rejoin => "rejoin",
            Self::Abort => "failover --abort",
        })
    }
}

/// Whose power is cut. Roles are those before the verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    Master,
    Replica,
    Both,
}

impl Victim {
    const ALL: [Self; 3] = [Self::Master, Self::Replica, Self::Both];

    pub fn is_master(self) -> bool {
        match self {
            Self::Master | Self::Both => true,
            Self::Replica => false,
        }
    }

    pub fn is_replica(self) -> bool {
        match self {
            Self::Replica | Self::Both => true,
            Self::Master => false,
        }
    }
}

/// One power cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cut {
    pub number: usize,
    pub verb: Verb,
    pub victim: Victim,
    /// When: the part of the verb's usual time that has passed.
    pub at: f64,
    /// Of all that is left to chance in it, so that it is the same without those before it.
    pub seed: u64,
}

/// The round in which verbs take turns. Its first eight are what a short run is made of: what is planned, what is
/// forced, and the way back from that, each with about every victim.
const ROUND: [Verb; 12] = [
    Verb::Failover,
    Verb::Forced,
    Verb::Rejoin,
    Verb::Failover,
    Verb::Forced,
    Verb::Rejoin,
    Verb::Failover,
    Verb::Forced,
    Verb::Takeover,
    Verb::Rejoin,
    Verb::Abort,
    Verb::Takeover,
];

/// The last part of a verb's time lies a bit behind its usual end.
const LONGEST: f64 = 1.1;

/// The cuts of a run, in the midst of these verbs. Those of one verb lie in equal parts of its time, one in each, so
/// that many cuts hit every step; victims take turns.
pub fn cuts(count: usize, of: &[Verb], seed: u64) -> Vec<Cut> {
    let mut chance = Chance::seeded(seed);
    let round: Vec<Verb> = ROUND.into_iter().filter(|verb| of.contains(verb)).collect();
    let verbs: Vec<Verb> = round.into_iter().cycle().take(count).collect();
    let mut cuts = Vec::new();
    for verb in Verb::ALL {
        let numbers: Vec<usize> = (0..count).filter(|at| verbs[*at] == verb).collect();
        let mut parts: Vec<usize> = (0..numbers.len()).collect();
        shuffle(&mut parts, &mut chance);
        let first = chance.index(Victim::ALL.len());
        for (turn, (number, part)) in numbers.iter().zip(&parts).enumerate() {
            cuts.push(Cut {
                number: number + 1,
                verb,
                victim: Victim::ALL[(first + turn) % Victim::ALL.len()],
                at: within(*part, parts.len(), &mut chance),
                seed: chance.below(u64::MAX),
            });
        }
    }
    cuts.sort_by_key(|cut| cut.number);
    cuts
}

/// A moment in one of so many equal parts.
fn within(part: usize, parts: usize, chance: &mut Chance) -> f64 {
    let moment = chance.below(1000) as f64 / 1000.0;
    LONGEST * (part as f64 + moment) / parts as f64
}

fn shuffle<T>(list: &mut [T], chance: &mut Chance) {
    for at in (1..list.len()).rev() {
        list.swap(at, chance.index(at + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_cuts_again_and_another_one_others() {
        assert_eq!(cuts(60, &Verb::ALL, 7), cuts(60, &Verb::ALL, 7));
        assert_ne!(cuts(60, &Verb::ALL, 7), cuts(60, &Verb::ALL, 8));
    }

    #[test]
    fn eight_cuts_are_of_every_victim_in_each_kind_of_change() {
        for seed in 0..100 {
            let cuts = cuts(8, &Verb::ALL, seed);
            assert!(cuts.iter().map(|cut| cut.number).eq(1..=8));
            let victims = |verb| {
                let of_verb = |victim: &Victim| cuts.iter().any(|cut| (cut.verb, cut.victim) == (verb, *victim));
                Victim::ALL.iter().filter(|victim| of_verb(victim)).count()
            };
            let found = [Verb::Failover, Verb::Forced, Verb::Rejoin].map(victims);
            assert_eq!(found, [3, 3, 2]);
        }
    }

    #[test]
    fn sixty_cuts_have_every_verb() {
        let cuts = cuts(60, &Verb::ALL, 1);
        let count = |verb| cuts.iter().filter(|cut| cut.verb == verb).count();
        assert_eq!(Verb::ALL.map(count), [15, 10, 15, 15, 5]);
    }

    #[test]
    fn the_cuts_of_a_verb_lie_in_all_parts_of_its_time() {
        let mut moments: Vec<f64> = cuts(80, &Verb::ALL, 1)
            .iter()
            .filter(|cut| cut.verb == Verb::Failover)
            .map(|cut| cut.at)
            .collect();
        moments.sort_by(f64::total_cmp);
        assert_eq!(moments.len(), 21);
        for (part, moment) in moments.iter().enumerate() {
            let from = LONGEST * part as f64 / 21.0;
            assert!((from..from + LONGEST / 21.0 + 1e-9).contains(moment));
        }
    }

    #[test]
    fn victims_take_turns() {
        let cuts = cuts(60, &Verb::ALL, 3);
        for victim in Victim::ALL {
            let hit = cuts.iter().filter(|cut| cut.victim == victim).count();
            assert!((15..=25).contains(&hit), "{victim:?}: {hit}");
        }
    }
}
