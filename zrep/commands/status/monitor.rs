//! `zrep status -m`: a check for monitoring, in the form that Nagios and its likes expect.

use std::time::Duration;

use serde_json::{Value, json};

use super::operands;
use crate::cli::StatusArgs;
use crate::exit::Exit;
use crate::model::Side;
use crate::plan::health::{self, Health, Judgement, Thresholds};
use crate::plan::pairing::link_of;
use crate::problem::Problem;
use crate::refusal::Refusal;
use crate::session::Session;
use crate::ui::{Ui, problem_json};
use zfs_ffi::DatasetName;

/// Judges each dataset. The first line is the worst of them, with the ages as numbers behind a bar; then comes one line for each.
pub(super) fn run(args: &StatusArgs, session: &Session) -> Exit {
    let thresholds = Thresholds {
        warning: args.warn.map(seconds),
        critical: args.crit.map(seconds),
    };
    let names = match operands(args, session) {
        Ok(names) => names,
        Err(problem) => return unknown(&session.ui, &problem),
    };
    let judged: Vec<(DatasetName, Judgement)> = names
        .into_iter()
        .map(|name| {
            let judgement = one(session, &name, thresholds).unwrap_or_else(|problem| cannot_tell(&problem));
            (name, judgement)
        })
        .collect();
    let worst = judged
        .iter()
        .map(|(_, judgement)| judgement.health)
        .max()
        .unwrap_or(Health::Ok);
    session.ui.say(&first_line(worst, &judged, thresholds));
    for (name, Judgement { health, reason, .. }) in &judged {
        session.ui.say(&format!("{health}: {name}: {reason}"));
    }
    let results: Vec<Value> = judged.iter().map(json_of).collect();
    let fields = json!({ "health": worst.word(), "results": results });
    session.ui.json("status", worst == Health::Ok, fields);
    Exit::Monitor(worst)
}

fn seconds(duration: Duration) -> u64 {
    duration.as_secs()
}

fn one(session: &Session, name: &DatasetName, thresholds: Thresholds) -> Result<Judgement, Problem> {
    let me = &session.settings.me;
    let state = session.require_with_marks(Side::Source, name)?;
    link_of(me, &state).map_err(|why| Refusal::source(name, why))?;
    let below = session.below_here(Side::Source, &state)?;
    Ok(health::of(me, &state, &below, thresholds, session.now()))
}

fn cannot_tell(problem: &Problem) -> Judgement {
    Judgement {
        health: Health::Unknown,
        reason: problem.told().telling.what,
        age: None,
    }
}

/// Nothing can be told of any dataset.
pub(in crate::commands) fn unknown(ui: &Ui, problem: &Problem) -> Exit {
    ui.say(&format!("ZREP {}: {problem}", Health::Unknown));
    let fields = json!({ "health": Health::Unknown.word(), "error": problem_json(problem), "results": [] });
    ui.json("status", false, fields);
    Exit::Monitor(Health::Unknown)
}

fn first_line(worst: Health, judged: &[(DatasetName, Judgement)], thresholds: Thresholds) -> String {
    let first = judged.iter().find(|(_, judgement)| judgement.health == worst);
    let count = judged.iter().filter(|(_, judgement)| judgement.health == worst).count();
    let summary = match (worst, first) {
        (_, None) => "no master on this host".to_owned(),
        (Health::Ok, Some(_)) => format!("{count} of {}", judged.len()),
        (Health::Unknown | Health::Warning | Health::Critical, Some((name, judgement))) => {
            format!("{count} of {}, first {name}: {}", judged.len(), judgement.reason)
        }
    };
    let numbers: Vec<String> = judged.iter().filter_map(|one| number(one, thresholds)).collect();
    match numbers.is_empty() {
        true => format!("ZREP {worst}: {summary}"),
        // N.B. the bar divides the words from the numbers.
        false => format!("ZREP {worst}: {} | {}", summary.replace('|', "/"), numbers.join(" ")),
    }
}

/// `'a/fs'=12s;600;3600`
fn number((name, judgement): &(DatasetName, Judgement), thresholds: Thresholds) -> Option<String> {
    let limit = |limit: Option<u64>| limit.map(|limit| limit.to_string()).unwrap_or_default();
    let (warning, critical) = (limit(thresholds.warning), limit(thresholds.critical));
    Some(format!("'{name}'={}s;{warning};{critical}", judgement.age?))
}

fn json_of((name, judgement): &(DatasetName, Judgement)) -> Value {
    json!({
        "dataset": name.as_str(),
        "ok": judgement.health == Health::Ok,
        "health": judgement.health.word(),
        "reason": judgement.reason,
        "seconds_ago": judgement.age,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(name: &str, health: Health, age: Option<u64>) -> (DatasetName, Judgement) {
        let reason = "because".to_owned();
        (DatasetName::new(name).unwrap(), Judgement { health, reason, age })
    }

    #[test]
    fn the_first_line_is_the_worst_and_has_all_numbers() {
        let thresholds = Thresholds {
            warning: Some(60),
            critical: None,
        };
        let two = [
            judged("a/x", Health::Ok, Some(3)),
            judged("a/a b", Health::Warning, Some(90)),
        ];
        for (worst, judged, line) in [
            (Health::Ok, &two[..0], "ZREP OK: no master on this host"),
            (Health::Ok, &two[..1], "ZREP OK: 1 of 1 | 'a/x'=3s;60;"),
            (
                Health::Warning,
                &two[..],
                "ZREP WARNING: 1 of 2, first a/a b: because | 'a/x'=3s;60; 'a/a b'=90s;60;",
            ),
        ] {
            assert_eq!(first_line(worst, judged, thresholds), line);
        }
    }
}
