//! `lab bench`: the criterion benchmarks, in a guest.

use anyhow::{Context, Result};

use crate::host::artifacts::{self, Artifact};
use crate::host::cli::BenchArgs;
use crate::host::machine::Sinks;
use crate::host::session::{Session, Wish, quote};

const BENCH: &str = "sync";

pub fn run(args: &BenchArgs) -> Result<i32> {
    let (bench, zrep) = (bench()?, artifacts::zrep()?);
    let session = Session::prepare(Wish::new(args.guest.name))?;
    session.add_program(&zrep, "zrep")?;
    session.files().add(&bench.executable, "tests/bench")?;
    session.run(&main(args.filter.as_deref()), Sinks::inherit())
}

fn bench() -> Result<Artifact> {
    let built = artifacts::build(&["bench", "--quiet", "--no-run", "-p", "zrep", "--bench", BENCH]);
    let artifacts = built.with_context(|| format!("the bench `{BENCH}` of zrep cannot be built"))?;
    let found = artifacts.into_iter().find(|artifact| artifact.kind == "bench");
    found.with_context(|| format!("zrep has no bench `{BENCH}`"))
}

fn main(filter: Option<&str>) -> String {
    let filter = filter.map(|filter| format!(" {}", quote(filter))).unwrap_or_default();
    format!(
        "#!/bin/bash\n\
         export CRITERION_HOME=/tmp/criterion ZREP_TEST_POOLS=src:dst\n\
         cd /root && exec /run/lab/tests/bench --bench{filter}\n"
    )
}
