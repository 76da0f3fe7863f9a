//! `lab image`: builds images, or checks those that are there.

use anyhow::Result;

use crate::host::cache::Cache;
use crate::host::cli::ImageArgs;
use crate::host::image::Image;
use crate::host::progress::say;

pub fn run(args: &ImageArgs) -> Result<i32> {
    let cache = Cache::open()?;
    for guest in &args.guests {
        let image = Image::ensure(guest, &cache)?;
        say(format!("{guest}: {}", image.root.display()));
    }
    Ok(0)
}
