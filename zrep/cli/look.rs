//! What tells of pairings and changes nothing.

use std::time::Duration;

use clap::Args;

use super::duration;

/// Arguments of `zrep status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Datasets; this host's masters if none is named
    #[arg(value_name = "DATASET")]
    pub datasets: Vec<String>,
    /// Targets, too
    #[arg(short, long)]
    pub all: bool,
    /// Tell where each one is replicated to
    #[arg(short, long)]
    pub verbose: bool,
    /// Be a check for monitoring: one line and a line for each dataset; exit status 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
    #[arg(short, long)]
    pub monitor: bool,
    /// With -m: warn of a last sync that is so old (such as 10m, 2h), unless nothing was written since
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "monitor")]
    pub warn: Option<Duration>,
    /// With -m: the same for CRITICAL
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "monitor")]
    pub crit: Option<Duration>,
    /// Accepted everywhere: this command changes nothing
    #[arg(short = 'n', long, hide = true)]
    pub dry_run: bool,
}

/// Arguments of `zrep list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Datasets, of which those that are paired are listed; all if none is named
    #[arg(value_name = "DATASET")]
    pub datasets: Vec<String>,
    /// This host's masters only
    #[arg(short = 'L', long)]
    pub masters: bool,
    /// Tell what is set on each, the role, the epoch and the condition, and what to do about it
    #[arg(short, long)]
    pub verbose: bool,
    /// Name all snapshots, with the time of each; those of this host's masters if no dataset is named
    #[arg(short, long, conflicts_with = "verbose")]
    pub snapshots: bool,
    /// Accepted everywhere: this command changes nothing
    #[arg(short = 'n', long, hide = true)]
    pub dry_run: bool,
}

/// Arguments of `zrep getlastsent`.
#[derive(Debug, Args)]
pub struct GetlastsentArgs {
    /// Either side of a pairing
    #[arg(value_name = "DATASET")]
    pub dataset: String,
    /// Accepted everywhere: this command changes nothing
    #[arg(short = 'n', long, hide = true)]
    pub dry_run: bool,
}

/// Arguments of `zrep uptodate`.
#[derive(Debug, Args)]
pub struct UptodateArgs {
    /// Either side of a pairing
    #[arg(value_name = "DATASET")]
    pub dataset: String,
    /// Accepted everywhere: this command changes nothing
    #[arg(short = 'n', long, hide = true)]
    pub dry_run: bool,
}
