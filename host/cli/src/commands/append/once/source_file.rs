//! A file that grows: its lines, each once.
//!
//! 1. Only whole lines are taken. A file that was rotated and does not grow any more ends with its
//!    last line, with or without an LF.
//! 2. Every read begins with bytes that were read before. If they have changed, the file was
//!    truncated and written again, however long it is by now.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::fingerprint::{COMPARED_BYTES_MAX, Ends, Fingerprint, Likeness};
use super::read_at::{FileId, read_at, read_into};
use super::state::{FileRecord, micros};
use crate::commands::append::decoder::BLOCK_BYTES;
use crate::numbers::{to_u64, to_usize};

/// A rotated file that has not grown for this long is complete: its writer has moved to the new
/// one.
pub(super) const COMPLETE_AFTER: Duration = Duration::from_secs(5);

/// A file that is being read.
pub(super) struct SourceFile {
    /// Tells it from the other files of the state.
    pub(super) number: u64,
    pub(super) id: FileId,
    /// Its place when it was opened, links followed.
    pub(super) place: PathBuf,
    /// The place that it had before it was rotated.
    pub(super) base: PathBuf,
    file: File,
    /// The bytes and the lines that were taken.
    pub(super) offset: u64,
    pub(super) lines: u64,
    ends: Ends,
    /// The bytes that were read last.
    block: Vec<u8>,
    /// Whole lines in them, from the offset on, that were not taken.
    ahead: Range<usize>,
    /// No LF is between the lines read and this offset.
    scanned: u64,
    /// The size and the time of the last read that found nothing new.
    seen: Option<(u64, Option<SystemTime>)>,
    modified: Option<SystemTime>,
    grew_at: Instant,
    /// True once its path leads to another file.
    pub(super) is_rotated: bool,
    /// True until its first lines are read, and the time of its last change before that.
    pub(super) is_new: bool,
    pub(super) opened_at: Option<SystemTime>,
}

/// The next part of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Whole lines can be taken.
    Lines,
    /// A line of more than the most bytes of an event, and its length.
    TooLong(u64),
    Nothing,
    /// The file has other bytes than were read before.
    Truncated,
}

impl SourceFile {
    /// Opens a file to read it from the beginning. One that was rotated had another place before.
    pub(super) fn open(path: &Path, base: Option<&Path>, number: u64) -> io::Result<Self> {
        let place = path.canonicalize()?;
        let file = File::open(&place)?;
        let metadata = file.metadata()?;
        Ok(Self {
            number,
            id: FileId::of(&metadata)?,
            base: base.unwrap_or(&place).to_owned(),
            place,
            file,
            offset: 0,
            lines: 0,
            ends: Ends::default(),
            block: Vec::new(),
            ahead: 0..0,
            scanned: 0,
            seen: None,
            modified: metadata.modified().ok(),
            grew_at: Instant::now(),
            is_rotated: false,
            is_new: true,
            opened_at: metadata.modified().ok(),
        })
    }

    /// Returns this file from its beginning: it was truncated.
    pub(super) fn again(&self, number: u64) -> io::Result<Self> {
        Ok(Self {
            number,
            id: self.id,
            place: self.place.clone(),
            base: self.base.clone(),
            file: self.file.try_clone()?,
            offset: 0,
            lines: 0,
            ends: Ends::default(),
            block: Vec::new(),
            ahead: 0..0,
            scanned: 0,
            seen: None,
            modified: self.modified,
            grew_at: Instant::now(),
            is_rotated: self.is_rotated,
            is_new: true,
            opened_at: self.modified,
        })
    }

    /// Opens a file at the place where it was left, if it is the one of the record.
    pub(super) fn reopen(path: &Path, record: &FileRecord) -> io::Result<Option<Self>> {
        let mut opened = Self::open(path, Some(&record.place), record.number)?;
        let (likeness, ends) = record.read.compare(&opened.file)?;
        match likeness {
            Likeness::Other => return Ok(None),
            Likeness::Same => (opened.offset, opened.ends) = (record.read.offset, ends),
            Likeness::Shorter => opened.pass_all()?,
        }
        opened.lines = record.lines;
        opened.scanned = opened.offset;
        (opened.is_rotated, opened.is_new) = (record.rotated, false);
        Ok(Some(opened))
    }

    /// Continues behind all that the file has: it was read before, and its end was lost.
    fn pass_all(&mut self) -> io::Result<()> {
        let bytes = self.file.metadata()?.len();
        let compared = bytes.min(COMPARED_BYTES_MAX);
        self.ends.head = read_at(&self.file, 0, compared)?;
        self.ends.tail = read_at(&self.file, bytes - compared, compared)?;
        self.offset = bytes;
        tracing::warn!(
            "{} has lost its end, which is in the log already: continuing behind byte {bytes}",
            self.place.display()
        );
        Ok(())
    }

    pub(super) fn record(&self, path: &Path) -> FileRecord {
        FileRecord {
            number: self.number,
            path: path.to_owned(),
            place: self.base.clone(),
            id: self.id,
            read: self.ends.fingerprint(self.offset),
            lines: self.lines,
            modified: self.opened_or_modified().and_then(micros),
            rotated: self.is_rotated,
            complete: false,
        }
    }

    /// Returns what this file and another one that may be a copy of it have in common.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.ends.fingerprint(self.offset)
    }

    pub(super) fn modified(&self) -> Option<SystemTime> {
        self.modified
    }

    /// Returns true if nothing of the file was read yet.
    pub(super) fn is_unread(&self) -> bool {
        self.offset == 0 && self.ahead().is_empty()
    }

    /// Returns the time of the last change of what was read.
    pub(super) fn opened_or_modified(&self) -> Option<SystemTime> {
        if self.is_unread() { self.opened_at } else { self.modified }
    }

    /// Returns the bytes of the file now.
    pub(super) fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Returns true if another file begins with the lines that were read first.
    pub(super) fn may_be_copied_to(&self, path: &Path) -> bool {
        let begins = |bytes| File::open(path).and_then(|file| read_at(&file, 0, bytes));
        self.offset == 0
            && !self.ahead().is_empty()
            && begins(to_u64(self.ahead().len())).is_ok_and(|bytes| bytes == self.ahead())
    }

    /// Returns the lines that were read and not taken.
    pub(super) fn ahead(&self) -> &[u8] {
        self.block.get(self.ahead.clone()).unwrap_or_default()
    }

    /// Takes bytes of these lines.
    pub(super) fn take(&mut self, bytes: usize, lines: u64) {
        let to = self.ahead.start.saturating_add(bytes).min(self.ahead.end);
        let taken = self.block.get(self.ahead.start..to).unwrap_or_default();
        self.ends.add(taken);
        // The LF that a last line lacks is not in the file.
        self.offset = self.offset.saturating_add(to_u64(bytes)).min(self.scanned.max(self.offset));
        self.lines += lines;
        self.ahead.start = to;
    }

    /// Passes over a line that is too long.
    pub(super) fn pass(&mut self, bytes: u64) -> io::Result<()> {
        let to = self.offset.saturating_add(bytes);
        let from = to.saturating_sub(COMPARED_BYTES_MAX).max(self.offset);
        if self.offset < COMPARED_BYTES_MAX {
            let head = read_at(&self.file, self.offset, bytes.min(COMPARED_BYTES_MAX))?;
            self.ends.add(&head);
        }
        self.ends.add(&read_at(&self.file, from, to - from)?);
        (self.offset, self.scanned) = (to, to);
        self.lines += 1;
        Ok(())
    }

    /// Reads the next lines, of which none is longer than `line_bytes_max`, up to an offset of the
    /// file.
    pub(super) fn read(&mut self, line_bytes_max: u64, up_to: u64) -> io::Result<Next> {
        if !self.ahead().is_empty() {
            return Ok(Next::Lines);
        }
        let metadata = self.file.metadata()?;
        let (size, modified) = (metadata.len(), metadata.modified().ok());
        if self.seen == Some((size, modified)) {
            // A file that rests takes no memory.
            self.block = Vec::new();
            return Ok(Next::Nothing);
        }
        if size < self.offset {
            return Ok(Next::Truncated);
        }
        loop {
            // A line is searched for its end, and read again once it is whole.
            let is_long = self.scanned.saturating_sub(self.offset) > line_bytes_max;
            let from = if is_long { self.scanned } else { self.offset };
            let overlap = if is_long { 0 } else { to_u64(self.ends.tail.len()).min(self.offset) };
            let open = self.scanned.saturating_sub(from);
            let wanted = open.saturating_add(to_u64(BLOCK_BYTES)).min(up_to.saturating_sub(from));
            self.ahead = 0..0;
            read_into(&self.file, from - overlap, overlap + wanted, &mut self.block)?;
            let Some((before, new)) = self.block.split_at_checked(to_usize(overlap)) else {
                return Ok(Next::Truncated);
            };
            if !is_long && before != self.ends.tail {
                return Ok(Next::Truncated);
            }
            // Not before: the files that came since are younger than what was read.
            if modified != self.modified {
                (self.modified, self.grew_at) = (modified, Instant::now());
            }
            let end =
                if is_long { memchr::memchr(b'\n', new) } else { memchr::memrchr(b'\n', new) };
            if let Some(end) = end {
                let whole = to_u64(end) + 1;
                self.scanned = from + whole;
                if is_long {
                    return Ok(Next::TooLong(self.scanned - self.offset));
                }
                self.ahead = to_usize(overlap)..to_usize(overlap + whole);
                return Ok(Next::Lines);
            }
            let scanned = from + to_u64(new.len());
            if scanned <= self.scanned {
                if scanned == size {
                    self.seen = Some((size, modified));
                }
                return Ok(Next::Nothing);
            }
            self.scanned = scanned;
        }
    }

    /// Ends a rotated file, of which all lines are taken, if it is complete. Its last line is taken
    /// as it is. None: it is not complete.
    pub(super) fn end(&mut self, line_bytes_max: u64) -> io::Result<Option<Next>> {
        let age = self.modified.and_then(|time| time.elapsed().ok()).unwrap_or_default();
        if !self.is_rotated || age.max(self.grew_at.elapsed()) < COMPLETE_AFTER {
            return Ok(None);
        }
        let open = self.open_bytes();
        if open == 0 {
            return Ok(Some(Next::Nothing));
        }
        if open > line_bytes_max {
            return Ok(Some(Next::TooLong(open)));
        }
        self.block = read_at(&self.file, self.offset, open)?;
        self.block.push(b'\n');
        self.ahead = 0..self.block.len();
        Ok(Some(Next::Lines))
    }

    /// Returns true if the file does not have the bytes any more that were read last.
    pub(super) fn was_truncated(&self) -> io::Result<bool> {
        let tail = to_u64(self.ends.tail.len());
        let from = self.offset.saturating_sub(tail);
        Ok(read_at(&self.file, from, tail)? != self.ends.tail)
    }

    /// Reads a stretch of the file again.
    pub(super) fn stretch(&self, from: u64, to: u64) -> io::Result<Vec<u8>> {
        read_at(&self.file, from, to.saturating_sub(from))
    }

    /// Returns the bytes of an incomplete last line.
    pub(super) fn open_bytes(&self) -> u64 {
        self.scanned.saturating_sub(self.offset)
    }
}
