//! What shell zrep's refresh runs on the master's machine. People have no use for it.

use clap::Args;

/// Arguments of `zrep _refreshpull`.
#[derive(Debug, Args)]
pub struct RefreshpullArgs {
    /// The newest of zrep's snapshots of a master
    #[arg(value_name = "SNAPSHOT")]
    pub snapshot: String,
    /// The resume token of an interrupted receive of it
    #[arg(value_name = "TOKEN")]
    pub token: Option<String>,
}

/// Arguments of `zrep _refreshcomplete`.
#[derive(Debug, Args)]
pub struct RefreshcompleteArgs {
    /// A snapshot of a master
    #[arg(value_name = "SNAPSHOT")]
    pub snapshot: String,
    /// `TAG:sent=EPOCH`, in seconds since 1970
    #[arg(value_name = "MARK")]
    pub mark: String,
}
