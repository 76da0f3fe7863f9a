//! The program: reads the command line and the environment, and leaves the rest to the library.

#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use zrep::cli::{Cli, Verb};
use zrep::commands;
use zrep::exit::Exit;
use zrep::host::Host;
use zrep::host::local::Local;
use zrep::host::told::Told;
use zrep::os;
use zrep::peers::Options;
use zrep::problem::Problem;
use zrep::relay::Way;
use zrep::session::Session;
use zrep::settings::defaults::{self, Defaults};
use zrep::settings::{BadSetting, Settings};
use zrep::ui::{Ui, debug, problem_json};

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
    match session(cli, &ui) {
        Ok((settings, host)) => {
            let options = options(cli, &settings);
            let host = told(cli, &settings, host);
            let session = Session {
                recursive: cli.recursive || settings.recursive && is_of_streams(&cli.verb),
                ..Session::with_peers(settings, host, ui, options)
            };
            commands::run(&cli.verb, &session)
        }
        Err(problem) if commands::is_check(&cli.verb) => commands::unknown(&ui, &problem),
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

/// The verbs that `ZREP_R=-R` concerns. A change of roles has nothing to ask of it: the pairing says itself what it is of, and this is no time for a
/// refusal because of a file in /etc.
fn is_of_streams(verb: &Verb) -> bool {
    matches!(verb, Verb::Init(_) | Verb::Sync(_) | Verb::Refresh(_))
}

/// How other machines are dealt with.
fn options(cli: &Cli, settings: &Settings) -> Options {
    let (outfilter, infilter) = (settings.outfilter.clone(), settings.infilter.clone());
    Options {
        way: Way::new(cli.peers.rate, cli.peers.compress, outfilter, infilter),
        apart: matches!(&cli.verb, Verb::Sync(args) if args.every.is_some()),
        debug: cli.debug,
    }
}

/// This machine, which with `-D` tells what it is asked.
fn told(cli: &Cli, settings: &Settings, host: Local) -> Arc<dyn Host> {
    let host: Arc<dyn Host> = Arc::new(host);
    if cli.debug {
        Arc::new(Told::new(settings.me.host.clone(), host, Arc::new(debug)))
    } else {
        host
    }
}

fn session(cli: &Cli, ui: &Ui) -> Result<(Settings, Local), Problem> {
    let mut settings = settings(cli, ui).map_err(Problem::Settings)?;
    // N.B. not for `ZREP_R=-R`: that is set for good, for the verbs that it concerns.
    if cli.recursive {
        commands::require_for_trees(&cli.verb)?;
    }
    settings.patience = cli.peers.timeout.unwrap_or(settings.patience);
    let host = Local::open().map_err(|error| Problem::Host {
        side: None,
        dataset: String::new(),
        error,
    })?;
    Ok((settings, host))
}

/// The command line beats the file, and the file beats the environment.
fn settings(cli: &Cli, ui: &Ui) -> Result<Settings, BadSetting> {
    let environment = |name: &str| std::env::var(name).ok();
    let machine = os::machine();
    let file = Defaults::read(Path::new(defaults::PATH), machine.is_root, environment)?;
    file.notes.iter().for_each(|note| ui.note(note));
    let settings = Settings::new(cli.tag.as_deref(), &machine, |name| file.get(name, environment))?;
    settings.notes.iter().for_each(|note| ui.note(note));
    Ok(settings)
}
