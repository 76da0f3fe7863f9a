//! What `zfs send -nvt TOKEN` tells of an interrupted receive.

use crate::model::{Guid, Partial, ResumePoint, StreamFlags};

/// What comes before the contents.
const HEADLINE: &str = "resume token contents:";

/// Reads the contents, or gives `None` if they are not there. What else `zfs` says is about a send that nobody wants here.
pub(super) fn partial(text: &str) -> Option<Partial> {
    let contents = text.split_once(HEADLINE)?.1;
    let value = |name: &str| {
        let pairs = contents
            .lines()
            .filter(|line| line.starts_with('\t'))
            .filter_map(|line| line.trim().split_once(" = "));
        pairs
            .into_iter()
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
    };
    let number = |name: &str| value(name).and_then(hexadecimal);
    let has = |name: &str| value(name).is_some_and(|value| value != "0");
    Some(Partial {
        to_guid: Guid(number("toguid")?),
        from_guid: number("fromguid").filter(|&guid| guid != 0).map(Guid),
        to_name: value("toname")?.to_owned(),
        point: ResumePoint {
            object: number("object")?,
            offset: number("offset")?,
            bytes: number("bytes")?,
            stream: StreamFlags {
                large_blocks: has("largeblockok"),
                compressed: has("compressok"),
                embedded: has("embedok"),
                raw: has("rawok"),
            },
        },
    })
}

fn hexadecimal(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "resume token contents:\nnvlist version: 0\n\tobject = 0x2\n\toffset = 0x20000\n\tbytes = 0x3a9c8\n\
        \ttoguid = 0x7b6e1fa1bfa8a4b8\n\ttoname = src/f s@a\n\tfromguid = 0x1f\n\tcompressok = 1\n\tlargeblockok = 1\n\
        cannot resume send: 'src/f s@a' used in the initial send no longer exists\n";

    #[test]
    fn the_contents_are_read() {
        let partial = partial(TEXT).unwrap();
        assert_eq!(
            (partial.to_guid, partial.from_guid),
            (Guid(0x7b6e_1fa1_bfa8_a4b8), Some(Guid(31)))
        );
        assert_eq!(partial.to_name, "src/f s@a");
        let ResumePoint {
            object,
            offset,
            bytes,
            stream,
        } = partial.point;
        assert_eq!(
            (object, offset, bytes, stream),
            (2, 0x20000, 0x3a9c8, StreamFlags::plain())
        );
    }

    #[test]
    fn a_full_stream_has_no_base_and_other_text_no_contents() {
        let full = TEXT.replace("\tfromguid = 0x1f\n", "");
        assert_eq!(partial(&full).unwrap().from_guid, None);
        assert_eq!(partial("cannot resume send: token is corrupt"), None);
    }
}
