//! `zrep version`

use serde_json::json;

use crate::exit::Exit;
use crate::host::local;
use crate::ui::Ui;

/// Tells the versions. Needs no ZFS.
pub fn run(ui: &Ui) -> Exit {
    let zfs = local::versions();
    let or_none = |version: &Option<String>| version.clone().unwrap_or_else(|| "none".into());
    ui.say(&format!("zrep {}", env!("ZREP_VERSION")));
    ui.say(&format!(
        "OpenZFS: kernel module {}, library {}",
        or_none(&zfs.kernel),
        or_none(&zfs.library)
    ));
    ui.json(
        "version",
        true,
        json!({ "version": env!("ZREP_VERSION"), "kernel": zfs.kernel, "library": zfs.library }),
    );
    Exit::Success
}
