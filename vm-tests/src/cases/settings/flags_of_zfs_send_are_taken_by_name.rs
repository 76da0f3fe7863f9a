//! `ZREP_SEND_FLAGS`: what zrep does anyway is taken, what would make another stream is refused by its name.

use anyhow::{Result, ensure};

use crate::cases::pair::Pair;
use crate::fixture::output::Output;
use crate::fixture::refusal::misconfigured;
use crate::fixture::{DST, Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    let with = |flags: &str| Output::of(lab.zrep_command(&["sync", &pair.source]).env("ZREP_SEND_FLAGS", flags));
    for (round, flags) in ["-cLe", "--raw --compressed", "-L -e --large-block", "-vP"]
        .iter()
        .enumerate()
    {
        pair.write("file", format!("round {round}"))?;
        let output = with(flags).ok()?;
        let told = output.stderr.contains("has no effect");
        ensure!(told == (*flags == "-vP"), "{output}");
        pair.same()?;
    }
    lab.unchanged(&[SRC, DST], || {
        for (flags, says) in [
            ("-cR", "-R is not taken"),
            ("-D", "-D is not taken"),
            ("--fast", "--fast is not taken"),
        ] {
            misconfigured(with(flags), says)?;
        }
        Ok(())
    })
}
