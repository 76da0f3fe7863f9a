//! Two machines in memory that reach each other through the protocol.

// Each test program uses a part of this.
#![allow(dead_code, unreachable_pub)]

use std::io::{self, PipeReader, PipeWriter, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use clap::Parser;
use zfs_ffi::{DatasetName, SnapshotName};
use zrep::cli::Cli;
use zrep::commands;
use zrep::exit::Exit;
use zrep::host::fake::Fake;
use zrep::host::remote::line::{Carrier, Explained, Heard, Line};
use zrep::host::remote::{Dial, Remote};
use zrep::host::{Applied, BatchError, Carried, Error, ErrorKind, Received};
use zrep::hostname::HostName;
use zrep::model::{Guid, Kind, StreamFlags};
use zrep::peers;
use zrep::plan::lock::Seen;
use zrep::plan::{Action, Creation, IfHeld, Object, Transfer};
use zrep::policy::Policy;
use zrep::relay::Way;
use zrep::serve::Server;
use zrep::session::Session;
use zrep::settings::{Machine, Settings};
use zrep::ui::Ui;
use zrep::wire::frame::{Header, VERSION};
use zrep::wire::message::{Encoding, Hello, Receive, Reply, Request, Send, Welcome};

/// `alpha` has a source, `beta` a pool for targets.
pub struct Machines {
    pub alpha: Arc<Fake>,
    pub beta: Arc<Fake>,
    of_alpha: Policy,
    of_beta: Policy,
}

impl Machines {
    /// Each with its rules for the other one.
    pub fn new(of_alpha: Policy, of_beta: Policy) -> Self {
        let (alpha, beta) = (Arc::new(Fake::new(&["src"])), Arc::new(Fake::new(&["dst"])));
        alpha.create("src/a b", Kind::Filesystem);
        Self {
            alpha,
            beta,
            of_alpha,
            of_beta,
        }
    }

    pub fn paired() -> Self {
        let machines = Self::new(Policy::User, Policy::User);
        machines.alpha.write("src/a b", b"one");
        assert_eq!(
            machines.on_alpha(&["init", "src/a b", "beta", "dst/a copy"]),
            Exit::Success
        );
        machines.alpha.write("src/a b", b"two");
        machines
    }

    /// Types a command on alpha.
    pub fn on_alpha(&self, line: &[&str]) -> Exit {
        zrep("alpha", &self.alpha, ("beta", &self.beta, &self.of_beta), line)
    }

    /// Types a command on beta.
    pub fn on_beta(&self, line: &[&str]) -> Exit {
        zrep("beta", &self.beta, ("alpha", &self.alpha, &self.of_alpha), line)
    }
}

fn zrep(name: &str, host: &Arc<Fake>, peer: (&'static str, &Arc<Fake>, &Policy), line: &[&str]) -> Exit {
    let cli = Cli::try_parse_from(["zrep"].iter().chain(line)).unwrap();
    let session = Session {
        recursive: cli.recursive,
        ..Session::new(
            settings(name),
            Arc::clone(host) as Arc<dyn zrep::host::Host>,
            Ui::new(false),
        )
    };
    let (there, fake, policy) = peer;
    let dial = Inside {
        name: there,
        host: Arc::clone(fake),
        policy: policy.clone(),
    };
    let Request::Hello(hello) = hello() else { unreachable!() };
    let remote = Remote::new(Box::new(dial), hello, Way::PLAIN);
    let machine = peers::Machine {
        host: Arc::new(remote),
        name: there.into(),
    };
    session.peers.know(HostName::new(there).unwrap(), machine);
    commands::run(&cli.verb, &session)
}

fn settings(name: &str) -> Settings {
    let machine = Machine {
        nodename: name.into(),
        is_root: true,
    };
    let rundir = rundir(name);
    let variable = |name: &str| (name == "ZREP_RUNDIR").then(|| rundir.to_string_lossy().into_owned());
    Settings {
        patience: Duration::from_secs(1),
        ..Settings::new(None, &machine, variable).unwrap()
    }
}

fn rundir(name: &str) -> PathBuf {
    let name = format!("zrep-remote-{}-{:?}-{name}", std::process::id(), thread::current().id());
    let path = std::env::temp_dir().join(name.replace(['(', ')'], ""));
    std::fs::create_dir_all(&path).unwrap();
    path
}

pub fn hello() -> Request {
    Request::Hello(Hello {
        oldest: VERSION,
        newest: VERSION,
        zrep: "test".into(),
        host: "alpha".into(),
        tag: "zrep".into(),
        patience: 20,
    })
}

/// A server in a thread of this program.
#[derive(Debug)]
struct Inside {
    name: &'static str,
    host: Arc<Fake>,
    policy: Policy,
}

impl Dial for Inside {
    fn host(&self) -> &str {
        self.name
    }

    fn dial(&self) -> io::Result<Line> {
        let (input, out, server) = serve(self.name, &self.host, self.policy.clone())?;
        Ok(Line {
            input,
            out,
            carrier: Box::new(Thread(Some(server))),
        })
    }
}

fn serve(name: &str, host: &Arc<Fake>, policy: Policy) -> io::Result<(PipeReader, PipeWriter, JoinHandle<()>)> {
    let (their_input, out) = io::pipe()?;
    let (input, their_out) = io::pipe()?;
    let server = Server {
        host: Arc::clone(host) as Arc<dyn zrep::host::Host>,
        policy,
        settings: settings(name),
        zfs: "fake".into(),
    };
    let thread = thread::spawn(move || drop(server.run(their_input, their_out)));
    Ok((input, out, thread))
}

/// A server, and the two ends by which anybody can talk to it.
pub fn hostile(host: &Arc<Fake>, policy: Policy) -> (PipeReader, PipeWriter, JoinHandle<()>) {
    serve("beta", host, policy).unwrap()
}

#[derive(Debug)]
struct Thread(Option<JoinHandle<()>>);

impl Carrier for Thread {
    fn explained(&mut self) -> Explained {
        Explained {
            what: "the server ended".into(),
            help: String::new(),
            is_without_zrep: false,
        }
    }

    fn heard(&self) -> Arc<Mutex<Heard>> {
        Arc::new(Mutex::new(Heard {
            at: Instant::now(),
            bytes: 0,
        }))
    }

    fn hang_up(&mut self) {
        self.0.take();
    }

    fn alarm(&self) -> Box<dyn FnOnce() + std::marker::Send> {
        Box::new(|| {})
    }
}

fn snapshot(name: &str) -> SnapshotName {
    SnapshotName::new(name).unwrap()
}

fn dataset(name: &str) -> DatasetName {
    DatasetName::new(name).unwrap()
}

fn transfer(from: &str, into: &str) -> Transfer {
    Transfer {
        snapshot: snapshot(from),
        guid: Some(Guid(1)),
        base: None,
        into: snapshot(into),
        flags: StreamFlags::plain(),
        resume: None,
        creation: Some(Creation {
            received: Vec::new(),
            local: Vec::new(),
        }),
    }
}

fn receive(into: &str, before: Vec<Action>, filter: Option<&str>) -> Request {
    Request::Receive(Box::new(Receive {
        before,
        transfer: transfer("src/x@zrep_000000", into),
        after: Vec::new(),
        encoding: Encoding::Plain,
        filter: filter.map(str::to_owned),
    }))
}

fn set(on: &str, name: &str, value: &str) -> Request {
    Request::Apply(vec![Action::Set {
        on: Object::Dataset(dataset(on)),
        properties: vec![(name.into(), Some(value.into()))],
    }])
}

/// What a peer that may receive into `dst/a copy` may not ask.
pub fn forbidden() -> Vec<Request> {
    let destroy = |name: &str, if_held| Action::Destroy {
        snapshot: snapshot(name),
        guid: Guid(1),
        if_held,
    };
    vec![
        Request::Observe(dataset("dst/secret")),
        Request::Observe(dataset("dst/a copy2")),
        Request::SnapshotsSince(dataset("src"), 0),
        Request::LockSeen(dataset("dst/secret")),
        Request::Apply(vec![Action::Snapshot(snapshot("dst/a copy@zrep_000001"))]),
        Request::Apply(vec![destroy("dst/secret@zrep_000001", IfHeld::Keep)]),
        Request::Apply(vec![destroy("dst/a copy@daily", IfHeld::Keep)]),
        Request::Apply(vec![destroy("dst/a copy@zrep_000001", IfHeld::Fail)]),
        Request::Apply(vec![Action::Rollback(snapshot("dst/a copy@zrep_000001"))]),
        Request::Apply(vec![Action::Mount(dataset("dst/a copy"))]),
        Request::Apply(vec![Action::DestroyUnreceived(dataset("dst/secret"))]),
        set("dst/a copy", "mountpoint", "/"),
        set("dst/a copy", "readonly", "off"),
        set("dst/a copy", "zrep:master", "yes"),
        set("dst/secret", "zrep:lock-pid", "1"),
        receive("dst/secret@zrep_000000", Vec::new(), None),
        receive(
            "dst/a copy@zrep_000000",
            vec![destroy("dst/secret@x", IfHeld::Keep)],
            None,
        ),
        receive("dst/a copy@zrep_000000", Vec::new(), Some("touch /tmp/owned")),
        Request::Send(Box::new(Send {
            before: Vec::new(),
            transfer: transfer("dst/secret@zrep_000000", "src/x@zrep_000000"),
            encoding: Encoding::Plain,
            filter: None,
        })),
        Request::MayTurn(dataset("dst/a copy")),
        Request::Estimate(transfer("dst/a copy@zrep_000000", "src/x@zrep_000000")),
    ]
}

/// A message of each type, as it is on the wire.
pub fn messages() -> Vec<(u8, Vec<u8>)> {
    let mut requests = vec![
        hello(),
        Request::Settle("dst".into()),
        Request::WithProperty("zrep:master".into()),
        Request::Ping(),
    ];
    requests.extend(forbidden());
    let machines = Machines::paired();
    let state = machines
        .alpha
        .dump()
        .into_iter()
        .find(|state| !state.snapshots.is_empty())
        .unwrap();
    let denied = Error::new(ErrorKind::Denied, "no").with_hint("ask");
    let failed = BatchError {
        index: 1,
        begun: true,
        error: denied.clone(),
    };
    let created = Applied::Created {
        guid: Guid(7),
        createtxg: 8,
    };
    let received = Received {
        guid: Guid(9),
        bytes: 10,
        warnings: vec!["x".into()],
    };
    let replies = vec![
        Reply::Welcome(Welcome {
            version: 1,
            zrep: "test".into(),
            host: "beta".into(),
            pid: 1,
            zfs: "2.3".into(),
            features: vec!["chunks".into()],
        }),
        Reply::Snapshots(state.snapshots.clone()),
        Reply::Observed(Some(Box::new(state.clone()))),
        Reply::Observed(None),
        Reply::Done(),
        Reply::Names(vec![dataset("a/b c")]),
        Reply::Seen(Seen::Alive {
            command: Some("zrep".into()),
        }),
        Reply::Applied(Ok(vec![
            Applied::Done,
            created.clone(),
            Applied::Kept { reason: "held".into() },
        ])),
        Reply::Applied(Err(failed.clone())),
        Reply::Carried(Carried {
            before: Ok(vec![created]),
            received: Some(Ok(received)),
            after: Some(Err(failed)),
        }),
        Reply::Follows(Ok(Vec::new())),
        Reply::Sent(),
        Reply::Number(11),
        Reply::Failed(denied),
        Reply::Working(12),
        Reply::ObservedBelow(vec![state]),
    ];
    let below = Request::ObserveBelow(dataset("a/b c"));
    let requests = requests.iter().map(|request| (request.kind(), request.encode()));
    requests
        .chain(replies.iter().map(|reply| (reply.kind(), reply.encode())))
        .chain([(below.kind(), below.encode())])
        .collect()
}

/// An answer as it is on the wire.
pub fn reply(number: u32, reply: &Reply) -> Vec<u8> {
    let body = reply.encode();
    let header = Header {
        kind: reply.kind(),
        request: number,
        length: u32::try_from(body.len()).unwrap(),
    };
    [&header.encode()[..], &body].concat()
}

pub fn welcome() -> Reply {
    Reply::Welcome(Welcome {
        version: VERSION,
        zrep: "test".into(),
        host: "beta".into(),
        pid: 1,
        zfs: "2.3".into(),
        features: Vec::new(),
    })
}

/// A client whose server says just this, whatever it is asked, and then nothing more.
pub fn liar(bytes: &[u8]) -> Remote {
    let Request::Hello(hello) = hello() else { unreachable!() };
    Remote::new(
        Box::new(Liar(bytes.to_vec())),
        Hello { patience: 1, ..hello },
        Way::PLAIN,
    )
}

#[derive(Debug)]
struct Liar(Vec<u8>);

impl Dial for Liar {
    fn host(&self) -> &str {
        "beta"
    }

    fn dial(&self) -> io::Result<Line> {
        let (mut theirs, out) = io::pipe()?;
        let (input, mut their_out) = io::pipe()?;
        let lie = self.0.clone();
        let thread = thread::spawn(move || {
            let _ = their_out.write_all(&lie);
            // Its end stays open until the client has gone.
            let _ = io::copy(&mut theirs, &mut io::sink());
        });
        Ok(Line {
            input,
            out,
            carrier: Box::new(Thread(Some(thread))),
        })
    }
}

/// A machine behind a session of its own, for whoever may do there what its user may.
pub fn far(fake: &Arc<Fake>) -> Remote {
    let Request::Hello(hello) = hello() else { unreachable!() };
    let dial = Inside {
        name: "beta",
        host: Arc::clone(fake),
        policy: Policy::User,
    };
    Remote::new(Box::new(dial), hello, Way::PLAIN)
}
