//! The halves of a sync, as verbs of their own.

use clap::Args;

/// Arguments of `zrep snaponly`.
#[derive(Debug, Args)]
pub struct SnaponlyArgs {
    /// Master datasets, or `all`
    #[arg(required = true, value_name = "DATASET")]
    pub datasets: Vec<String>,
    /// Show the plan, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Arguments of `zrep synconly`.
#[derive(Debug, Args)]
pub struct SynconlyArgs {
    /// Master datasets, or `all`
    #[arg(required = true, value_name = "DATASET")]
    pub datasets: Vec<String>,
    /// Roll the target back to the last common snapshot first, and tell what that discards
    #[arg(short, long)]
    pub force: bool,
    /// Accepted for shell zrep's command lines
    #[arg(short, long, hide = true)]
    pub verbose: bool,
    /// Show the plan, and do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}
