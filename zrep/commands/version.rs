//! `zrep version`

use serde_json::json;

use crate::exit::Exit;
use crate::host::local;
use crate::ui::Ui;

/// Tells the versions. Needs no ZFS.
///
/// N.B. the first line is a name and a number, and nothing else: by it tools tell what they speak with.
pub fn run(ui: &Ui) -> Exit {
    let zfs = local::versions();
    let or_none = |version: &Option<String>| version.clone().unwrap_or_else(|| "none".into());
    let (number, build) = (env!("CARGO_PKG_VERSION"), env!("ZREP_VERSION"));
    ui.say(&format!("zrep {number}"));
    if let Some(commit) = commit(number, build) {
        ui.say(&format!("built from commit {commit}"));
    }
    ui.say(&format!(
        "OpenZFS: kernel module {}, library {}",
        or_none(&zfs.kernel),
        or_none(&zfs.library)
    ));
    ui.json(
        "version",
        true,
        json!({ "version": build, "number": number, "kernel": zfs.kernel, "library": zfs.library }),
    );
    Exit::Success
}

/// The commit in `0.1.0 (0123456789ab)`.
fn commit<'a>(number: &str, build: &'a str) -> Option<&'a str> {
    build.strip_prefix(number)?.trim().strip_prefix('(')?.strip_suffix(')')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_from_a_source_package_has_no_commit() {
        assert_eq!(commit("0.1.0", "0.1.0 (0123456789ab)"), Some("0123456789ab"));
        assert_eq!(commit("0.1.0", "0.1.0"), None);
    }
}
