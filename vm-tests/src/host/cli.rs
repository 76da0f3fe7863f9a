//! What can be asked of the laboratory: the clap definition.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::guests::{self, Guest};
use super::soak::schedule::Verb;

/// The QEMU laboratory of zrep: real OpenZFS in a virtual machine
///
/// Guests are built from Debian's packages once, into a cache. KVM is used where it
/// works, emulation elsewhere.
#[derive(Debug, Parser)]
#[command(name = "lab", bin_name = "vm-tests/lab", max_term_width = 100, after_help = EXIT_STATUS)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_STATUS: &str = "\
Exit status: of exec, bench and demo that of what ran in the guest; of test and soak 0 or 1. \
125 if the laboratory itself failed: no image, no boot, the guest died, the time was up.

Environment:
  ZREP_LAB_CACHE    where images are kept [default: $XDG_CACHE_HOME/zrep-lab]
  ZREP_LAB_ACCEL    kvm or tcg [default: KVM if a guest boots with it]
  ZREP_LAB_MIRROR   the Debian mirror [default: the one in this machine's apt sources]
  ZREP_LAB_ZREP     a zrep program to use instead of building this checkout's
  ZREP_SHELL        the original shell zrep, to compare with; carried into the guest";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show zrep's main job, in a guest
    Demo(DemoArgs),
    /// Run all tests: the workspace's on this machine, then those that need ZFS in guests
    Test(TestArgs),
    /// Run a script as root in a fresh guest with this build's zrep in PATH
    Exec(ExecArgs),
    /// Run the benchmarks in a guest
    Bench(BenchArgs),
    /// Cut the power of guests, or the cable between them, and see whether zrep keeps its promises
    Soak(SoakArgs),
    /// Open a shell in a fresh guest
    Shell(ShellArgs),
    /// Build images, or check those that are there
    Image(ImageArgs),
}

#[derive(Debug, Args)]
pub struct DemoArgs {
    #[command(flatten)]
    pub guest: GuestArg,
}

#[derive(Debug, Args)]
pub struct TestArgs {
    /// Run only the cases and tests with this text in their name; or with one of several, divided by commas
    pub filter: Option<String>,
    /// Run the cases in this guest; may be given several times
    #[arg(long = "guest", value_name = "GUEST", value_parser = Guest::by_name, default_value = guests::DEFAULT)]
    pub guests: Vec<&'static Guest>,
    /// Stop at the first case that fails, and open a shell in the guest as the case left it
    #[arg(long)]
    pub keep: bool,
    /// Only the cases in guests, nothing on this machine
    #[arg(long)]
    pub guest_only: bool,
    /// Deal the cases to so many guests that run at the same time; without a filter one for each processor, 4 at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=8), conflicts_with = "keep")]
    pub side_by_side: Option<u8>,
}

#[derive(Debug, Args)]
pub struct ExecArgs {
    #[command(flatten)]
    pub guest: GuestArg,
    /// How many machines; with 2 the script runs on alpha, which has pool src, and reaches
    /// beta, which has pool dst, by ssh
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=2))]
    pub hosts: u32,
    /// Put a file or directory beside the script; may be given several times
    #[arg(long, value_name = "FILE")]
    pub put: Vec<PathBuf>,
    /// How long the script may take
    #[arg(long, value_name = "SECS", default_value_t = 3600)]
    pub timeout: u64,
    /// Leave the two disks blank
    #[arg(long, hide = true)]
    pub no_pools: bool,
    /// The memory of all guests together, in MiB
    #[arg(long, hide = true, value_name = "MIB", default_value_t = 4096)]
    pub mem: u32,
    /// The script (- reads it from standard input) and its arguments
    // One list, since a script's arguments may look like our options.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true, value_names = ["SCRIPT", "ARG"])]
    pub script: Vec<String>,
}

#[derive(Debug, Args)]
pub struct BenchArgs {
    #[command(flatten)]
    pub guest: GuestArg,
    /// Run only the benchmarks with this text in their name
    pub filter: Option<String>,
}

#[derive(Debug, Args)]
pub struct SoakArgs {
    #[command(subcommand)]
    pub command: SoakCommand,
}

#[derive(Debug, Subcommand)]
pub enum SoakCommand {
    /// Cut the power in the midst of verbs that turn roles; the last line is `N cuts, N held, N failed`
    Power(PowerArgs),
    /// Isolate the master, take over by force, write to both sides, let them meet, and rejoin
    Partition(PartitionArgs),
}

#[derive(Debug, Args)]
pub struct PowerArgs {
    #[command(flatten)]
    pub guest: GuestArg,
    /// How many power cuts
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub cuts: usize,
    /// The same number gives the same cuts, at the same part of each verb [default: any]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Only in the midst of this verb; may be given several times
    #[arg(long = "verb", value_name = "VERB", value_parser = Verb::by_name)]
    verbs: Vec<Verb>,
    /// Only the cut of this number; may be given several times
    #[arg(long, value_name = "NUMBER")]
    pub only: Vec<usize>,
    /// When zrep gives the other machine up (its --timeout)
    #[arg(long, value_name = "SECS", default_value_t = 15)]
    pub zrep_timeout: u32,
}

impl PowerArgs {
    /// Those that were asked for, or all.
    pub fn verbs(&self) -> Vec<Verb> {
        if self.verbs.is_empty() {
            Verb::ALL.to_vec()
        } else {
            self.verbs.clone()
        }
    }

    /// What to type to have the same cuts again.
    pub fn again(&self, seed: u64) -> String {
        let verbs = self.verbs.iter().map(|verb| format!(" --verb '{verb}'"));
        let only = self.only.iter().map(|number| format!(" --only {number}"));
        let options: String = verbs.chain(only).collect();
        format!("vm-tests/lab soak power --cuts {} --seed {seed}{options}", self.cuts)
    }
}

#[derive(Debug, Args)]
pub struct PartitionArgs {
    #[command(flatten)]
    pub guest: GuestArg,
    /// When zrep gives the other machine up (its --timeout)
    #[arg(long, value_name = "SECS", default_value_t = 15)]
    pub zrep_timeout: u32,
}

#[derive(Debug, Args)]
pub struct ShellArgs {
    #[command(flatten)]
    pub guest: GuestArg,
}

#[derive(Debug, Args)]
pub struct ImageArgs {
    /// The guest; may be given several times
    #[arg(long = "guest", value_name = "GUEST", value_parser = Guest::by_name, default_value = guests::DEFAULT)]
    pub guests: Vec<&'static Guest>,
}

#[derive(Debug, Args)]
pub struct GuestArg {
    /// The guest
    #[arg(long = "guest", value_name = "GUEST", value_parser = Guest::by_name, default_value = guests::DEFAULT)]
    pub name: &'static Guest,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_after_the_script_are_the_scripts() {
        let cli = Cli::parse_from(["lab", "exec", "--put", "a", "--put", "b", "script", "--mem", "x"]);
        let Command::Exec(args) = cli.command else {
            panic!("not exec")
        };
        assert_eq!(args.put.len(), 2);
        assert_eq!(args.script, ["script", "--mem", "x"]);
        assert_eq!(args.mem, 4096);
    }

    #[test]
    fn the_default_guest_is_debian_13() {
        let cli = Cli::parse_from(["lab", "test"]);
        let Command::Test(args) = cli.command else {
            panic!("not test")
        };
        assert_eq!(
            args.guests.iter().map(|guest| guest.name).collect::<Vec<_>>(),
            ["debian13"]
        );
    }
}
