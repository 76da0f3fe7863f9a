//! KVM or emulation. KVM is used only if it really boots: the device may exist and
//! open, and make a machine, and still be unable to run a normal kernel.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use super::cache::Cache;
use super::progress::say;
use super::qemu::Accel;

/// Chooses, and says so. PROBE boots a guest with KVM and tells whether it spoke; its
/// verdict is kept for this boot of the host.
pub fn choose(cache: &Cache, probe: impl FnOnce() -> bool) -> Result<Accel> {
    if let Ok(forced) = std::env::var("ZREP_LAB_ACCEL") {
        return match forced.as_str() {
            "kvm" => Ok(Accel::Kvm),
            "tcg" => Ok(Accel::Tcg),
            _ => bail!("ZREP_LAB_ACCEL is {forced:?}: it can be kvm or tcg"),
        };
    }
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let file = cache.path("accel");
    let kept = fs::read_to_string(&file).ok().and_then(|text| parse(&text, &boot));
    let accel = match kept {
        Some(accel) => accel,
        None => {
            let accel = if usable() && tried(probe) {
                Accel::Kvm
            } else {
                Accel::Tcg
            };
            fs::write(&file, render(accel, &boot))?;
            accel
        }
    };
    say(format!("guests run by {accel}"));
    Ok(accel)
}

fn usable() -> bool {
    let device = Path::new("/dev/kvm");
    let opens = fs::OpenOptions::new().read(true).write(true).open(device).is_ok();
    if device.exists() && !opens {
        say("/dev/kvm is there, but this user may not open it (group kvm)");
    }
    opens
}

fn tried(probe: impl FnOnce() -> bool) -> bool {
    say("/dev/kvm is there: trying whether a guest boots with it");
    let works = probe();
    if !works {
        say("KVM does not boot a guest on this machine");
    }
    works
}

fn render(accel: Accel, boot: &str) -> String {
    let word = match accel {
        Accel::Kvm => "kvm",
        Accel::Tcg => "tcg",
    };
    format!("{word} {}\n", boot.trim())
}

fn parse(text: &str, boot: &str) -> Option<Accel> {
    let (word, of) = text.trim().split_once(' ')?;
    match word {
        _ if of != boot.trim() => None,
        "kvm" => Some(Accel::Kvm),
        "tcg" => Some(Accel::Tcg),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_holds_for_one_boot_of_the_host() {
        let text = render(Accel::Tcg, "boot-1\n");
        assert_eq!(parse(&text, "boot-1\n"), Some(Accel::Tcg));
        assert_eq!(parse(&text, "boot-2\n"), None);
        assert_eq!(parse("", "boot-1"), None);
    }
}
