//! Frames over two descriptors. Nothing is read ahead: behind a frame, the kernel reads from the same descriptor.

use std::fmt;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::codec::Malformed;
use super::frame::{BadHeader, HEADER, Header};
use super::message::{Reply, Request};

/// A pipe that has room takes so many bytes without blocking.
const NEVER_BLOCKS: usize = rustix::pipe::PIPE_BUF;

/// Two descriptors, and how long to wait for the other side.
#[derive(Debug)]
pub struct Channel {
    input: PipeReader,
    out: PipeWriter,
    patience: Duration,
    longest: u32,
}

/// Why a channel cannot be used any more. What the other side has done, it does not tell.
#[derive(Debug)]
pub enum Broken {
    /// The other side has closed it.
    Closed,
    /// Nothing moved for so long.
    Silent(Duration),
    /// What came is no frame.
    Header(BadHeader),
    /// A frame that holds no message.
    Malformed(Malformed),
    /// A message that does not belong here.
    OutOfTurn(String),
    /// The descriptor.
    Io(io::Error),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the connection was closed"),
            Self::Silent(patience) => write!(f, "no answer for {} s", patience.as_secs()),
            Self::Header(error) => error.fmt(f),
            Self::Malformed(error) => error.fmt(f),
            Self::OutOfTurn(what) => write!(f, "{what}, which is out of turn"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Broken {}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Io(error),
        }
    }
}

impl Channel {
    /// A channel that takes messages of up to `longest` bytes, and gives up after `patience` without a byte.
    pub fn new(input: PipeReader, out: PipeWriter, patience: Duration, longest: u32) -> Self {
        Self {
            input,
            out,
            patience,
            longest,
        }
    }

    /// How long it waits.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Waits so long from now on.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Another handle of the descriptor that is read from, for a stream.
    pub fn way_in(&self) -> io::Result<PipeReader> {
        self.input.try_clone()
    }

    /// Another handle of the descriptor that is written to, for a stream.
    pub fn way_out(&self) -> io::Result<PipeWriter> {
        self.out.try_clone()
    }

    /// Writes a request.
    pub fn ask(&mut self, number: u32, request: &Request) -> Result<(), Broken> {
        write_frame(&mut self.out, self.patience, request.kind(), number, &request.encode())
    }

    /// Writes an answer.
    pub fn answer(&mut self, number: u32, reply: &Reply) -> Result<(), Broken> {
        write_frame(&mut self.out, self.patience, reply.kind(), number, &reply.encode())
    }

    /// Waits for a request.
    pub fn request(&mut self) -> Result<(u32, Request), Broken> {
        let (header, bytes) = self.frame()?;
        let request = Request::decode(header.kind, &bytes).map_err(Broken::Malformed)?;
        Ok((header.request, request))
    }

    /// Waits for an answer to request `number`.
    pub fn reply(&mut self, number: u32) -> Result<Reply, Broken> {
        let (header, bytes) = self.frame()?;
        if header.request != number {
            return Err(Broken::OutOfTurn(format!("an answer to request {}", header.request)));
        }
        Reply::decode(header.kind, &bytes).map_err(Broken::Malformed)
    }

    /// Waits for a frame, whatever is in it.
    pub fn frame(&mut self) -> Result<(Header, Vec<u8>), Broken> {
        read_frame(&mut self.input, self.patience, self.longest)
    }

    /// Waits until there is something to read, or `patience` is over.
    pub fn wait_readable(&self, patience: Duration) -> Result<(), Broken> {
        wait(self.input.as_fd(), PollFlags::IN, Instant::now() + patience, patience)
    }
}

/// Whether something could be written into a pipe right now.
pub fn has_room(out: &PipeWriter) -> bool {
    wait(out.as_fd(), PollFlags::OUT, Instant::now(), Duration::ZERO).is_ok()
}

/// Reads one frame.
pub fn read_frame(input: &mut PipeReader, patience: Duration, longest: u32) -> Result<(Header, Vec<u8>), Broken> {
    let mut bytes = [0; HEADER];
    read_exact(input, &mut bytes, patience)?;
    let header = Header::decode(bytes, longest).map_err(Broken::Header)?;
    let mut body = vec![0; usize::try_from(header.length).unwrap_or(0)];
    read_exact(input, &mut body, patience)?;
    Ok((header, body))
}

/// Writes one frame.
pub fn write_frame(
    out: &mut PipeWriter,
    patience: Duration,
    kind: u8,
    request: u32,
    body: &[u8],
) -> Result<(), Broken> {
    let length = u32::try_from(body.len()).map_err(|_| Broken::Malformed(Malformed::TooLong { by: body.len() }))?;
    let header = Header { kind, request, length }.encode();
    // N.B. one buffer: a header of its own would be a packet of its own on the network.
    write_all(out, &[&header, body].concat(), patience)
}

fn read_exact(input: &mut PipeReader, mut bytes: &mut [u8], patience: Duration) -> Result<(), Broken> {
    while !bytes.is_empty() {
        wait(input.as_fd(), PollFlags::IN, Instant::now() + patience, patience)?;
        match input.read(bytes) {
            Ok(0) => return Err(Broken::Closed),
            Ok(read) => bytes = &mut bytes[read..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Reads so many bytes, all of them `within` that time.
pub fn read_within(mut input: &PipeReader, mut bytes: &mut [u8], within: Duration) -> Result<(), Broken> {
    let deadline = Instant::now() + within;
    while !bytes.is_empty() {
        wait(input.as_fd(), PollFlags::IN, deadline, within)?;
        match input.read(bytes) {
            Ok(0) => return Err(Broken::Closed),
            Ok(read) => bytes = &mut bytes[read..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn write_all(out: &mut PipeWriter, mut bytes: &[u8], patience: Duration) -> Result<(), Broken> {
    while !bytes.is_empty() {
        wait(out.as_fd(), PollFlags::OUT, Instant::now() + patience, patience)?;
        match out.write(&bytes[..bytes.len().min(NEVER_BLOCKS)]) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn wait(fd: BorrowedFd<'_>, events: PollFlags, deadline: Instant, patience: Duration) -> Result<(), Broken> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).map_err(|_| Broken::Silent(patience))?;
        match poll(&mut [PollFd::from_borrowed_fd(fd, events)], Some(&timeout)) {
            Ok(0) => return Err(Broken::Silent(patience)),
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Broken::Io(error.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame::LONGEST_REQUEST;

    const SOON: Duration = Duration::from_millis(50);

    fn channel() -> (Channel, PipeWriter) {
        let (input, feed) = io::pipe().unwrap();
        let (_, out) = io::pipe().unwrap();
        (Channel::new(input, out, SOON, LONGEST_REQUEST), feed)
    }

    fn received(bytes: &[u8]) -> Result<(u32, Request), Broken> {
        let (mut channel, mut feed) = channel();
        feed.write_all(bytes).unwrap();
        channel.request()
    }

    #[test]
    fn nothing_is_read_behind_a_frame() {
        let (mut channel, mut feed) = channel();
        write_frame(&mut feed, SOON, 0x0b, 5, &[]).unwrap();
        feed.write_all(b"the stream").unwrap();
        assert!(matches!(channel.request(), Ok((5, Request::Ping()))));
        let mut rest = [0; 10];
        channel.way_in().unwrap().read_exact(&mut rest).unwrap();
        assert_eq!(&rest, b"the stream");
    }

    #[test]
    fn silence_and_an_early_end_are_told_apart() {
        let (mut channel, feed) = channel();
        assert!(matches!(channel.request(), Err(Broken::Silent(_))));
        drop(feed);
        assert!(matches!(channel.request(), Err(Broken::Closed)));
    }

    #[test]
    fn rubbish_is_refused_before_anything_is_allocated_for_it() {
        assert!(matches!(received(&[0; 64]), Err(Broken::Header(BadHeader::Magic(_)))));
        let long = Header {
            kind: 1,
            request: 1,
            length: LONGEST_REQUEST + 1,
        }
        .encode();
        assert!(matches!(
            received(&long),
            Err(Broken::Header(BadHeader::TooLong { .. }))
        ));
    }

    #[test]
    fn a_reader_that_does_not_read_is_given_up() {
        let (_unread, mut out) = io::pipe().unwrap();
        let result = write_frame(&mut out, SOON, 0x40, 1, &vec![0; 4 << 20]);
        assert!(matches!(result, Err(Broken::Silent(_))));
    }
}
