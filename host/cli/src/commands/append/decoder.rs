//! Reads one input in blocks, and decompresses compressed data.
//!
//! 1. A block of uncompressed data is returned as soon as a read returns, even a small one.
//! 2. Damaged data is a fault that names its place in the input. The data decompressed before it
//!    has been returned by then.
//! 3. Memory is bounded by blocks and by the window of the compression.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufRead, IsTerminal as _, Read, StdinLock};

use crate::commands::append::nature::{Nature, Packing, Unfit, named, nature};
use crate::numbers::to_u64;
use crate::process::exit::Code;
use crate::terminal::streams::read_once;

mod members;

use members::{Gzip, Zstd};

/// The most bytes of a block.
pub(crate) const BLOCK_BYTES: usize = 256 * 1024;

/// The reason why an input cannot be read any further, and the exit code.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) message: String,
}

/// An open input.
pub(crate) enum Stream {
    Stdin(StdinLock<'static>),
    File(File),
    Empty,
}

/// Reads the blocks of one input.
pub(crate) struct Decoder {
    name: String,
    content: Content,
    /// Read to check it, and not returned yet.
    first: Option<Vec<u8>>,
    /// Returned after the data in `first`.
    fault: Option<Fault>,
}

enum Content {
    Plain(Raw),
    Gzip(Box<Gzip>),
    Zstd(Box<Zstd>),
}

impl Decoder {
    /// Starts to read an input, as it is (`binary`) or as text, which may be compressed.
    pub(crate) fn begin(name: &str, stream: Stream, binary: bool) -> Result<Self, Fault> {
        let mut raw = Raw::new(stream);
        let content = if binary {
            Content::Plain(raw)
        } else {
            let nature = match raw.nature() {
                Ok(nature) => nature,
                Err(error) => return Err(raw.cannot_read(name, &error)),
            };
            match nature {
                Nature::Packed(Packing::Gzip) => Content::Gzip(Box::new(Gzip::new(raw))),
                Nature::Packed(Packing::Zstd) => Content::Zstd(Box::new(Zstd::new(raw))),
                nature => {
                    if let (Nature::Text { .. }, Some(named)) = (&nature, named(name)) {
                        return Err(Fault::unfit(name, Unfit::NotPacked { named }));
                    }
                    raw.consume(text(name, nature)?);
                    Content::Plain(raw)
                }
            }
        };
        let (first, fault) = (None, None);
        let mut decoder = Self { name: name.to_owned(), content, first, fault };
        if !matches!(decoder.content, Content::Plain(_)) {
            decoder.look_within()?;
        }
        Ok(decoder)
    }

    /// Returns the next bytes; none at the end.
    pub(crate) fn next_block(&mut self) -> Result<Vec<u8>, Fault> {
        if let Some(first) = self.first.take().filter(|first| !first.is_empty()) {
            return Ok(first);
        }
        match self.fault.take() {
            Some(fault) => Err(fault),
            None => self.decode(),
        }
    }

    /// Checks that the decompressed data is text.
    fn look_within(&mut self) -> Result<(), Fault> {
        let mut head = Vec::new();
        let nature = loop {
            let ended = match self.decode() {
                Ok(block) => {
                    head.extend_from_slice(&block);
                    block.is_empty()
                }
                Err(fault) => {
                    self.fault = Some(fault);
                    true
                }
            };
            if let Some(nature) = nature(&head, ended) {
                break nature;
            }
        };
        let mark_bytes = match nature {
            Nature::Unfit(Unfit::OtherPacking { .. }) => {
                return Err(Fault::unfit(&self.name, Unfit::PackedTwice));
            }
            nature => text(&self.name, nature)?,
        };
        self.first = Some(head.split_off(mark_bytes));
        Ok(())
    }

    fn decode(&mut self) -> Result<Vec<u8>, Fault> {
        let name = &self.name;
        match &mut self.content {
            Content::Plain(raw) => raw.take_block().map_err(|error| raw.cannot_read(name, &error)),
            Content::Gzip(gzip) => read_block(|block| gzip.read(block))
                .map_err(|error| gzip.raw().fault(name, Packing::Gzip, &*error)),
            Content::Zstd(zstd) => read_block(|block| zstd.read(block))
                .map_err(|error| zstd.raw().fault(name, Packing::Zstd, &*error)),
        }
    }
}

/// Returns the length of the byte order mark, if the input is text.
fn text(name: &str, nature: Nature) -> Result<usize, Fault> {
    match nature {
        Nature::Text { mark_bytes } => Ok(mark_bytes),
        Nature::Unfit(unfit) => Err(Fault::unfit(name, unfit)),
        Nature::Packed(_) => Err(Fault::unfit(name, Unfit::PackedTwice)),
    }
}

type AnyError = Box<dyn Error + Send + Sync>;

fn read_block(
    read: impl FnOnce(&mut [u8]) -> Result<usize, AnyError>,
) -> Result<Vec<u8>, AnyError> {
    let mut block = vec![0; BLOCK_BYTES];
    let length = read(&mut block)?;
    block.truncate(length);
    Ok(block)
}

/// The raw bytes of an input, read ahead by a block.
struct Raw {
    stream: Stream,
    block: Vec<u8>,
    /// The processed bytes of the block.
    done: usize,
    /// The processed bytes of the input.
    position: u64,
    /// The error of the system, which the decoder may hide.
    failed: Option<io::Error>,
    /// Queried before reading, since a closed terminal no longer looks like one.
    is_terminal: bool,
}

impl Raw {
    fn new(stream: Stream) -> Self {
        let is_terminal = match &stream {
            Stream::Stdin(stdin) => stdin.is_terminal(),
            Stream::File(file) => file.is_terminal(),
            Stream::Empty => false,
        };
        Self { stream, block: Vec::new(), done: 0, position: 0, failed: None, is_terminal }
    }

    /// Reads until the first bytes determine the nature.
    fn nature(&mut self) -> io::Result<Nature> {
        let mut ended = false;
        loop {
            if let Some(nature) = nature(&self.block, ended) {
                return Ok(nature);
            }
            let more = self.read_stream()?;
            ended = more.is_empty();
            self.block.extend_from_slice(&more);
        }
    }

    /// Returns the next block: data read ahead, or else the data of one read.
    fn take_block(&mut self) -> io::Result<Vec<u8>> {
        let ahead = std::mem::take(&mut self.block).split_off(std::mem::take(&mut self.done));
        if ahead.is_empty() { self.read_stream() } else { Ok(ahead) }
    }

    fn read_stream(&mut self) -> io::Result<Vec<u8>> {
        let mut block = vec![0; BLOCK_BYTES];
        let length = match &mut self.stream {
            // A read as large as this one bypasses its small buffer.
            Stream::Stdin(stdin) => read_once(stdin, &mut block),
            Stream::File(file) => read_once(file, &mut block),
            Stream::Empty => Ok(0),
        }?;
        block.truncate(length);
        Ok(block)
    }

    /// Returns the fault for an error of the system. A closed terminal hangs up, which counts as
    /// SIGHUP: the process may not get that signal.
    fn cannot_read(&self, name: &str, error: &io::Error) -> Fault {
        if self.is_terminal && is_hang_up(error) {
            let message = format!("cannot read {name} any further: its terminal was closed");
            return Fault { code: Code::Signal(SIGHUP), message };
        }
        Fault::read(name, error)
    }

    /// Returns the fault for an error of a decoder.
    fn fault(&self, name: &str, packing: Packing, error: &(dyn Error + 'static)) -> Fault {
        if let Some(failed) = &self.failed {
            return self.cannot_read(name, failed);
        }
        let (packing, position) = (packing.name(), self.position);
        let message = if is_cut_off(error) {
            format!("cannot read {name}: its {packing} data are cut off at byte {position}")
        } else {
            format!(
                "cannot read {name}: its {packing} data are damaged before byte {position}: {error}"
            )
        };
        Fault { code: Code::Input, message }
    }
}

impl BufRead for Raw {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.done >= self.block.len() {
            self.done = 0;
            self.block = match self.read_stream() {
                Ok(block) => block,
                Err(error) => {
                    let kind = error.kind();
                    self.failed = Some(error);
                    return Err(kind.into());
                }
            };
        }
        Ok(self.block.get(self.done..).unwrap_or_default())
    }

    fn consume(&mut self, bytes: usize) {
        self.done += bytes;
        self.position += to_u64(bytes);
    }
}

impl Read for Raw {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

/// The number of the signal of a closed terminal.
const SIGHUP: u8 = 1;

/// Returns whether a read failed because its terminal was closed.
#[cfg(unix)]
fn is_hang_up(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

#[cfg(not(unix))]
fn is_hang_up(_: &io::Error) -> bool {
    false
}

/// Returns whether the data ended too early.
fn is_cut_off(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<io::Error>();
        if io.is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof) {
            return true;
        }
        cause = error.source();
    }
    false
}

impl Fault {
    /// The fault of a failed read.
    pub(crate) fn read(name: &str, error: &io::Error) -> Self {
        Self { code: Code::Failed, message: format!("cannot read {name}: {error}") }
    }

    /// The fault of an input that has no lines.
    pub(crate) fn unfit(name: &str, unfit: Unfit) -> Self {
        Self { code: Code::Input, message: unfit.of(name) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn terminal_that_is_closed_ends_as_by_its_signal() {
        let errno = |errno: rustix::io::Errno| io::Error::from(errno);
        let (closed, other) = (rustix::io::Errno::IO, rustix::io::Errno::ISDIR);
        for (is_terminal, error, code) in [
            (true, errno(closed), Code::Signal(1)),
            (true, errno(other), Code::Failed),
            (false, errno(closed), Code::Failed),
        ] {
            let raw = Raw { is_terminal, ..Raw::new(Stream::File(tempfile::tempfile().unwrap())) };
            let fault = raw.cannot_read("stdin", &error);
            assert_eq!(fault.code, code, "{}", fault.message);
        }
    }
}
