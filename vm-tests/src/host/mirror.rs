//! Which Debian mirror this machine uses, read from its own apt sources.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// An archive that apt knows: one URI with its suites and components.
#[derive(Debug, PartialEq, Eq)]
struct Source {
    uri: String,
    suites: Vec<String>,
    components: Vec<String>,
}

/// The release this machine runs, from /etc/os-release.
#[derive(Debug, PartialEq, Eq)]
pub struct Release {
    pub id: String,
    /// `bookworm`; empty on testing and unstable.
    pub codename: String,
}

impl Release {
    pub fn of_this_machine() -> Self {
        Self::parse(&fs::read_to_string("/etc/os-release").unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        let value = |key: &str| {
            let found = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            found.unwrap_or_default().trim_matches(['"', '\'']).to_owned()
        };
        Self {
            id: value("ID"),
            codename: value("VERSION_CODENAME"),
        }
    }

    pub fn is_debian(&self) -> bool {
        self.id == "debian"
    }
}

/// The mirror: `ZREP_LAB_MIRROR`, or the one that this machine gets its own release from.
pub fn mirror() -> Result<String> {
    if let Some(mirror) = std::env::var("ZREP_LAB_MIRROR")
        .ok()
        .filter(|mirror| !mirror.is_empty())
    {
        return Ok(mirror);
    }
    let release = Release::of_this_machine();
    if !release.is_debian() {
        bail!("this is no Debian machine: set ZREP_LAB_MIRROR to the URI of a Debian mirror near you");
    }
    let sources = read_sources(Path::new("/etc/apt"));
    let uri = pick(&sources, &release.codename)
        .context("no Debian mirror in the apt sources of this machine: set ZREP_LAB_MIRROR to the URI of one")?;
    resolve(uri)
}

/// The archive that has the release itself and its main component: not its security
/// updates, nor somebody else's packages for it.
fn pick<'a>(sources: &'a [Source], codename: &str) -> Option<&'a str> {
    let names = [codename, "stable", "testing", "unstable", "sid"];
    let has_release = |source: &&Source| {
        source.components.iter().any(|c| c == "main")
            && source
                .suites
                .iter()
                .any(|suite| !suite.is_empty() && names.contains(&suite.as_str()))
    };
    sources.iter().find(has_release).map(|source| source.uri.as_str())
}

/// Cloud images name a file with mirrors in it (`mirror+file:/etc/apt/mirrors/debian.list`).
fn resolve(uri: &str) -> Result<String> {
    let Some(file) = uri.strip_prefix("mirror+file:") else {
        return Ok(uri.to_owned());
    };
    let list = fs::read_to_string(file).with_context(|| format!("mirror list {file}"))?;
    let first = list.split_whitespace().find(|word| word.contains("://"));
    first.map(str::to_owned).with_context(|| format!("no mirror in {file}"))
}

fn read_sources(apt: &Path) -> Vec<Source> {
    let mut files = vec![apt.join("sources.list")];
    if let Ok(entries) = fs::read_dir(apt.join("sources.list.d")) {
        files.extend(entries.flatten().map(|entry| entry.path()));
    }
    files.sort();
    let mut sources = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap_or_default();
        match file.extension().and_then(|ext| ext.to_str()) {
            Some("list") => sources.extend(text.lines().filter_map(parse_line)),
            Some("sources") => sources.extend(parse_deb822(&text)),
            Some(_) | None => {}
        }
    }
    sources
}

/// `deb [options] URI suite component…`
fn parse_line(line: &str) -> Option<Source> {
    let rest = line.trim().strip_prefix("deb ")?.trim_start();
    let rest = match rest.strip_prefix('[') {
        Some(options) => options.split_once(']')?.1,
        None => rest,
    };
    let mut words = rest.split('#').next()?.split_whitespace().map(str::to_owned);
    Some(Source {
        uri: words.next()?,
        suites: vec![words.next()?],
        components: words.collect(),
    })
}

/// Stanzas of `Key: values`, separated by empty lines. Only the first URI counts.
fn parse_deb822(text: &str) -> Vec<Source> {
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    lines
        .split(|line| line.trim().is_empty())
        .filter_map(parse_stanza)
        .collect()
}

fn parse_stanza(lines: &[&str]) -> Option<Source> {
    let values = |key: &str| -> Vec<String> {
        let found = lines
            .iter()
            .filter_map(|line| line.split_once(':'))
            .find(|(k, _)| k.eq_ignore_ascii_case(key));
        found
            .map(|(_, v)| v.split_whitespace().map(str::to_owned).collect())
            .unwrap_or_default()
    };
    let disabled = values("Enabled").first().is_some_and(|value| value == "no");
    if disabled || !values("Types").iter().any(|kind| kind == "deb") {
        return None;
    }
    Some(Source {
        uri: values("URIs").into_iter().next()?,
        suites: values("Suites"),
        components: values("Components"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEB822: &str = "\
Types: deb
URIs: https://packages.example/tools
Suites: bookworm
Components: extra

Types: deb
# a comment
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main

Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
";

    #[test]
    fn the_mirror_is_where_the_release_itself_comes_from() {
        assert_eq!(
            pick(&parse_deb822(DEB822), "bookworm"),
            Some("http://mirror.example/debian")
        );
        assert_eq!(pick(&parse_deb822(DEB822), "trixie"), None);
    }

    #[test]
    fn one_line_sources_may_have_options() {
        let line = "deb [arch=amd64 signed-by=/x] http://mirror.example/debian bookworm main contrib # mine";
        let source = parse_line(line).unwrap();
        assert_eq!(source.components, ["main", "contrib"]);
        assert_eq!(pick(&[source], "bookworm"), Some("http://mirror.example/debian"));
        assert_eq!(parse_line("# deb http://mirror.example/debian bookworm main"), None);
        assert_eq!(parse_line("deb-src http://mirror.example/debian bookworm main"), None);
    }

    #[test]
    fn a_disabled_source_does_not_count() {
        let disabled = DEB822.replace("Types: deb deb-src", "Enabled: no\nTypes: deb");
        assert_eq!(pick(&parse_deb822(&disabled), "bookworm"), None);
    }

    #[test]
    fn the_release_is_read_with_and_without_quotes() {
        let release = Release::parse("NAME=\"Debian GNU/Linux\"\nVERSION_CODENAME=bookworm\nID=\"debian\"\n");
        assert_eq!(
            release,
            Release {
                id: "debian".into(),
                codename: "bookworm".into()
            }
        );
    }
}
