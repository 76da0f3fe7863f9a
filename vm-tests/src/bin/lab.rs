//! The harness: prepares guests and runs things in them. Started by the script `lab`.

#![forbid(unsafe_code)]

use anyhow::Result;
use clap::Parser;
use vm_tests::host::cleanup;
use vm_tests::host::cli::{Cli, Command};
use vm_tests::host::commands::{self, LAB_FAILED};
use vm_tests::host::{packages, progress};

fn main() {
    let cli = Cli::try_parse().unwrap_or_else(|error| {
        let _ = error.print();
        // What the user typed wrong must not look like the status of a script.
        cleanup::exit(if error.use_stderr() { LAB_FAILED } else { 0 })
    });
    let status = run(&cli.command).unwrap_or_else(|error| {
        progress::say(format!("{error:#}"));
        LAB_FAILED
    });
    cleanup::exit(status)
}

fn run(command: &Command) -> Result<i32> {
    cleanup::on_signals()?;
    packages::ensure_installed()?;
    match command {
        Command::Demo(args) => commands::demo::run(args),
        Command::Test(args) => commands::test::run(args),
        Command::Exec(args) => commands::exec::run(args),
        Command::Bench(args) => commands::bench::run(args),
        Command::Soak(args) => commands::soak::run(args),
        Command::Shell(args) => commands::shell::run(args),
        Command::Image(args) => commands::image::run(args),
    }
}
