//! The program: reads the command line and the environment, and leaves the rest to the library.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use zrep::cli::{Cli, Verb};
use zrep::commands;
use zrep::exit::Exit;
use zrep::host::local::Local;
use zrep::os;
use zrep::peers::Options;
use zrep::problem::Problem;
use zrep::relay::Way;
use zrep::session::Session;
use zrep::settings::Settings;
use zrep::ui::{Ui, problem_json};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => return show_usage(&usage).into(),
    };
    let ui = Ui::new(cli.json);
    run(&cli, ui).into()
}

/// Help goes to stdout and is a success; whatever was not understood goes to stderr.
fn show_usage(usage: &clap::Error) -> Exit {
    let shown = usage.print();
    if usage.use_stderr() || shown.is_err() {
        Exit::Usage
    } else {
        Exit::Success
    }
}

fn run(cli: &Cli, ui: Ui) -> Exit {
    if let Verb::Version = cli.verb {
        return commands::version::run(&ui);
    }
    match session(cli) {
        Ok((settings, host)) => {
            let options = options(cli, &settings);
            commands::run(&cli.verb, &Session::with_peers(settings, Arc::new(host), ui, options))
        }
        Err(problem) => {
            ui.problem(&problem);
            ui.json(
                "zrep",
                false,
                serde_json::json!({ "error": problem_json(&problem), "results": [] }),
            );
            problem.exit()
        }
    }
}

/// How other machines are dealt with.
fn options(cli: &Cli, settings: &Settings) -> Options {
    let (outfilter, infilter) = (settings.outfilter.clone(), settings.infilter.clone());
    Options {
        way: Way::new(cli.peers.rate, cli.peers.compress, outfilter, infilter),
        apart: matches!(&cli.verb, Verb::Sync(args) if args.every.is_some()),
    }
}

fn session(cli: &Cli) -> Result<(Settings, Local), Problem> {
    let settings = Settings::new(cli.tag.as_deref(), &os::machine(), |name| std::env::var(name).ok());
    let mut settings = settings.map_err(Problem::Setting)?;
    settings.patience = cli.peers.timeout.unwrap_or(settings.patience);
    let host = Local::open().map_err(|error| Problem::Host {
        side: None,
        dataset: String::new(),
        error,
    })?;
    Ok((settings, host))
}
