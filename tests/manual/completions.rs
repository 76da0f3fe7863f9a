//! The completions of bash, zsh and fish, as clap_complete makes them; in bash and fish, datasets are completed, too.

use clap::{Arg, ArgAction, Command};
use clap_complete::{Shell, generate};

/// The file of `shell`.
pub(crate) fn render(shell: Shell, command: &Command) -> String {
    let mut file = Vec::new();
    generate(shell, &mut visible(command), "zrep", &mut file);
    let mut text = String::from_utf8(file).expect("clap writes text");
    match shell {
        Shell::Bash => text.push_str(&datasets_in_bash(command)),
        Shell::Fish => text.push_str(&datasets_in_fish(command)),
        // zsh completes files there, as clap_complete has it.
        _ => {}
    }
    text
}

/// Without what people have no use for: clap_complete would offer hidden verbs, too.
fn visible(command: &Command) -> Command {
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    Command::new("zrep")
        .version(env!("CARGO_PKG_VERSION"))
        .args(command.get_arguments().cloned())
        .subcommands(verbs.cloned())
}

/// What is put around clap's function for bash: the datasets that are paired here, where a verb takes such.
///
/// N.B. bash divides words at colons, so a dataset with one in its name is not offered.
fn datasets_in_bash(command: &Command) -> String {
    let verbs = command.get_subcommands().filter(|verb| takes_a_dataset(verb));
    let words: Vec<String> = verbs.flat_map(names).collect();
    DATASETS
        .replace("VERBS", &words.join("|"))
        .replace("VALUED", &valued(command).join("|"))
}

fn datasets_in_fish(command: &Command) -> String {
    let verbs = command.get_subcommands().filter(|verb| takes_a_dataset(verb));
    let names = verbs.flat_map(Command::get_name_and_visible_aliases);
    let line = |name| {
        format!(
            "complete -c zrep -n \"__fish_zrep_using_subcommand {name}\" -f -a \"(zrep list 2>/dev/null </dev/null)\"\n"
        )
    };
    names.map(line).collect()
}

fn names(verb: &Command) -> impl Iterator<Item = String> {
    let flag = verb.get_short_flag().map(|flag| format!("-{flag}"));
    let names = verb.get_name_and_visible_aliases().into_iter().map(str::to_owned);
    names.chain(flag)
}

/// N.B. what `init` wants is not paired yet.
fn takes_a_dataset(verb: &Command) -> bool {
    let mut operands = verb.get_positionals();
    let is_meant = !verb.is_hide_set() && verb.get_name() != "init";
    is_meant && operands.any(|arg| DATASET_NAMES.contains(&value_name(arg).as_str()))
}

/// How operands are called that are datasets of this machine.
const DATASET_NAMES: [&str; 3] = ["DATASET", "SOURCE", "TARGET"];

fn value_name(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    names.first().map(ToString::to_string).unwrap_or_default()
}

/// The flags behind which a value stands.
fn valued(command: &Command) -> Vec<String> {
    let of_verbs = command.get_subcommands().flat_map(Command::get_arguments);
    let mut found: Vec<String> = command
        .get_arguments()
        .chain(of_verbs)
        .filter(|arg| !arg.is_positional() && matches!(arg.get_action(), ArgAction::Set | ArgAction::Append))
        .flat_map(spellings)
        .collect();
    found.sort();
    found.dedup();
    found
}

fn spellings(arg: &Arg) -> impl Iterator<Item = String> {
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    short.into_iter().chain(long)
}

const DATASETS: &str = r#"
# Around the above: datasets that are paired here, where the verb takes such.
_zrep_with_datasets() {
    _zrep "$@"
    local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"
    local word name takes_datasets="" offered=() found=() tag=()
    # Placeholders such as <SOURCE> are no words that can be typed.
    for word in "${COMPREPLY[@]}"; do
        case "$word" in "<"*|"["*) ;; *) offered+=("$word") ;; esac
    done
    COMPREPLY=("${offered[@]}")
    case "$current" in -*) return 0 ;; esac
    case "$previous" in VALUED) return 0 ;; esac
    previous=""
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$previous" in -t|--tag) tag=(-t "$word") ;; esac
        case "$word" in VERBS) takes_datasets=yes ;; esac
        previous="$word"
    done
    [ -n "$takes_datasets" ] || return 0
    while IFS= read -r name; do
        printf -v name %q "$name"
        case "$name" in *:*) ;; "$current"*) found+=("$name") ;; esac
    done < <(zrep "${tag[@]}" list 2>/dev/null </dev/null)
    # Flags are offered behind a dash.
    [ ${#found[@]} -eq 0 ] || COMPREPLY=("${found[@]}")
}

if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -F _zrep_with_datasets -o nosort -o bashdefault -o default zrep
else
    complete -F _zrep_with_datasets -o bashdefault -o default zrep
fi
"#;
