//! Of several datasets those that can be synced are, and each of the others has its refusal; the same holds for the halves of a sync and for an expiry.

use anyhow::{Result, ensure};

use crate::cases::pair::Pair;
use crate::fixture::Lab;
use crate::fixture::refusal::Refusal;

pub fn run(lab: &Lab) -> Result<()> {
    for name in ["a b", "b", "lost", "z"] {
        lab.pair(&format!("src/{name}"), &format!("dst/{name}"))?;
        lab.write(&format!("src/{name}"), "new", "new")?;
    }
    lab.zfs(&["destroy", "-r", "dst/lost"]).ok()?;
    lab.zfs(&["snapshot", "dst/b@mine"]).ok()?;
    let args = ["sync", "src/a b", "src/missing", "src/b", "src/lost", "src/z"];
    let output = lab.zrep(&args).exits(1)?;
    let mut headlines: Vec<_> = Refusal::all(&output.stderr)
        .into_iter()
        .map(|one| one.headline)
        .collect();
    headlines.sort();
    let expected = [
        "source src/missing: dataset does not exist",
        "target dst/b: has 1 snapshot that src/b does not have",
        "target dst/lost: dataset does not exist",
    ];
    ensure!(headlines == expected, "{output}");
    for good in ["a b", "z"] {
        let (source, target) = (
            lab.snapshots(&format!("src/{good}"))?,
            lab.snapshots(&format!("dst/{good}"))?,
        );
        let guids = |list: &[crate::fixture::Snapshot]| list.iter().map(|one| one.guid).collect::<Vec<_>>();
        ensure!(
            source.len() == 2 && guids(&source) == guids(&target),
            "{good}: {output}"
        );
    }
    ensure!(lab.snapshots("src/b")?.len() == 1, "a snapshot is left on src/b");
    halves(lab)?;
    expiry(lab)
}

fn good(lab: &Lab) -> [Pair<'_>; 2] {
    ["a b", "z"].map(|name| Pair::known(lab, &format!("src/{name}"), &format!("dst/{name}")))
}

fn halves(lab: &Lab) -> Result<()> {
    let made = lab
        .zrep(&["snaponly", "src/a b", "src/missing", "src/z"])
        .exits(1)?
        .says("src/missing: dataset does not exist")?;
    ensure!(
        made.stdout == "src/a b@zrep_000002\nsrc/z@zrep_000002\n",
        "not both: {made}"
    );
    lab.zrep(&["synconly", "all"])
        .exits(1)?
        .says("dst/lost: dataset does not exist")?;
    for pair in good(lab) {
        pair.has(&pair.target, &["zrep_000000", "zrep_000001", "zrep_000002"])?;
    }
    Ok(())
}

fn expiry(lab: &Lab) -> Result<()> {
    for pair in good(lab) {
        lab.zfs(&["set", "zrep:savecount=1", &pair.source, &pair.target]).ok()?;
    }
    lab.zrep(&["expire", "all"])
        .exits(1)?
        .says("dst/lost: dataset does not exist")?;
    for pair in good(lab) {
        pair.has(&pair.source, &["zrep_000002"])?;
        pair.has(&pair.target, &["zrep_000002"])?;
    }
    Ok(())
}
