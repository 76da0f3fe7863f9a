//! The copying path of a stream, for those who asked for something that needs it: a filter command, compression, a limit of the rate.
//!
//! Without one of these, a stream goes from the kernel into the connection and from the connection into the kernel, and this is not used.
//!
//! ```text
//!  out:  kernel -> pipe -> filter -> zstd -> limit -> frames -> connection
//!  in:   connection -> frames -> zstd -> filter -> pipe -> kernel
//! ```

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Memory of a decoder, as a power of two: the peer must not choose it.
const LARGEST_WINDOW: u32 = 23;

use crate::host::{Error, ErrorKind};
use crate::os;
use crate::wire::channel::{read_frame, write_frame};
use crate::wire::message::{CHUNK, Encoding};

/// The content of a frame. The other side must hold one.
const CHUNK_SIZE: usize = 128 << 10;

/// zstd's default: fast, and already most of what it can do.
const LEVEL: i32 = 3;

/// How streams travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// On the wire.
    pub encoding: Encoding,
    /// The most bytes in a second.
    pub rate: Option<u64>,
    /// A command of the sender's shell (`ZREP_OUTFILTER`).
    pub outfilter: Option<String>,
    /// A command of the receiver's shell (`ZREP_INFILTER`).
    pub infilter: Option<String>,
}

impl Way {
    /// From descriptor to descriptor.
    pub const PLAIN: Self = Self {
        encoding: Encoding::Plain,
        rate: None,
        outfilter: None,
        infilter: None,
    };

    /// The same for a stream that is copied anyway. Only a kernel sees where a plain one ends; who copies needs frames.
    #[must_use]
    pub fn copying(&self) -> Self {
        match self.encoding {
            Encoding::Plain => Self {
                encoding: Encoding::Chunks,
                ..self.clone()
            },
            Encoding::Chunks | Encoding::Zstd => self.clone(),
        }
    }

    /// What the user asked for.
    pub fn new(rate: Option<u64>, compress: bool, outfilter: Option<String>, infilter: Option<String>) -> Self {
        let copies = rate.is_some() || outfilter.is_some() || infilter.is_some();
        let encoding = match (compress, copies) {
            (true, _) => Encoding::Zstd,
            (false, true) => Encoding::Chunks,
            (false, false) => Encoding::Plain,
        };
        Self {
            encoding,
            rate,
            outfilter,
            infilter,
        }
    }
}

/// The copying of one stream, if it is copied at all.
#[derive(Debug)]
#[must_use = "whether all was copied is known at its end"]
pub struct Relay(Option<JoinHandle<io::Result<()>>>);

impl Relay {
    /// Waits until all is copied.
    ///
    /// # Errors
    ///
    /// A filter that failed, above all: it is the cause of a stream that ended early.
    pub fn join(self) -> Result<(), Error> {
        let Some(thread) = self.0 else { return Ok(()) };
        let result = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        result.map_err(|error| Error::new(ErrorKind::Interrupted, format!("{error}")))
    }
}

/// A way out to the connection: what is written into the pipe arrives there in the encoding.
///
/// # Errors
///
/// No pipe, no thread, or no filter.
pub fn outward(way: &Way, mut out: PipeWriter, number: u32, patience: Duration) -> io::Result<(PipeWriter, Relay)> {
    if way.encoding == Encoding::Plain {
        return Ok((out, Relay(None)));
    }
    let (mut from, into) = os::stream_pipe()?;
    let filter = way
        .outfilter
        .as_deref()
        .map(|text| Filter::behind(text, &mut from))
        .transpose()?;
    let (encoding, mut limit) = (way.encoding, Limit::new(way.rate));
    let thread = thread::Builder::new().name("relay".into()).spawn(move || {
        let _undisturbed = zfs_ffi::signals::BlockAll::new();
        let chunks = Chunks {
            out: &mut out,
            number,
            patience,
            limit: &mut limit,
        };
        match encoding {
            Encoding::Plain | Encoding::Chunks => copy(&mut from, chunks)?.end()?,
            Encoding::Zstd => copy(&mut from, zstd::Encoder::new(chunks, LEVEL)?)?.finish()?.end()?,
        }
        filter.map_or(Ok(()), Filter::end)
    })?;
    Ok((into, Relay(Some(thread))))
}

/// A way in from the connection: the pipe has the stream as it was before it was encoded.
///
/// # Errors
///
/// No pipe, no thread, or no filter.
pub fn inward(way: &Way, input: PipeReader, patience: Duration) -> io::Result<(PipeReader, Relay)> {
    if way.encoding == Encoding::Plain {
        return Ok((input, Relay(None)));
    }
    let (from, mut into) = os::stream_pipe()?;
    let filter = way
        .infilter
        .as_deref()
        .map(|text| Filter::before(text, &mut into))
        .transpose()?;
    let (encoding, limit) = (way.encoding, Limit::new(way.rate));
    let thread = thread::Builder::new().name("relay".into()).spawn(move || {
        let _undisturbed = zfs_ffi::signals::BlockAll::new();
        let mut frames = Frames {
            input,
            patience,
            limit,
            rest: Vec::new(),
            at: 0,
            ended: false,
        };
        match encoding {
            Encoding::Plain | Encoding::Chunks => drop(copy(&mut frames, &mut into)?),
            Encoding::Zstd => {
                let mut decoder = zstd::Decoder::new(&mut frames)?;
                decoder.window_log_max(LARGEST_WINDOW)?;
                let _ = copy(&mut decoder, &mut into)?;
            }
        }
        // N.B. the frame that ends the stream must be read, too: an answer is behind it.
        io::copy(&mut frames, &mut io::sink())?;
        drop(into);
        filter.map_or(Ok(()), Filter::end)
    })?;
    Ok((from, Relay(Some(thread))))
}

fn copy<W: Write>(from: &mut impl Read, mut into: W) -> io::Result<W> {
    let mut buffer = vec![0; CHUNK_SIZE];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(into),
            Ok(read) => into.write_all(&buffer[..read])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Writes each piece as a frame.
struct Chunks<'a> {
    out: &'a mut PipeWriter,
    number: u32,
    patience: Duration,
    limit: &'a mut Limit,
}

impl Chunks<'_> {
    fn end(self) -> io::Result<()> {
        write_frame(self.out, self.patience, CHUNK, self.number, &[]).map_err(io::Error::other)
    }
}

impl Write for Chunks<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let chunk = &bytes[..bytes.len().min(CHUNK_SIZE)];
        if !chunk.is_empty() {
            self.limit.pass(chunk.len());
            write_frame(self.out, self.patience, CHUNK, self.number, chunk).map_err(io::Error::other)?;
        }
        Ok(chunk.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads what is in the frames, up to the empty one.
struct Frames {
    input: PipeReader,
    patience: Duration,
    limit: Limit,
    rest: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Read for Frames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.rest.len() && !self.ended {
            let longest = u32::try_from(CHUNK_SIZE).unwrap_or(u32::MAX);
            let (header, body) = read_frame(&mut self.input, self.patience, longest).map_err(io::Error::other)?;
            if header.kind != CHUNK {
                return Err(io::Error::other(format!(
                    "a message of type {:#04x} inside a stream",
                    header.kind
                )));
            }
            self.limit.pass(body.len());
            (self.ended, self.rest, self.at) = (body.is_empty(), body, 0);
        }
        let available = &self.rest[self.at..];
        let taken = available.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&available[..taken]);
        self.at += taken;
        Ok(taken)
    }
}

/// Lets so many bytes pass in a second. A second's worth may pass at once.
#[derive(Debug)]
struct Limit {
    rate: Option<u64>,
    begun: Instant,
    passed: u64,
}

impl Limit {
    fn new(rate: Option<u64>) -> Self {
        Self {
            rate,
            begun: Instant::now(),
            passed: 0,
        }
    }

    fn pass(&mut self, bytes: usize) {
        let Some(rate) = self.rate.filter(|rate| *rate > 0) else {
            return;
        };
        self.passed += bytes as u64;
        let due = Duration::from_secs_f64(self.passed as f64 / rate as f64);
        thread::sleep(due.saturating_sub(self.begun.elapsed()));
    }
}

/// A command of the user's shell that a stream passes through.
#[derive(Debug)]
struct Filter {
    text: String,
    child: Child,
}

impl Filter {
    /// Puts itself behind `from`: what was to be read there goes through the command first.
    fn behind(text: &str, from: &mut PipeReader) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        let input = std::mem::replace(from, reader);
        Self::start(text, input.into(), writer.into())
    }

    /// Puts itself before `into`.
    fn before(text: &str, into: &mut PipeWriter) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        let out = std::mem::replace(into, writer);
        Self::start(text, reader.into(), out.into())
    }

    fn start(text: &str, input: Stdio, out: Stdio) -> io::Result<Self> {
        let mut command = Command::new("sh");
        let child = command.args(["-c", text]).stdin(input).stdout(out).spawn();
        let child = child.map_err(|error| io::Error::new(error.kind(), format!("filter {text:?}: {error}")))?;
        Ok(Self {
            text: text.to_owned(),
            child,
        })
    }

    fn end(mut self) -> io::Result<()> {
        let status = self.child.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(io::Error::other(format!("filter {:?} failed: {status}", self.text)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(5);

    /// Sends `data` there and back, with an answer behind it.
    fn round_trip(way: &Way, data: &[u8]) -> (Vec<u8>, Result<(), Error>) {
        let (input, out) = io::pipe().unwrap();
        let mut behind = out.try_clone().unwrap();
        let (mut into, relay_out) = outward(way, out, 7, SOON).unwrap();
        let (mut from, relay_in) = inward(way, input.try_clone().unwrap(), SOON).unwrap();
        let data = data.to_vec();
        let writer = thread::spawn(move || into.write_all(&data));
        let mut got = Vec::new();
        from.read_to_end(&mut got).unwrap();
        writer.join().unwrap().unwrap();
        let result = relay_out.join().and(relay_in.join());
        behind.write_all(b"!").unwrap();
        let mut answer = [0];
        (&input).read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"!", "nothing was read behind the stream");
        (got, result)
    }

    #[test]
    fn what_goes_in_comes_out() {
        let data: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
        let text = |text: &str| Some(text.to_owned());
        for way in [
            Way::new(Some(1 << 30), false, None, None),
            Way::new(None, true, None, None),
            Way::new(None, true, text("tr a b"), text("tr b a")),
        ] {
            let (got, result) = round_trip(&way, &data);
            result.unwrap();
            let same = if way.infilter.is_some() {
                got.len() == data.len()
            } else {
                got == data
            };
            assert!(same, "{way:?}");
        }
    }

    #[test]
    fn a_filter_that_fails_is_the_cause() {
        let way = Way::new(None, false, Some("head -c 3; exit 9".into()), None);
        let (got, result) = round_trip(&way, b"abc");
        assert_eq!(got, b"abc");
        assert!(result.unwrap_err().text.contains("exit status: 9"));
    }

    #[test]
    fn a_limit_lets_no_more_pass() {
        let mut limit = Limit::new(Some(1000));
        limit.pass(100);
        assert!(limit.begun.elapsed() >= Duration::from_millis(100));
    }
}
