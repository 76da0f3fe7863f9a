//! A stream goes from the kernel to the kernel: of 512 MiB next to nothing passes
//! through zrep.

use std::fs::File;
use std::io::Write;

use anyhow::{Result, ensure};

use crate::cases::chance::Chance;
use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::cases::trace;
use crate::fixture::Lab;

const CALLS: &str = "read,write,readv,writev,pread64,pwrite64,preadv,preadv2,pwritev,pwritev2,\
                     sendfile,splice,tee,vmsplice,copy_file_range,sendto,recvfrom,sendmsg,recvmsg";

pub fn run(lab: &Lab) -> Result<()> {
    lab.create(SOURCE)?;
    let mut chance = Chance::new();
    let mut file = File::create(lab.mountpoint(SOURCE)?.join("big"))?;
    for _ in 0..64 {
        file.write_all(&chance.bytes(8 << 20))?;
    }
    drop(file);
    let (lines, _) = trace::zrep(lab, CALLS, &["init", SOURCE, "localhost", TARGET])?;
    ensure!(!lines.is_empty(), "strace has seen nothing");
    let moved = trace::sum_of_results(&lines);
    ensure!(moved < 1 << 20, "zrep has moved {moved} bytes itself");

    let arrived: u64 = lab.property(TARGET, "referenced")?.value.parse()?;
    ensure!(arrived > 512 << 20, "only {arrived} bytes have arrived");
    Pair::known(lab, SOURCE, TARGET).same()
}
