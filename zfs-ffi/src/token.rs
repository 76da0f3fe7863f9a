//! Resume tokens.

use crate::core::{ResumePoint, SendFlags};
use crate::error::{Error, Kind, Op, Result};
use crate::nvlist::{NvRef, Value};

/// What the `receive_resume_token` of a partially received dataset says.
///
/// Decoded by [`Handle::resume_token`](crate::Handle::resume_token).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResumeToken {
    /// The object where the stream goes on.
    pub object: u64,
    /// The offset in it.
    pub offset: u64,
    /// How many bytes have been received.
    pub bytes: u64,
    /// The guid of the snapshot. Find it by this: its name may have changed.
    pub to_guid: u64,
    /// The guid of the base, if the stream was an increment.
    pub from_guid: Option<u64>,
    /// The name that the snapshot had at the sender.
    pub to_name: String,
    /// The flags that the interrupted stream was made with.
    pub flags: SendFlags,
    /// The stream was a redacted one, which [`Core::send`](crate::Core::send) cannot resume.
    pub redacted: bool,
}

impl ResumeToken {
    /// For [`SendOptions::resume`](crate::SendOptions::resume).
    pub fn resume_point(&self) -> ResumePoint {
        ResumePoint {
            object: self.object,
            offset: self.offset,
        }
    }

    pub(crate) fn from_list(list: NvRef<'_>) -> Result<Self> {
        let number = |name: &str| list.get(name).as_ref().and_then(Value::as_u64);
        let required = |name: &str| number(name).ok_or_else(|| missing(name));
        let to_name = list.get("toname").as_ref().and_then(Value::as_str);
        Ok(Self {
            object: required("object")?,
            offset: required("offset")?,
            bytes: required("bytes")?,
            to_guid: required("toguid")?,
            from_guid: number("fromguid").filter(|guid| *guid != 0),
            to_name: to_name.ok_or_else(|| missing("toname"))?.to_owned(),
            flags: flags(list),
            redacted: list.get("redact_snaps").is_some() || list.get("book_redact_snaps").is_some(),
        })
    }
}

/// Each flag is a pair without a value.
fn flags(list: NvRef<'_>) -> SendFlags {
    [
        ("embedok", SendFlags::EMBED),
        ("largeblockok", SendFlags::LARGE_BLOCK),
        ("compressok", SendFlags::COMPRESS),
        ("rawok", SendFlags::RAW),
        ("savedok", SendFlags::SAVED),
    ]
    .into_iter()
    .filter(|(name, _)| list.get(name).is_some())
    .fold(SendFlags::empty(), |flags, (_, flag)| flags | flag)
}

fn missing(name: &str) -> Error {
    Error::new(Op::DecodeToken, "token", Kind::BadStream, format!("it has no {name:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nvlist::NvList;

    fn sample() -> NvList {
        let mut list = NvList::new();
        for (name, value) in [
            ("object", 7_u64),
            ("offset", 0),
            ("bytes", 123_456),
            ("toguid", u64::MAX - 1),
        ] {
            list.add(name, value).expect("a valid pair");
        }
        list.add("toname", "tank/a b@3").expect("a valid pair");
        list
    }

    #[test]
    fn a_full_stream_has_no_base_and_no_flags() {
        let token = ResumeToken::from_list(sample().borrow()).expect("a complete token");
        assert_eq!(token.resume_point(), ResumePoint { object: 7, offset: 0 });
        assert_eq!(token.bytes, 123_456);
        assert_eq!(token.to_guid, u64::MAX - 1);
        assert_eq!(token.from_guid, None);
        assert_eq!(token.to_name, "tank/a b@3");
        assert_eq!(token.flags, SendFlags::empty());
        assert!(!token.redacted);
    }

    #[test]
    fn every_flag_is_read() {
        let mut list = sample();
        list.add("fromguid", 42_u64).expect("a valid pair");
        for name in ["largeblockok", "embedok", "compressok", "rawok", "savedok"] {
            list.add_flag(name).expect("a valid pair");
        }
        let token = ResumeToken::from_list(list.borrow()).expect("a complete token");
        assert_eq!(token.from_guid, Some(42));
        assert_eq!(token.flags.bits(), 0b1_1111);
    }

    #[test]
    fn a_token_without_a_guid_is_refused() {
        let mut list = NvList::new();
        list.add("object", 1_u64).expect("a valid pair");
        let error = ResumeToken::from_list(list.borrow()).expect_err("not complete");
        assert_eq!(error.kind(), Kind::BadStream);
    }
}
