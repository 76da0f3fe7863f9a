//! What one sync costs, against what it cannot cost less than.
//!
//! Needs root, and pools `src` and `dst`: run it with `vm-tests/lab bench`. The *bare floor* is lzc_snapshot, and lzc_send into
//! lzc_receive, in one process: no marks, no locks, no expiry. Each contender has a filesystem of its own, of which one small file
//! changes before each sync, outside the measurement.
//!
//! Criterion tells the times. The table behind them is measured in turns, one sync of each contender after the other, so that its
//! ratios hold when the machine's speed drifts.

use std::fs;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode};
use zfs_ffi::{BeginRecord, Core, DatasetName, HistoryPoint, NvList, ReceiveOptions, SendFlags, SendOptions};
use zrep::cli::SyncArgs;
use zrep::host::local::Local;
use zrep::os;
use zrep::run::Loop;
use zrep::session::Session;
use zrep::settings::Settings;
use zrep::ui::Ui;

/// How many syncs of each contender the table is made of.
const TURNS: usize = 21;

/// Something that can sync one filesystem again and again.
struct Contender<'a> {
    name: &'static str,
    dataset: &'static str,
    sync: Box<dyn FnMut() + 'a>,
    changes: u64,
}

impl Contender<'_> {
    /// Changes a small file, and times the sync of it.
    fn turn(&mut self) -> Duration {
        self.changes += 1;
        fs::write(format!("/{}/file", self.dataset), format!("change {}\n", self.changes))
            .expect("a mounted filesystem");
        let begun = Instant::now();
        (self.sync)();
        begun.elapsed()
    }
}

fn main() {
    if std::env::args().all(|argument| argument != "--bench") {
        // `cargo test` builds and starts benches, too.
        println!("skipped: this is measured by `vm-tests/lab bench`");
        return;
    }
    let settings = Settings::new(None, &os::machine(), |_| None).expect("default settings");
    let session = Session::new(settings, Arc::new(Local::open().expect("ZFS")), Ui::new(false));
    let args = loop_args("src/loop");
    let mut rounds = Loop::new(&session, &args, Duration::ZERO);
    {
        let mut contenders = vec![bare_floor(), one_shot(), loop_round(&mut rounds), command_line()];
        contenders.push(failover("zrep failover, 1 MiB", "turn", 1 << 20));
        contenders.push(failover("zrep failover, 1 TiB sparse", "huge", 1 << 40));
        contenders.extend(std::env::var("ZREP_SHELL").ok().map(shell_zrep));
        measure(&mut contenders);
        print_table(&mut contenders);
    }
    let _ = rounds.leave();
}

fn measure(contenders: &mut [Contender<'_>]) {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("sync");
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    group
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(5));
    for contender in contenders {
        group.bench_function(contender.name, |bencher| {
            bencher.iter_custom(|times| (0..times).map(|_| contender.turn()).sum());
        });
    }
    group.finish();
}

fn print_table(contenders: &mut [Contender<'_>]) {
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); contenders.len()];
    for _ in 0..TURNS {
        for (contender, times) in contenders.iter_mut().zip(&mut times) {
            times.push(contender.turn());
        }
    }
    println!("\nmedian of {TURNS} turns; the ratios are medians of the ratios turn by turn");
    println!("{:<28} {:>10} {:>16}", "one sync", "ms", "of the bare floor");
    for (contender, own) in contenders.iter().zip(&times) {
        let ratios = own
            .iter()
            .zip(&times[0])
            .map(|(own, floor)| own.as_secs_f64() / floor.as_secs_f64());
        let milliseconds = own.iter().map(|time| time.as_secs_f64() * 1000.0);
        println!(
            "{:<28} {:>10.1} {:>16.2}",
            contender.name,
            median(milliseconds),
            median(ratios)
        );
    }
    let row = |name: &str| {
        contenders
            .iter()
            .position(|contender| contender.name == name)
            .map(|index| &times[index])
    };
    if let (Some(command_line), Some(round)) = (row("zfs command line"), row("zrep, a round of the loop")) {
        let faster = command_line
            .iter()
            .zip(round)
            .map(|(slow, fast)| slow.as_secs_f64() / fast.as_secs_f64());
        println!(
            "the loop is {:.2} times as fast as the zfs command line",
            median(faster)
        );
    }
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = numbers.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn bare_floor() -> Contender<'static> {
    zfs(&["create", "src/floor"]);
    let core = Core::open().expect("ZFS");
    let source = DatasetName::new("src/floor").expect("a name");
    let target = DatasetName::new("dst/floor").expect("a name");
    let mut number = 0;
    bare_sync(&core, &source, &target, number, Some("readonly"));
    let sync = move || {
        number += 1;
        bare_sync(&core, &source, &target, number, None);
    };
    Contender {
        name: "bare floor",
        dataset: "src/floor",
        sync: Box::new(sync),
        changes: 0,
    }
}

/// Snapshot `number`, incremental from the one before if there is one.
fn bare_sync(core: &Core, source: &DatasetName, target: &DatasetName, number: u32, create_with: Option<&str>) {
    let name = |dataset: &DatasetName, number: u32| dataset.snapshot(&format!("floor_{number}")).expect("a name");
    let snapshot = name(source, number);
    core.snapshot(std::slice::from_ref(&snapshot), &[]).expect("a snapshot");
    let from = number
        .checked_sub(1)
        .map(|before| HistoryPoint::Snapshot(name(source, before)));
    let flags = SendFlags::LARGE_BLOCK.union(SendFlags::COMPRESS);
    let options = SendOptions {
        from,
        flags,
        resume: None,
    };
    let mut overrides = NvList::new();
    if let Some(property) = create_with {
        overrides.add(property, 1_u64).expect("a property");
    }
    let (input, out) = os::stream_pipe().expect("a pipe");
    std::thread::scope(|scope| {
        scope.spawn(move || core.send(&snapshot, &options, out.as_fd()).expect("a stream"));
        let begin = BeginRecord::read_fd(input.as_fd()).expect("a begin record");
        let options = ReceiveOptions {
            resumable: true,
            overrides,
            ..ReceiveOptions::default()
        };
        let _ = core
            .receive(&name(target, number), &begin, &options, input.as_fd())
            .expect("a snapshot");
    });
}

fn one_shot() -> Contender<'static> {
    pair("src/once", "dst/once");
    let sync = || run(Command::new("zrep").args(["sync", "src/once"]));
    Contender {
        name: "zrep sync, one-shot",
        dataset: "src/once",
        sync: Box::new(sync),
        changes: 0,
    }
}

fn loop_round<'a>(rounds: &'a mut Loop<'_>) -> Contender<'a> {
    pair("src/loop", "dst/loop");
    let sync = || assert_eq!(rounds.round(), zrep::exit::Exit::Success);
    Contender {
        name: "zrep, a round of the loop",
        dataset: "src/loop",
        sync: Box::new(sync),
        changes: 0,
    }
}

fn loop_args(dataset: &str) -> SyncArgs {
    SyncArgs {
        datasets: vec![dataset.to_owned()],
        every: Some(Duration::ZERO),
        ..SyncArgs::default()
    }
}

fn command_line() -> Contender<'static> {
    zfs(&["create", "src/cli"]);
    zfs(&["snapshot", "src/cli@cli_0"]);
    run(Command::new("sh").args(["-c", "zfs send -Lc src/cli@cli_0 | zfs recv -u -o readonly=on dst/cli"]));
    let mut number = 0;
    let sync = move || {
        let before = number;
        number += 1;
        let script = format!(
            "zfs snapshot src/cli@cli_{number} && zfs send -Lc -i @cli_{before} src/cli@cli_{number} | zfs recv -u dst/cli && \
             zfs set zrep:sent=1 dst/cli@cli_{number} && zfs set zrep:sent=1 src/cli@cli_{number}"
        );
        run(Command::new("sh").args(["-c", &script]));
    };
    Contender {
        name: "zfs command line",
        dataset: "src/cli",
        sync: Box::new(sync),
        changes: 0,
    }
}

fn shell_zrep(path: String) -> Contender<'static> {
    zfs(&["create", "src/shell"]);
    run(Command::new(&path)
        .args(["init", "src/shell", "localhost", "dst/shell"])
        .env("ZREP_PATH", &path));
    let sync = move || run(Command::new(&path).args(["sync", "src/shell"]).env("ZREP_PATH", &path));
    Contender {
        name: "shell zrep sync",
        dataset: "src/shell",
        sync: Box::new(sync),
        changes: 0,
    }
}

/// Turns an idle pair round, there and back.
fn failover(name: &'static str, dataset: &str, logical: u64) -> Contender<'static> {
    let (mut master, mut replica) = (format!("src/{dataset}"), format!("dst/{dataset}"));
    pair(&master, &replica);
    let file = fs::File::create(format!("/{master}/large")).expect("a mounted filesystem");
    file.set_len(logical).expect("a sparse file");
    run(Command::new("zrep").args(["sync", &master]));
    let sync = move || {
        run(Command::new("zrep").args(["failover", &master]));
        std::mem::swap(&mut master, &mut replica);
    };
    Contender {
        name,
        // What changes is elsewhere.
        dataset: "src",
        sync: Box::new(sync),
        changes: 0,
    }
}

fn pair(source: &str, target: &str) {
    zfs(&["create", source]);
    run(Command::new("zrep").args(["init", source, "localhost", target]));
}

fn zfs(args: &[&str]) {
    run(Command::new("zfs").args(args));
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("a program that starts");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
