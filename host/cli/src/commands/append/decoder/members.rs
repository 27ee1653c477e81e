//! Decompresses the members of gzip data and the frames of zstd data.
//!
//! Zeros after a member or a frame are padding, as for the `gzip` tool: tapes and some file systems
//! add them.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{AnyError, Raw, Stream};

/// The largest accepted window of zstd data, as for the `zstd` tool without an option.
const ZSTD_WINDOW_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// The first byte of a gzip member.
const GZIP_FIRST_BYTE: u8 = 0x1f;

/// The first byte of a zstd frame with data.
const ZSTD_FIRST_BYTE: u8 = 0x28;

/// The first byte of a zstd frame to skip, without its low 4 bits.
const ZSTD_SKIPPED_FIRST_BYTE: u8 = 0x50;

const NOT_ZSTD: &str = "bytes that are not zstd data follow";

/// Decompresses the members of gzip data, one after the other.
pub(super) struct Gzip(GzDecoder<Raw>);

impl Gzip {
    pub(super) fn new(raw: Raw) -> Self {
        Self(GzDecoder::new(raw))
    }

    pub(super) fn raw(&self) -> &Raw {
        self.0.get_ref()
    }

    pub(super) fn read(&mut self, block: &mut [u8]) -> Result<usize, AnyError> {
        loop {
            let read = self.0.read(block)?;
            if read > 0 || !self.begin_member()? {
                return Ok(read);
            }
        }
    }

    /// Begins the next member. False: no member is left.
    fn begin_member(&mut self) -> Result<bool, AnyError> {
        let Some(next) = skip_padding(self.0.get_mut())? else { return Ok(false) };
        if next != GZIP_FIRST_BYTE {
            return Err("bytes that are not gzip data follow".into());
        }
        let ended = Raw::new(Stream::Empty);
        self.0 = GzDecoder::new(std::mem::replace(self.0.get_mut(), ended));
        Ok(true)
    }
}

/// Skips zeros. Returns the byte after them, which is not consumed; none at the end.
fn skip_padding(raw: &mut Raw) -> io::Result<Option<u8>> {
    loop {
        let ahead = raw.fill_buf()?;
        let zeros = ahead.iter().take_while(|byte| **byte == 0).count();
        let next = ahead.get(zeros).copied();
        let is_end = ahead.is_empty();
        raw.consume(zeros);
        if next.is_some() || is_end {
            return Ok(next);
        }
    }
}

/// Decompresses the frames of zstd data, one after the other.
pub(super) struct Zstd {
    raw: Raw,
    frame: FrameDecoder,
    in_frame: bool,
}

impl Zstd {
    pub(super) fn new(raw: Raw) -> Self {
        let mut frame = FrameDecoder::new();
        frame.set_max_window_size(ZSTD_WINDOW_BYTES_MAX);
        Self { raw, frame, in_frame: false }
    }

    pub(super) fn raw(&self) -> &Raw {
        &self.raw
    }

    pub(super) fn read(&mut self, block: &mut [u8]) -> Result<usize, AnyError> {
        loop {
            if !self.in_frame && !self.begin_frame()? {
                return Ok(0);
            }
            while self.frame.can_collect() == 0 && !self.frame.is_finished() {
                self.frame.decode_blocks(&mut self.raw, BlockDecodingStrategy::UptoBlocks(1))?;
            }
            let read = self.frame.read(block)?;
            if read > 0 {
                return Ok(read);
            }
            self.in_frame = false;
            let stored = self.frame.get_checksum_from_data();
            if stored.is_some() && stored != self.frame.get_calculated_checksum() {
                return Err("the checksum of a frame does not match".into());
            }
        }
    }

    /// Reads the header of the next frame with data. False: no frame is left.
    fn begin_frame(&mut self) -> Result<bool, AnyError> {
        while let Some(next) = skip_padding(&mut self.raw)? {
            if next != ZSTD_FIRST_BYTE && next & 0xf0 != ZSTD_SKIPPED_FIRST_BYTE {
                return Err(NOT_ZSTD.into());
            }
            match self.frame.reset(&mut self.raw) {
                Ok(()) => {
                    self.in_frame = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let mut skipped = self.raw.by_ref().take(length.into());
                    if io::copy(&mut skipped, &mut io::sink())? < u64::from(length) {
                        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
                    }
                }
                Err(FrameDecoderError::ReadFrameHeaderError(
                    ReadFrameHeaderError::BadMagicNumber(_),
                )) => return Err(NOT_ZSTD.into()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }
}
