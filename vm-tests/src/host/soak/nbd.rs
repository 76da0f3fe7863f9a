//! As much of the network block device protocol as QEMU's client needs: one export,
//! reads, writes and flushes. All numbers are big endian.

use std::io::{self, Read, Write};

use anyhow::{Context, Result, bail, ensure};

const HELLO: u64 = 0x4e42_444d_4147_4943;
const OPTION: u64 = 0x4948_4156_454f_5054;
const OPTION_REPLY: u64 = 0x0003_e889_0455_65a9;
const REQUEST: u32 = 0x2560_9513;
const REPLY: u32 = 0x6744_6698;

/// Fixed newstyle, and no padding.
const SERVER_FLAGS: u16 = 1 | 2;

const OPT_EXPORT_NAME: u32 = 1;
const OPT_ABORT: u32 = 2;
const OPT_GO: u32 = 7;

const REP_ACK: u32 = 1;
const REP_INFO: u32 = 3;
const REP_UNSUPPORTED: u32 = (1 << 31) | 1;

const INFO_EXPORT: u16 = 0;

/// There are flags, and flushes are understood. Nothing else is announced: QEMU then makes
/// a forced write from a write and a flush.
const EXPORT_FLAGS: u16 = 1 | 4;

/// The most that a client may ask of one request.
const LONGEST: u32 = 32 << 20;

/// What the client wants.
#[derive(Debug)]
pub enum Wish {
    Read { offset: u64, length: usize },
    Write { offset: u64, data: Vec<u8> },
    Flush,
    Leave,
}

/// A wish, and the client's own number for it.
#[derive(Debug)]
pub struct Request {
    pub cookie: u64,
    pub wish: Wish,
}

/// Negotiates until the client wants to begin. What it asks for beyond the export it
/// can do without.
pub fn welcome(stream: &mut (impl Read + Write), size: u64) -> Result<()> {
    let mut hello = Vec::new();
    hello.extend(HELLO.to_be_bytes());
    hello.extend(OPTION.to_be_bytes());
    hello.extend(SERVER_FLAGS.to_be_bytes());
    stream.write_all(&hello)?;
    u32_from(stream)?;
    loop {
        ensure!(u64_from(stream)? == OPTION, "no option where one must come");
        let option = u32_from(stream)?;
        let length = u32_from(stream)?;
        ensure!(length <= LONGEST, "an option of {length} bytes");
        bytes_from(stream, usize::try_from(length)?)?;
        match option {
            OPT_GO => {
                let mut info = INFO_EXPORT.to_be_bytes().to_vec();
                info.extend(export(size));
                answer(stream, option, REP_INFO, &info)?;
                answer(stream, option, REP_ACK, &[])?;
                return Ok(());
            }
            OPT_EXPORT_NAME => return Ok(stream.write_all(&export(size))?),
            OPT_ABORT => bail!("the client left"),
            _ => answer(stream, option, REP_UNSUPPORTED, &[])?,
        }
    }
}

fn export(size: u64) -> Vec<u8> {
    [&size.to_be_bytes()[..], &EXPORT_FLAGS.to_be_bytes()].concat()
}

fn answer(stream: &mut impl Write, option: u32, kind: u32, data: &[u8]) -> Result<()> {
    let mut text = OPTION_REPLY.to_be_bytes().to_vec();
    text.extend(option.to_be_bytes());
    text.extend(kind.to_be_bytes());
    text.extend(u32::try_from(data.len())?.to_be_bytes());
    text.extend(data);
    Ok(stream.write_all(&text)?)
}

/// Reads the next request; `None` when the client is gone between two.
pub fn request(stream: &mut impl Read) -> Result<Option<Request>> {
    let mut magic = [0; 4];
    match stream.read_exact(&mut magic) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        done => done?,
    }
    ensure!(u32::from_be_bytes(magic) == REQUEST, "no request where one must come");
    let _flags = u16_from(stream)?;
    let kind = u16_from(stream)?;
    let cookie = u64_from(stream)?;
    let offset = u64_from(stream)?;
    let length = u32_from(stream)?;
    ensure!(length <= LONGEST, "a request of {length} bytes");
    let length = usize::try_from(length)?;
    let wish = match kind {
        0 => Wish::Read { offset, length },
        1 => Wish::Write {
            offset,
            data: bytes_from(stream, length).context("the data of a write")?,
        },
        2 => Wish::Leave,
        3 => Wish::Flush,
        _ => bail!("a request of kind {kind}, which was not offered"),
    };
    Ok(Some(Request { cookie, wish }))
}

/// Answers a request, with the data of a read.
pub fn reply(stream: &mut impl Write, cookie: u64, data: &[u8]) -> Result<()> {
    let mut text = REPLY.to_be_bytes().to_vec();
    text.extend(0_u32.to_be_bytes());
    text.extend(cookie.to_be_bytes());
    text.extend(data);
    Ok(stream.write_all(&text)?)
}

fn bytes_from(stream: &mut impl Read, length: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn u16_from(stream: &mut impl Read) -> Result<u16> {
    let mut bytes = [0; 2];
    stream.read_exact(&mut bytes)?;
    Ok(u16::from_be_bytes(bytes))
}

fn u32_from(stream: &mut impl Read) -> Result<u32> {
    let mut bytes = [0; 4];
    stream.read_exact(&mut bytes)?;
    Ok(u32::from_be_bytes(bytes))
}

fn u64_from(stream: &mut impl Read) -> Result<u64> {
    let mut bytes = [0; 8];
    stream.read_exact(&mut bytes)?;
    Ok(u64::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(kind: u16, offset: u64, length: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = REQUEST.to_be_bytes().to_vec();
        bytes.extend([0, 0]);
        bytes.extend(kind.to_be_bytes());
        bytes.extend(7_u64.to_be_bytes());
        bytes.extend(offset.to_be_bytes());
        bytes.extend(length.to_be_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn a_write_comes_with_its_data() {
        let bytes = asked(1, 512, 3, b"abc");
        let found = request(&mut bytes.as_slice()).unwrap().unwrap();
        assert_eq!(found.cookie, 7);
        assert!(matches!(found.wish, Wish::Write { offset: 512, data } if data == b"abc"));
    }

    #[test]
    fn a_client_that_was_killed_is_gone_and_one_that_talks_nonsense_is_an_error() {
        assert!(request(&mut [].as_slice()).unwrap().is_none());
        assert!(request(&mut asked(1, 0, 3, b"ab").as_slice()).is_err(), "half a write");
        assert!(request(&mut asked(4, 0, 3, b"").as_slice()).is_err(), "a trim");
        assert!(request(&mut [0; 28].as_slice()).is_err());
    }
}
