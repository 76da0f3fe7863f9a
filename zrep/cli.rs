//! The command line, and nothing else.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::hostname::HostName;

mod halves;
mod look;
mod repair;
mod secret;

pub use halves::{SnaponlyArgs, SynconlyArgs};
pub use look::{GetlastsentArgs, ListArgs, StatusArgs, UptodateArgs};
pub use repair::{ChangeconfigArgs, ClearArgs, SentsyncArgs};
pub use secret::{RefreshcompleteArgs, RefreshpullArgs};

/// Replicate ZFS filesystems and volumes continuously, and turn a pairing round
///
/// A pairing is a source and a target dataset. All of its state lives in ZFS user properties. Set one up with `init`, keep it
/// current with `sync`, turn it round with `failover` or `takeover`.
#[derive(Debug, Parser)]
#[command(name = "zrep", version = env!("ZREP_VERSION"), arg_required_else_help = true, subcommand_required = true, args_override_self = true, after_help = AFTER_HELP)]
pub struct Cli {
    /// Work on the pairings of this tag
    #[arg(short = 't', long, value_name = "TAG", global = true)]
    pub tag: Option<String>,
    /// With all datasets below: `init` makes the pairing recursive, and from then on it is that by itself
    #[arg(short = 'R', long, global = true)]
    pub recursive: bool,
    /// Tell on stderr what is asked of which machine
    #[arg(short = 'D', long, global = true)]
    pub debug: bool,
    /// Answer with one JSON object on stdout
    #[arg(long, global = true)]
    pub json: bool,
    #[command(flatten)]
    pub peers: PeerArgs,
    /// What to do
    #[command(subcommand)]
    pub verb: Verb,
}

/// How other machines are dealt with.
#[derive(Debug, Args)]
#[command(next_help_heading = "Other machines")]
pub struct PeerArgs {
    /// Give another machine up after so long without a byte or an answer (such as 30s; default 60s)
    #[arg(long, value_name = "DURATION", value_parser = patience, global = true)]
    pub timeout: Option<Duration>,
    /// Send at most so much in a second (such as 500K, 10M)
    #[arg(long, value_name = "BYTES", value_parser = rate, global = true)]
    pub rate: Option<u64>,
    /// Compress streams on their way, with zstd; blocks that are compressed on disk travel compressed anyway
    #[arg(long, global = true)]
    pub compress: bool,
}

const AFTER_HELP: &str = "Exit status: 0 all done, or nothing to do; 1 at least one dataset was refused, for instance because it does not have the role that the verb asks for, or failed; 2 the command line, a variable or /etc/default/zrep was not understood. `status -m` and `uptodate` have their own: see their help.\n\nThe master's machine is dead: on the replica's machine `zrep list -v`, then `zrep takeover -L TARGET`; `man zrep` tells the rest.";

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Set up a pairing: mark both sides, and send the first snapshot
    #[command(short_flag = 'i')]
    Init(InitArgs),
    /// Bring the target up to date, once or for ever
    #[command(short_flag = 'S')]
    Sync(SyncArgs),
    /// Make the next snapshot of a master, and say its name
    Snaponly(SnaponlyArgs),
    /// Send the newest snapshot of zrep's that is there, without making one
    Synconly(SynconlyArgs),
    /// Bring replicas of this machine up to date, from their masters
    Refresh(RefreshArgs),
    /// Tell when each pairing was last synced
    #[command(short_flag = 's')]
    Status(StatusArgs),
    /// Name the datasets that are paired
    #[command(short_flag = 'l')]
    List(ListArgs),
    /// Name the newest snapshot that has arrived on the other side
    #[command(visible_alias = "lastsent")]
    Getlastsent(GetlastsentArgs),
    /// Succeed (exit status 0, else 1) if nothing was written since the last snapshot that was sent
    Uptodate(UptodateArgs),
    /// Destroy the snapshots beyond each side's savecount
    #[command(short_flag = 'e')]
    Expire(ExpireArgs),
    /// Make one side forget its pairing, and destroy its snapshots
    Clear(ClearArgs),
    /// Write on one side who the other one is
    #[command(short_flag = 'C')]
    Changeconfig(ChangeconfigArgs),
    /// Make a snapshot that both sides have the one that was sent last, and its dataset the master
    Sentsync(SentsyncArgs),
    /// Make the target the master, from the source's side
    Failover(FailoverArgs),
    /// Make the target the master, from the target's side
    Takeover(TakeoverArgs),
    /// Make a superseded master, or a replica that was written to, follow the master; what only it has is kept aside
    Rejoin(RejoinArgs),
    /// At boot: see whether this machine's masters are still that, before anything is written to them
    Gate(GateArgs),
    /// Be the other end of a session, on stdin and stdout
    Serve(ServeArgs),
    /// Tell the versions of zrep and of ZFS
    Version,
    /// Write the streams up to a snapshot to stdout, for shell zrep's refresh on the other machine
    #[command(name = "_refreshpull", hide = true)]
    Refreshpull(RefreshpullArgs),
    /// Mark a snapshot that such a refresh has fetched
    #[command(name = "_refreshcomplete", hide = true)]
    Refreshcomplete(RefreshcompleteArgs),
}

/// Arguments of `zrep init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The filesystem or volume to replicate
    pub source: String,
    /// The machine that holds the target: localhost, or HOST or USER@HOST that ssh reaches
    pub host: String,
    /// The dataset to create there
    pub target: String,
    /// Send ciphertext, or nothing: refuse a source that is not encrypted. An encrypted one is always sent so
    #[arg(long)]
    pub raw: bool,
    /// For command lines of shell zrep, which overwrote with it. A target that is there is refused all the same
    #[arg(short, long)]
    pub force: bool,
    /// For command lines of shell zrep: on a terminal there is a bar of progress anyway
    #[arg(short, long)]
    pub verbose: bool,
    /// Show the plan, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Arguments of `zrep sync`.
#[derive(Debug, Clone, Default, Args)]
pub struct SyncArgs {
    /// Master datasets, or `all`; or one DATASET@SNAPSHOT, to roll its target back to that
    #[arg(required = true, value_name = "DATASET")]
    pub datasets: Vec<String>,
    /// Roll the target back to the last common snapshot first, and tell what that discards
    #[arg(short, long)]
    pub force: bool,
    /// Do nothing where nothing was written since the last sync
    #[arg(short, long)]
    pub changed_only: bool,
    /// Go on for ever, with a round each DURATION (such as 500ms, 10s, 5m; 0s: without a pause)
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub every: Option<Duration>,
    /// End after this many rounds
    #[arg(long, value_name = "N", requires = "every")]
    pub rounds: Option<u64>,
    /// Pass over a dataset that another process works on, if its last sync is no older than this (30 or more)
    #[arg(short, long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(30..), conflicts_with = "every")]
    pub quiet: Option<u64>,
    /// Tell of each sync of a round, too
    #[arg(short, long)]
    pub verbose: bool,
    /// Accepted for shell zrep's command lines: an interrupted stream always goes on
    #[arg(short, long, hide = true)]
    pub resume: bool,
    /// Show the plan, and do nothing
    #[arg(short = 'n', long, conflicts_with = "every")]
    pub dry_run: bool,
}

/// Arguments of `zrep refresh`.
#[derive(Debug, Args)]
pub struct RefreshArgs {
    /// Replicas on this machine, or `all`
    #[arg(required = true, value_name = "TARGET")]
    pub datasets: Vec<String>,
    /// Roll the target back to the last common snapshot first, and tell what that discards
    #[arg(short, long)]
    pub force: bool,
    /// Accepted for shell zrep's command lines
    #[arg(short, long, hide = true)]
    pub verbose: bool,
    /// Accepted for shell zrep's command lines: an interrupted stream always goes on
    #[arg(short, long, hide = true)]
    pub resume: bool,
    /// Show the plan, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Arguments of `zrep serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Allow what /etc/zrep/serve.conf allows this peer, and nothing else
    #[arg(long, value_name = "NAME")]
    pub peer: Option<String>,
    /// Allow this in a tree of datasets, and nothing else: DATASET[:receive|send|control]...
    #[arg(long, value_name = "RULE")]
    pub allow: Vec<String>,
    /// Allow all that this user may do. The other machine asks for it; a forced command does not hear that
    #[arg(long, conflicts_with_all = ["peer", "allow"])]
    pub as_user: bool,
}

/// Arguments of `zrep expire`.
#[derive(Debug, Args)]
pub struct ExpireArgs {
    /// Datasets, or `all`; this host's masters if none is named
    #[arg(value_name = "DATASET")]
    pub datasets: Vec<String>,
    /// This side only
    #[arg(short = 'L', long)]
    pub local: bool,
    /// Show the plan, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Arguments of `zrep failover`.
#[derive(Debug, Args)]
pub struct FailoverArgs {
    /// The master
    #[arg(value_name = "SOURCE")]
    pub dataset: String,
    /// The target's machine, where it has another name than in the pair
    #[arg(value_name = "HOST", value_parser = host)]
    pub host: Option<HostName>,
    /// Without the target: give the role up, and go back to the last snapshot that was sent. `zrep takeover -L` there makes it the master
    #[arg(short = 'L', long, conflicts_with = "abort")]
    pub local: bool,
    /// Unmount it first: the sure way to stop every writer
    #[arg(long)]
    pub unmount: bool,
    /// Give up a failover that was cut off before its point of no return
    #[arg(long, conflicts_with = "unmount")]
    pub abort: bool,
    /// Roll the target back to the last common snapshot first, and tell what that discards. With -L: discard what was not sent. With --abort: give it
    /// up although the target cannot be asked; if that became the master, what was written there since is kept aside when it rejoins
    #[arg(short, long)]
    pub force: bool,
    /// Show the plan, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Arguments of `zrep rejoin`.
#[derive(Debug, Args)]
pub struct RejoinArgs {
    /// The dataset that was superseded or written to, on this machine
    #[arg(value_name = "DATASET")]
    pub dataset: String,
    /// Show the plan, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Arguments of `zrep gate`.
#[derive(Debug, Args)]
pub struct GateArgs {
    /// Masters of this machine, or `all`
    #[arg(required = true, value_name = "DATASET")]
    pub datasets: Vec<String>,
    /// Show what would be done, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Arguments of `zrep takeover`.
#[derive(Debug, Args)]
pub struct TakeoverArgs {
    /// The replica
    #[arg(value_name = "TARGET")]
    pub dataset: String,
    /// The source's machine, where it has another name than in the pair
    #[arg(value_name = "HOST", value_parser = host)]
    pub host: Option<HostName>,
    /// Without the source, whose machine is dead or out of reach: go on from the last sync. What it wrote since stays there; `zrep rejoin` there keeps it aside
    #[arg(short = 'L', long)]
    pub local: bool,
    /// Unmount the source first: the sure way to stop every writer
    #[arg(long, conflicts_with = "local")]
    pub unmount: bool,
    /// Show the plan, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// The name of a machine that ssh may be given.
fn host(text: &str) -> Result<HostName, String> {
    HostName::new(text).map_err(|error| error.to_string())
}

/// Reads `500ms`, `10s`, `1h 30m`, `2d`. A day has 24 hours.
fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::Span = text.parse().map_err(|_| expected_duration(text))?;
    let parsed = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours());
    let parsed = parsed.map_err(|_| expected_duration(text))?;
    Duration::try_from(parsed).map_err(|_| expected_duration(text))
}

/// A time after which another machine is given up: at least a second.
fn patience(text: &str) -> Result<Duration, String> {
    let found = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => duration(text)?,
    };
    if found < Duration::from_secs(1) {
        return Err(format!("{text:?} is too short; expected at least 1s"));
    }
    Ok(found)
}

/// Reads `1000000`, `500K`, `10M`, `1G`.
fn rate(text: &str) -> Result<u64, String> {
    let expected = || format!("{text:?} is no rate; expected bytes in a second, such as 500K, 10M, 1G");
    let digits = text.trim_end_matches(['K', 'M', 'G', 'k', 'm', 'g']);
    let shift = match &text[digits.len()..] {
        "" => 0,
        "K" | "k" => 10,
        "M" | "m" => 20,
        "G" | "g" => 30,
        _ => return Err(expected()),
    };
    let number: u64 = digits.parse().map_err(|_| expected())?;
    number
        .checked_mul(1 << shift)
        .filter(|rate| *rate > 0)
        .ok_or_else(expected)
}

fn expected_duration(text: &str) -> String {
    format!("{text:?} is no duration; expected a number with a unit, such as 500ms, 10s, 5m")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_flags_stand_anywhere_and_may_be_repeated() {
        for line in [
            "-t uk -R -D sync a/fs",
            "-D -R -t uk sync a/fs",
            "-t us -D -t uk sync -R a/fs",
            "-t us sync -R -D -D -R -t uk a/fs",
            "-R sync a/fs -t uk -D",
            "-R -D -t uk -S a/fs",
        ] {
            let cli = Cli::try_parse_from(["zrep"].into_iter().chain(line.split(' '))).expect(line);
            let is_sync = matches!(&cli.verb, Verb::Sync(args) if args.datasets == ["a/fs"]);
            assert_eq!(
                (cli.tag.as_deref(), cli.recursive, cli.debug, is_sync),
                (Some("uk"), true, true, true),
                "{line}"
            );
        }
    }

    #[test]
    fn recursion_is_no_name_for_refresh() {
        assert!(Cli::try_parse_from(["zrep", "-R", "b/fs"]).is_err());
        assert!(
            Cli::try_parse_from(["zrep", "-R", "refresh", "b/fs"])
                .unwrap()
                .recursive
        );
    }

    #[test]
    fn rates_have_units() {
        assert_eq!(
            (rate("500K"), rate("1G"), rate("7")),
            (Ok(500 << 10), Ok(1 << 30), Ok(7))
        );
        for bad in ["", "K", "0", "1T", "-1", "99999999999G", "1KK"] {
            assert!(rate(bad).is_err(), "{bad}");
        }
        assert_eq!(patience("5"), Ok(Duration::from_secs(5)));
        assert!(patience("0").is_err() && patience("10ms").is_err());
    }

    #[test]
    fn durations_need_a_unit_and_no_sign() {
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("1d"), Ok(Duration::from_secs(86_400)));
        for bad in ["", "5", "-1s", "soon"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
