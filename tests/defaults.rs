//! `/etc/default/zrep` against bash, which shell zrep sources it with: what zrep understands of a file has the value that it has there.
//!
//! `ZREP_FUZZ_SEED` sets the seed, which is printed. Where there is no bash, nothing is compared.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use zrep::settings::defaults::Defaults;

const FILES: usize = 400;

/// What a value may be made of. `Z` is never set, and commands are never found.
const VALUES: [&str; 45] = [
    "a",
    "'b c'",
    "\"d $W e\"",
    "\"${W:-x y}\"",
    "${V-'q}r'}",
    "${Z:-$W}",
    "\\ ",
    "\\\n",
    "\"\\a\\$\\\\\"",
    "'\\'",
    "$W",
    "${W}x",
    "~",
    "x#y",
    "#",
    "\"a'b\"",
    "${Z:-\"a b\"}",
    "${Z-${Y:-k}}",
    "${W:+p}",
    "${V+p}",
    "${V=as}",
    "${Z:-a\\}b}",
    "*",
    "{a,b}",
    "=",
    "\"\n\"",
    "'\n'",
    "$'x'",
    "é",
    "\"${Z:-'s'}\"",
    "\"${Z:-a\\}b}\"",
    "\"${Z:-\"n\"}\"",
    "$V",
    "\"$\"",
    ":",
    ":~",
    "$W$V",
    "${Z:-a b}",
    "\"\"",
    "\\$W",
    "\"\\$W\"",
    "`a`",
    "$(a)",
    "\"\\\n\"",
    "\"\\}\"",
];

/// Statements around assignments, which stand where the `@` are.
const STATEMENTS: [&str; 17] = [
    "@\n",
    "@\n",
    "@; @\n",
    "@ @ # c\n",
    "export @ @\n",
    "  export @; @\n",
    "unset V\n@\n",
    "unset V W; @\n",
    ": ${W:=w}; @\n",
    "if true; then @; fi\n",
    "if a; then\n@\nfi\n",
    "{ @; }\n",
    "a && @\n",
    "true ||\n\n@\n",
    "@ true\n",
    "# c\n",
    "f() {\n@\n}\n",
];

/// A xorshift generator.
struct Chance(u64);

impl Chance {
    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        choices[usize::try_from(self.0 >> 11).unwrap() % choices.len()]
    }

    fn assignment(&mut self) -> String {
        let name = self.of(&["V=", "V=", "W=", "V+=", "W+="]);
        let values = ["", "1", "12", "123"];
        let values = self.of(&values).chars().map(|_| self.of(&VALUES)).collect::<String>();
        format!("{name}{values}")
    }

    fn file(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..3 {
            for part in self.of(&STATEMENTS).split_inclusive('@') {
                match part.strip_suffix('@') {
                    Some(before) => text += &format!("{before}{}", self.assignment()),
                    None => text += part,
                }
            }
        }
        text
    }
}

/// What bash makes of `V` and `W` in each of the files.
fn of_bash(dir: &Path) -> Option<Vec<String>> {
    let script = "for ((i = 0; i < $1; i++)); do (unset V W; source ./$i >/dev/null 2>&1; printf '%s\\037%s\\036' \"${V-unset}\" \"${W-unset}\"); done";
    let bash = Command::new("bash")
        .args(["--noprofile", "--norc", "-c", script, "bash", &FILES.to_string()])
        .current_dir(dir)
        .env("HOME", "/home/me")
        .output();
    let text = String::from_utf8(bash.ok()?.stdout).unwrap();
    Some(text.split_terminator('\u{1e}').map(str::to_owned).collect())
}

fn directory() -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("defaults-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    dir
}

#[test]
fn what_is_understood_has_the_value_that_it_has_in_bash() {
    let given = std::env::var("ZREP_FUZZ_SEED").ok().and_then(|text| text.parse().ok());
    let seed: u64 = given.unwrap_or_else(|| u64::from(std::process::id()) << 20 ^ 0x9e37_79b9);
    println!("ZREP_FUZZ_SEED={seed}");
    let (mut chance, dir) = (Chance(seed | 1), directory());
    let files: Vec<String> = (0..FILES).map(|_| chance.file()).collect();
    for (index, text) in files.iter().enumerate() {
        fs::write(dir.join(index.to_string()), text).unwrap();
    }
    let expected = of_bash(&dir);
    fs::remove_dir_all(&dir).unwrap();
    let Some(expected) = expected else {
        return println!("there is no bash");
    };
    let mut compared = 0;
    for (text, expected) in files.iter().zip(expected) {
        let found = Defaults::parse(text, Path::new("file"), |_| None).unwrap();
        for (name, expected) in ["V", "W"].into_iter().zip(expected.split('\u{1f}')) {
            match found.get(name, |_| None) {
                Some(value) => assert_eq!(value, expected, "{name} of {text}"),
                // What is not understood has no value, and that was said.
                None if !found.notes.is_empty() => continue,
                None => assert_eq!("unset", expected, "{name} of {text}"),
            }
            compared += 1;
        }
    }
    println!("{compared} of {} values were compared", 2 * FILES);
    assert!(compared > FILES / 4, "too little is understood");
}
