//! Two machines, each a fake ZFS, and between them the real protocol: client, wire and server.

mod support;

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use support::{Machines, hostile};
use zfs_ffi::{DatasetName, SnapshotName};
use zrep::exit::Exit;
use zrep::host::fake::Fake;
use zrep::host::{ErrorKind, Host};
use zrep::model::State;
use zrep::plan::{Action, Object};
use zrep::policy::{Grant, Policy};
use zrep::wire::channel::Channel;
use zrep::wire::frame::{HEADER, Header, LONGEST_ANSWER, LONGEST_REQUEST};
use zrep::wire::message::{Reply, Request};

const SOURCE: &str = "src/a b";
const TARGET: &str = "dst/a copy";

fn only(rules: &[&str]) -> Policy {
    let grants = rules.iter().map(|text| Grant::parse(text).unwrap()).collect();
    Policy::Only {
        source: "--allow".into(),
        grants,
    }
}

fn prop(states: &[State], dataset: &str, name: &str) -> Option<String> {
    let state = states.iter().find(|state| state.name.as_str() == dataset).unwrap();
    state.user.get(name).map(|setting| setting.value.clone())
}

#[test]
fn a_pairing_lives_on_two_machines() {
    let machines = Machines::new(Policy::User, Policy::User);
    machines.alpha.write(SOURCE, b"one");
    assert_eq!(machines.on_alpha(&["init", SOURCE, "beta", TARGET]), Exit::Success);
    machines.alpha.write(SOURCE, b"two");
    assert_eq!(machines.on_alpha(&["sync", SOURCE]), Exit::Success);
    assert_eq!(machines.beta.read(TARGET), machines.alpha.read(SOURCE));
    machines.alpha.write(SOURCE, b"three");
    assert_eq!(machines.on_beta(&["refresh", TARGET]), Exit::Success);
    assert_eq!(machines.beta.read(TARGET).unwrap(), b"onetwothree");
}

#[test]
fn roles_are_turned_from_either_side() {
    let machines = Machines::paired();
    assert_eq!(machines.on_alpha(&["failover", SOURCE]), Exit::Success);
    let (alpha, beta) = (machines.alpha.dump(), machines.beta.dump());
    assert_eq!(prop(&beta, TARGET, "zrep:master").as_deref(), Some("yes"));
    assert_eq!(prop(&alpha, SOURCE, "zrep:master"), None);
    for (states, dataset) in [(&alpha, SOURCE), (&beta, TARGET)] {
        let ends = ["src-host", "src-fs", "dest-host", "dest-fs"]
            .map(|key| prop(states, dataset, &format!("zrep:{key}")).unwrap());
        assert_eq!(ends, ["beta", TARGET, "alpha", SOURCE], "{dataset}");
    }
    machines.beta.write(TARGET, b"back");
    assert_eq!(machines.on_beta(&["sync", TARGET]), Exit::Success);
    assert_eq!(machines.alpha.read(SOURCE), machines.beta.read(TARGET));
    assert_eq!(machines.on_alpha(&["takeover", SOURCE]), Exit::Success);
    assert_eq!(
        prop(&machines.alpha.dump(), SOURCE, "zrep:master").as_deref(),
        Some("yes")
    );
    assert_eq!(prop(&machines.beta.dump(), TARGET, "zrep:master"), None);
}

#[test]
fn both_may_have_the_same_name() {
    let machines = Machines::new(Policy::User, Policy::User);
    machines.beta.create("src", zrep::model::Kind::Filesystem);
    for _ in 0..2 {
        let begin = if machines.alpha.dump().iter().all(|state| state.snapshots.is_empty()) {
            "init"
        } else {
            "sync"
        };
        let line: &[&str] = if begin == "init" {
            &["init", SOURCE, "beta", SOURCE]
        } else {
            &["sync", SOURCE]
        };
        assert_eq!(machines.on_alpha(line), Exit::Success);
        machines.alpha.write(SOURCE, b"more");
    }
    assert_eq!(machines.on_alpha(&["failover", SOURCE]), Exit::Success);
    assert_eq!(machines.on_beta(&["sync", SOURCE]), Exit::Success);
    assert_eq!(machines.on_beta(&["failover", SOURCE]), Exit::Success);
    assert_eq!(machines.on_alpha(&["sync", SOURCE]), Exit::Success);
}

#[test]
fn the_halves_of_a_sync_make_a_whole() {
    let machines = Machines::paired();
    assert_eq!(machines.on_alpha(&["uptodate", SOURCE]), Exit::Failure);
    assert_eq!(machines.on_alpha(&["snaponly", SOURCE]), Exit::Success);
    machines.alpha.write(SOURCE, b"three");
    assert_eq!(machines.on_alpha(&["synconly", "all"]), Exit::Success);
    assert_eq!(machines.beta.read(TARGET).unwrap(), b"onetwo");
    let before = machines.beta.dump();
    assert_eq!(machines.on_alpha(&["synconly", SOURCE]), Exit::Success);
    assert_eq!(machines.beta.dump(), before);
    assert_eq!(machines.on_alpha(&["sync", SOURCE]), Exit::Success);
    assert_eq!(machines.on_alpha(&["uptodate", SOURCE]), Exit::Success);
    assert_eq!(machines.on_beta(&["uptodate", TARGET]), Exit::Success);
    assert_eq!(machines.on_beta(&["snaponly", TARGET]), Exit::Failure);
}

#[test]
fn a_target_goes_back_and_comes_forward_again() {
    let machines = Machines::paired();
    for _ in 0..2 {
        assert_eq!(machines.on_alpha(&["sync", SOURCE]), Exit::Success);
        machines.alpha.write(SOURCE, b"more");
    }
    let back = ["sync", "src/a b@zrep_000000"];
    assert_eq!(machines.on_alpha(&back), Exit::Success);
    assert_eq!(machines.beta.read(TARGET).unwrap(), b"one");
    let marked = |fake: &Fake| {
        let states = fake.dump();
        let source = states.into_iter().find(|state| state.name.as_str() == SOURCE).unwrap();
        let marked = source
            .snapshots
            .into_iter()
            .filter(|snapshot| !snapshot.user.is_empty());
        marked.map(|snapshot| snapshot.name).collect::<Vec<_>>()
    };
    assert_eq!(marked(&machines.alpha), ["zrep_000000"]);
    assert_eq!(machines.on_alpha(&["sync", SOURCE]), Exit::Success);
    assert_eq!(machines.beta.read(TARGET), machines.alpha.read(SOURCE));

    let mine = SnapshotName::new("dst/a copy@mine").unwrap();
    machines.beta.apply(&[Action::Snapshot(mine)]).unwrap();
    let before = machines.beta.dump();
    assert_eq!(machines.on_alpha(&back), Exit::Failure, "what only the target has");
    assert_eq!(machines.beta.dump(), before);
    assert_eq!(machines.on_alpha(&["sync", "-f", back[1]]), Exit::Success);
    assert_eq!(machines.beta.read(TARGET).unwrap(), b"one");
}

#[test]
fn a_master_steps_down_without_its_target_which_takes_over_later() {
    let machines = Machines::paired();
    let before = machines.alpha.dump();
    assert_eq!(
        machines.on_alpha(&["failover", "-L", SOURCE]),
        Exit::Failure,
        "it was written to"
    );
    assert_eq!(machines.alpha.dump(), before);
    assert_eq!(
        machines.on_alpha(&["failover", "-L", "-f", SOURCE, "beta.example.com"]),
        Exit::Success
    );
    assert_eq!(machines.alpha.read(SOURCE).unwrap(), b"one");
    let alpha = machines.alpha.dump();
    assert_eq!(prop(&alpha, SOURCE, "zrep:master"), None);
    assert_eq!(
        prop(&alpha, SOURCE, "zrep:src-host").as_deref(),
        Some("beta.example.com")
    );
    assert_eq!(machines.on_beta(&["takeover", "-L", TARGET]), Exit::Success);
    machines.beta.write(TARGET, b"two, anew");
    assert_eq!(machines.on_beta(&["sync", TARGET]), Exit::Success);
    assert_eq!(machines.alpha.read(SOURCE).unwrap(), b"onetwo, anew");
}

#[test]
fn a_failover_by_another_name_of_the_target_notes_that_name() {
    let machines = Machines::paired();
    let renamed = Action::Set {
        on: Object::Dataset(DatasetName::new(SOURCE).unwrap()),
        properties: vec![("zrep:dest-host".into(), Some("gone.example.com".into()))],
    };
    machines.alpha.apply(&[renamed]).unwrap();
    assert_eq!(machines.on_alpha(&["failover", SOURCE, "beta"]), Exit::Success);
    let alpha = machines.alpha.dump();
    assert_eq!(prop(&alpha, SOURCE, "zrep:src-host").as_deref(), Some("beta"));
    assert_eq!(
        prop(&machines.beta.dump(), TARGET, "zrep:master").as_deref(),
        Some("yes")
    );
}

#[test]
fn a_pairing_can_be_forgotten_and_told_anew() {
    let machines = Machines::paired();
    for line in [&["clear", SOURCE][..], &["sentsync", "src/a b@zrep_000000", "-n"]] {
        let before = machines.alpha.dump();
        let _ = machines.on_alpha(line);
        assert_eq!(machines.alpha.dump(), before, "{line:?}");
    }
    let keep = |fake: &Fake, dataset: &str, short: &str| {
        let name = SnapshotName::new(&format!("{dataset}@{short}")).unwrap();
        fake.apply(&[Action::Snapshot(name)]).unwrap();
    };
    assert_eq!(machines.on_alpha(&["sync", SOURCE]), Exit::Success);
    let forget = |on: &Fake, dataset: &str| {
        let properties = ["src-fs", "src-host", "dest-fs", "dest-host", "master", "savecount"];
        let properties = properties.map(|key| (format!("zrep:{key}"), None)).to_vec();
        let on_dataset = Object::Dataset(DatasetName::new(dataset).unwrap());
        on.apply(&[Action::Set {
            on: on_dataset,
            properties,
        }])
        .unwrap();
    };
    forget(&machines.alpha, SOURCE);
    forget(&machines.beta, TARGET);
    machines.alpha.write(SOURCE, b"three");
    assert_eq!(
        machines.on_alpha(&["changeconfig", SOURCE, "beta", TARGET]),
        Exit::Success
    );
    assert_eq!(
        machines.on_beta(&["changeconfig", "-d", TARGET, "alpha", SOURCE]),
        Exit::Success
    );
    assert_eq!(
        machines.on_alpha(&["sync", SOURCE]),
        Exit::Failure,
        "nobody is the master"
    );
    assert_eq!(machines.on_alpha(&["sentsync", "src/a b@zrep_000001"]), Exit::Success);
    assert_eq!(machines.on_alpha(&["sync", SOURCE]), Exit::Success);
    assert_eq!(machines.beta.read(TARGET), machines.alpha.read(SOURCE));

    keep(&machines.alpha, SOURCE, "daily");
    assert_eq!(machines.on_alpha(&["clear", "-f", SOURCE]), Exit::Success);
    let states = machines.alpha.dump();
    let source = states.iter().find(|state| state.name.as_str() == SOURCE).unwrap();
    let left: Vec<&str> = source.snapshots.iter().map(|snapshot| snapshot.name.as_str()).collect();
    assert_eq!(left, ["daily"]);
    assert_eq!(prop(&states, SOURCE, "zrep:master"), None);
}

#[test]
fn what_has_arrived_is_marked_by_who_fetched_it() {
    let machines = Machines::paired();
    assert_eq!(machines.on_alpha(&["snaponly", SOURCE]), Exit::Success);
    assert_eq!(
        machines.on_alpha(&["_refreshcomplete", "src/a b@zrep_000001", "zrep:master=no"]),
        Exit::Failure
    );
    assert_eq!(
        machines.on_alpha(&["_refreshcomplete", "src/a b@zrep_000001", "zrep:sent=7"]),
        Exit::Success
    );
    let states = machines.alpha.dump();
    let source = states.iter().find(|state| state.name.as_str() == SOURCE).unwrap();
    assert_eq!(source.snapshots[1].user["zrep:sent"], "7");
    assert_eq!(
        machines.on_beta(&["_refreshcomplete", "dst/a copy@zrep_000000", "zrep:sent=7"]),
        Exit::Failure
    );
}

#[test]
fn receiving_takes_no_other_right() {
    let machines = Machines::new(only(&[]), only(&["dst/a copy:receive"]));
    assert_eq!(machines.on_alpha(&["init", SOURCE, "beta", TARGET]), Exit::Success);
    for _ in 0..8 {
        machines.alpha.write(SOURCE, b"x");
        assert_eq!(machines.on_alpha(&["sync", SOURCE]), Exit::Success);
    }
    assert_eq!(machines.beta.read(TARGET), machines.alpha.read(SOURCE));
    let kept = machines
        .beta
        .dump()
        .into_iter()
        .find(|state| state.name.as_str() == TARGET)
        .unwrap();
    assert_eq!(
        kept.snapshots.len(),
        5,
        "what the target's own count gives up has expired"
    );
    let before = machines.beta.dump();
    assert_eq!(machines.on_alpha(&["failover", SOURCE]), Exit::Failure);
    assert_eq!(machines.on_alpha(&["init", SOURCE, "beta", "dst/other"]), Exit::Failure);
    assert_eq!(prop(&machines.beta.dump(), TARGET, "zrep:master"), None);
    let source = machines
        .alpha
        .dump()
        .into_iter()
        .find(|state| state.name.as_str() == SOURCE)
        .unwrap();
    assert!(!source.readonly, "the refusal comes before the source stops");
    assert_eq!(before.len(), machines.beta.dump().len());
    assert_eq!(
        machines.on_alpha(&["sync", SOURCE]),
        Exit::Success,
        "a refused failover is undone"
    );
}

#[test]
fn a_key_without_rules_opens_nothing() {
    let machines = Machines::new(only(&[]), only(&[]));
    let before = machines.beta.dump();
    assert_eq!(machines.on_alpha(&["init", SOURCE, "beta", TARGET]), Exit::Failure);
    assert_eq!(machines.beta.dump(), before);
}

/// Says something to a server that allows `dst/a copy`, and tells what it answered to that.
fn said(bytes: &[u8]) -> (Vec<Reply>, Vec<State>, Vec<State>) {
    let beta = Arc::new(Fake::new(&["src", "dst"]));
    beta.create("dst/secret", zrep::model::Kind::Filesystem);
    let before = beta.dump();
    let (input, mut out, server) = hostile(&beta, only(&["dst/a copy:receive"]));
    let _ = out.write_all(bytes);
    let mut channel = Channel::new(input, out.try_clone().unwrap(), Duration::from_secs(5), LONGEST_ANSWER);
    drop(out);
    let mut replies = Vec::new();
    // Its own end of the pipe is closed with the channel only, so the server is asked for an end by rubbish.
    let _ = channel.way_out().unwrap().write_all(&[0; HEADER]);
    while let Ok((header, body)) = channel.frame() {
        replies.push(Reply::decode(header.kind, &body).unwrap());
    }
    server.join().unwrap();
    (replies, before, beta.dump())
}

fn frame(request: &Request) -> Vec<u8> {
    let body = request.encode();
    let header = Header {
        kind: request.kind(),
        request: 1,
        length: u32::try_from(body.len()).unwrap(),
    };
    [&header.encode()[..], &body].concat()
}

#[test]
fn rubbish_ends_the_session_and_changes_nothing() {
    let long = Header {
        kind: 1,
        request: 1,
        length: LONGEST_REQUEST + 1,
    }
    .encode();
    let cut = &frame(&support::hello())[..20];
    for bytes in [
        &b"GET / HTTP/1.0\r\n\r\n"[..],
        &[0; 4096],
        &[0xff; 4096],
        &long,
        cut,
        &frame(&Request::Ping()),
    ] {
        let (replies, before, after) = said(bytes);
        assert!(replies.is_empty(), "{replies:?}");
        assert_eq!(before, after);
    }
}

#[test]
fn what_is_not_allowed_is_refused_by_name() {
    for request in support::forbidden() {
        let (replies, before, after) = said(&[frame(&support::hello()), frame(&request)].concat());
        let refused = match replies.get(1) {
            Some(Reply::Failed(error)) => error.clone(),
            Some(Reply::Applied(Err(failed))) => failed.error.clone(),
            other => panic!("{request:?}: {other:?}"),
        };
        assert!(refused.hint.is_some(), "{refused:?}");
        assert_eq!(before, after, "{request:?}");
    }
}

#[test]
fn a_server_that_lies_is_hung_up_on() {
    let name = DatasetName::new("dst/a").unwrap();
    let welcome = support::reply(0, &support::welcome());
    let long = Header {
        kind: 0x82,
        request: 1,
        length: LONGEST_ANSWER + 1,
    }
    .encode()
    .to_vec();
    let after_welcome = |rest: Vec<u8>| [welcome.clone(), rest].concat();
    for (lie, kind) in [
        (Vec::new(), ErrorKind::Unreachable),
        (b"Welcome to beta, have a nice day!\n".to_vec(), ErrorKind::Unreachable),
        (vec![0; 4096], ErrorKind::Unreachable),
        (support::reply(7, &support::welcome()), ErrorKind::Unreachable),
        (support::reply(0, &Reply::Done()), ErrorKind::Unreachable),
        (after_welcome(Vec::new()), ErrorKind::Lost),
        (after_welcome(long), ErrorKind::Lost),
        (
            after_welcome(support::reply(9, &Reply::Observed(None))),
            ErrorKind::Lost,
        ),
        (after_welcome(support::reply(1, &Reply::Sent())), ErrorKind::Lost),
        (
            after_welcome(support::reply(1, &Reply::Observed(None))[..10].to_vec()),
            ErrorKind::Lost,
        ),
    ] {
        let begun = Instant::now();
        let error = support::liar(&lie).observe(&name).unwrap_err();
        assert_eq!(error.kind, kind, "{lie:?}: {error}");
        assert!(error.text.contains("beta"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(30), "{lie:?}");
    }
}
