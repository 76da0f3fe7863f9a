//! What is written or taken away by hand on one side of a pairing.

use clap::Args;

use crate::hostname::HostName;

/// Arguments of `zrep clear`.
#[derive(Debug, Args)]
pub struct ClearArgs {
    /// One side of a pairing, on this machine
    #[arg(value_name = "DATASET")]
    pub dataset: String,
    /// Do not ask
    #[arg(short, long)]
    pub force: bool,
    /// Show the plan, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Arguments of `zrep changeconfig`.
#[derive(Debug, Args)]
#[command(
    override_usage = "zrep changeconfig [OPTIONS] SOURCE HOST TARGET\n       zrep changeconfig [OPTIONS] -d TARGET HOST SOURCE"
)]
pub struct ChangeconfigArgs {
    /// The side on this machine
    #[arg(value_name = "DATASET")]
    pub dataset: String,
    /// The other side's machine
    #[arg(value_name = "HOST", value_parser = super::host)]
    pub host: HostName,
    /// The other side
    #[arg(value_name = "OTHER")]
    pub other: String,
    /// The side on this machine is the target
    #[arg(short = 'd', long = "destination")]
    pub target: bool,
    /// Although it has no snapshot that zrep has named
    #[arg(short, long)]
    pub force: bool,
    /// Show the plan, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Arguments of `zrep sentsync`.
#[derive(Debug, Args)]
pub struct SentsyncArgs {
    /// A snapshot that both sides have, named as zrep names them
    #[arg(value_name = "SNAPSHOT")]
    pub snapshot: String,
    /// This side only: the other one is not asked
    #[arg(short = 'L', long)]
    pub local: bool,
    /// Show the plan, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}
