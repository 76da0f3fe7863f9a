//! From the text of a variable to what it means.

use std::path::PathBuf;

use super::BadSetting;
use super::send_flags::SendFlags;
use crate::plan::preferences::Others;
use crate::props::Tag;

/// What looks a variable up.
pub(super) struct Variables<'a, F>(pub(super) &'a F);

impl<F: Fn(&str) -> Option<String>> Variables<'_, F> {
    /// The value, if there is something in it.
    pub(super) fn given(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|text| !text.trim().is_empty())
    }

    /// A number from `least` up.
    pub(super) fn number(&self, name: &str, default: u64, least: u64) -> Result<u64, BadSetting> {
        let Some(text) = (self.0)(name) else { return Ok(default) };
        let number = text.parse().ok().filter(|number| *number >= least);
        number.ok_or_else(|| {
            BadSetting::new(
                format!("{name} is no such number"),
                format!("a number from {least} up"),
                format!("{name}={text:?}"),
            )
        })
    }

    /// A switch that has one word. Another word may have been meant as a flag of its own.
    pub(super) fn exactly(&self, name: &str, word: &str) -> Result<bool, BadSetting> {
        match self.given(name) {
            None => Ok(false),
            Some(text) if text == word => Ok(true),
            Some(text) => Err(BadSetting::new(
                format!("{name} is not {word}"),
                format!("{word}, or nothing"),
                format!("{name}={text:?}"),
            )),
        }
    }

    /// The command line's tag, or that of `ZREPTAG`, or the usual one.
    pub(super) fn tag(&self, argument: Option<&str>) -> Result<Tag, BadSetting> {
        let given = argument
            .map(str::to_owned)
            .or_else(|| (self.0)("ZREPTAG").filter(|tag| !tag.is_empty()));
        let tag = given.as_deref().unwrap_or(Tag::DEFAULT);
        Tag::new(tag).map_err(|error| BadSetting::new(error.to_string(), "a tag", format!("{tag:?}")))
    }

    /// Where the lock file is.
    pub(super) fn rundir(&self, is_root: bool) -> PathBuf {
        let usual = if is_root { "/var/run" } else { "/tmp" };
        self.given("ZREP_RUNDIR").unwrap_or_else(|| usual.into()).into()
    }

    /// What becomes of the snapshots that others make.
    pub(super) fn inc_flag(&self) -> Result<Option<Others>, BadSetting> {
        match self.given("ZREP_INC_FLAG").as_deref() {
            None => Ok(None),
            Some("-I") => Ok(Some(Others::Travel)),
            Some("-i") => Ok(Some(Others::StayBehind)),
            Some(text) => Err(BadSetting::new(
                "ZREP_INC_FLAG is neither -i nor -I",
                "-I (with the snapshots of others) or -i (without)",
                format!("ZREP_INC_FLAG={text:?}"),
            )),
        }
    }

    /// Flags of `zfs send`.
    pub(super) fn send_flags(&self, name: &str) -> Result<SendFlags, BadSetting> {
        SendFlags::parse(name, &self.given(name).unwrap_or_default())
    }

    /// The filters of the sender and of the receiver, with the buffer of older days, and a note on that.
    pub(super) fn filters(&self) -> (Option<String>, Option<String>, Option<String>) {
        let (out, into) = (self.given("ZREP_OUTFILTER"), self.given("ZREP_INFILTER"));
        let Some(buffer) = self.given("MBUFFER") else {
            return (out, into, None);
        };
        let both = |first: Option<String>, second: Option<String>| {
            let words: Vec<String> = [first, second].into_iter().flatten().collect();
            Some(words.join(" | "))
        };
        let note = "MBUFFER is of older days, and taken as a part of both filters; name it in ZREP_OUTFILTER and ZREP_INFILTER";
        (
            both(out, Some(buffer.clone())),
            both(Some(buffer), into),
            Some(note.into()),
        )
    }

    /// Another way of transport than ssh's.
    pub(super) fn bbcp(&self) -> Vec<String> {
        let note = "BBCP has no effect: streams travel through ssh, and through ZREP_OUTFILTER and ZREP_INFILTER";
        self.given("BBCP").map(|_| note.into()).into_iter().collect()
    }
}
