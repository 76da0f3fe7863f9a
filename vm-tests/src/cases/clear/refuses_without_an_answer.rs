//! Without `-f` somebody has to say yes on a terminal; where there is none, `clear` changes nothing and says what it would destroy.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    pair.sync()?;
    lab.refuses(&["clear", SOURCE], "nobody has agreed")?
        .finds("no terminal")?
        .helps("destroy 2 snapshots of src/a b: zrep_000000, zrep_000001")?
        .helps("zrep clear -f 'src/a b'")?;
    let idler = lab.idler()?;
    lab.lock(SOURCE, &idler.pid().as_raw_nonzero().to_string(), "now")?;
    lab.refuses(&["clear", "-f", SOURCE], "works on it")?;
    Ok(())
}
