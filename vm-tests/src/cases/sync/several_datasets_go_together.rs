//! One command syncs several datasets, some of the same pool and one the other way.

use anyhow::Result;

use crate::cases::pair::Pair;
use crate::fixture::Lab;

const PAIRS: [(&str, &str); 5] = [
    ("src/a b", "dst/copy of a b"),
    ("src/a b/child", "dst/child"),
    ("src/c", "dst/c d/c"),
    ("src/e", "dst/e"),
    ("dst/f g", "src/copy of f g"),
];

pub fn run(lab: &Lab) -> Result<()> {
    lab.create("dst/c d")?;
    let mut pairs = Vec::new();
    for (source, target) in PAIRS {
        // Mounted in its parent, a child would hide a directory there.
        let point = format!("mountpoint={}", lab.dir().join(source.replace('/', "+")).display());
        lab.zfs(&["create", "-o", &point, source]).ok()?;
        pairs.push(Pair::init(lab, source, target)?);
    }
    for pair in &pairs {
        pair.write("file", &pair.source)?;
    }
    let sources: Vec<&str> = pairs.iter().map(|pair| pair.source.as_str()).collect();
    lab.zrep(&[&["sync"], &sources[..]].concat()).ok()?;
    for pair in &pairs {
        pair.has(&pair.target, &["zrep_000000", "zrep_000001"])?;
        pair.same()?;
        pair.marked()?;
        pair.unlocked()?;
    }
    Ok(())
}
