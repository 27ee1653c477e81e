//! A path, and the files that it leads to, one after the other.
//!
//! 1. A rotated file stays open, and is read to its end, before the file that has taken its place.
//!    A line that is written to the new file was written after all of the old one, unless several
//!    processes write. So the size of the new one is taken before the old one is read.
//! 2. What happened while nobody looked is found again: a file that was renamed or copied, and
//!    files that came and were rotated, too. What is not found is reported.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::read_at::FileId;
use super::rotation::{Rotated, copy_of, rotated};
use super::source_file::SourceFile;
use super::state::FileRecord;
use crate::terminal::human::count;

/// The number of complete files of a path that are remembered. They may lie next to it.
const COMPLETE_KEPT: usize = 100;

/// A path and its files.
pub(super) struct Tracked {
    pub(super) path: PathBuf,
    /// The oldest first.
    pub(super) files: VecDeque<SourceFile>,
    /// Rotated files that were read to their ends.
    complete: Vec<FileRecord>,
    /// The reason why the path cannot be opened, once it was reported.
    reported: Option<String>,
}

impl Tracked {
    /// Finds the files of a path again.
    pub(super) fn restore(path: &Path, records: &[FileRecord], next_number: &mut u64) -> Self {
        let of_path = records.iter().filter(|record| record.path == path);
        let (complete, open): (Vec<_>, Vec<_>) = of_path.cloned().partition(|of| of.complete);
        let (path, files) = (path.to_owned(), VecDeque::new());
        let mut tracked = Self { path, files, complete, reported: None };
        for record in &open {
            // One of which nothing was read is like those that came later: its copy is one of them.
            if record.read.offset > 0 {
                tracked.reopen(record);
            }
        }
        let last_read = open.iter().rfind(|record| record.read.offset > 0);
        if let Some(last) = last_read.or(open.first()) {
            let current = id_of(&tracked.path);
            let older = tracked.files.iter().take_while(|file| Some(file.id) != current).count();
            tracked.open_between(&last.place, last.modified(), older, next_number);
        }
        tracked.follow_path(next_number);
        tracked
    }

    fn reopen(&mut self, record: &FileRecord) {
        if let Some(file) = found(record) {
            self.files.push_back(file);
            return;
        }
        let (path, lines) = (record.path.display(), count(record.lines, "line", "lines"));
        tracing::warn!(
            "the file that was {path} is not found again: it was moved, compressed, written over or \
             deleted; {lines} of it, {} bytes, were read: any later line of it is not in the log",
            record.read.offset
        );
    }

    /// Returns true if a rotated file is open, or was read before.
    fn is_known(&self, rotated: &Rotated) -> bool {
        let is_same = |record: &&FileRecord| record.id == rotated.id && record.is(&rotated.path);
        self.files.iter().any(|file| file.id == rotated.id)
            || self.complete.iter().any(|record| is_same(&record))
    }

    /// Opens files that came and were rotated since a time, while nobody looked. They come before
    /// the file `at`.
    fn open_between(
        &mut self,
        place: &Path,
        modified: Option<SystemTime>,
        mut at: usize,
        next_number: &mut u64,
    ) {
        let current = id_of(&self.path);
        let is_new = |rotated: &Rotated| {
            Some(rotated.id) != current
                && modified.is_some_and(|modified| rotated.modified >= modified)
                && !self.is_known(rotated)
                && !self.files.get(at).is_some_and(|file| file.may_be_copied_to(&rotated.path))
        };
        let new: Vec<_> = rotated(place).into_iter().filter(is_new).collect();
        for Rotated { path, .. } in &new {
            match SourceFile::open(path, Some(place), *next_number) {
                Ok(mut file) => {
                    *next_number += 1;
                    (file.is_rotated, file.is_new) = (true, false);
                    tracing::info!("reading {}, which was rotated", path.display());
                    self.files.insert(at, file);
                    at += 1;
                }
                Err(error) => {
                    let (path, error) = (path.display(), error.to_string());
                    tracing::warn!("cannot open {path}: {error}; its lines are missing in the log");
                }
            }
        }
    }

    /// Opens the file that the path leads to, if that is another one than before.
    pub(super) fn follow_path(&mut self, next_number: &mut u64) {
        match self.opened(next_number) {
            Ok(()) => self.reported = None,
            Err(error) => {
                let why = match error.kind() {
                    ErrorKind::NotFound => "it does not exist; waiting for it".to_owned(),
                    _ => format!("{error}; trying again"),
                };
                // A file that is being rotated is gone for a moment.
                let is_rotating = error.kind() == ErrorKind::NotFound && !self.files.is_empty();
                if !is_rotating && self.reported.as_ref() != Some(&why) {
                    tracing::warn!("cannot read {}: {why}", self.path.display());
                    self.reported = Some(why);
                }
            }
        }
    }

    fn opened(&mut self, next_number: &mut u64) -> io::Result<()> {
        let metadata = fs::metadata(&self.path)?;
        if !metadata.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a file any more"));
        }
        let id = FileId::of(&metadata)?;
        if let Some(last) = self.files.back() {
            if last.id == id && !last.is_rotated {
                return Ok(());
            }
            // Its copies are older than the files that came after it.
            if last.was_truncated()? {
                self.restart(self.files.len() - 1, next_number)?;
            }
        }
        // One of which nothing was read is found again among those that came later, at its place.
        let unread = self.files.pop_back_if(|last| last.is_unread());
        if let Some(last) = unread.as_ref().or(self.files.back()) {
            let (base, modified) = (last.base.clone(), last.opened_or_modified());
            let at = self.files.len();
            self.open_between(&base, modified, at, next_number);
            let is_found = |unread: &SourceFile| self.files.iter().any(|file| file.id == unread.id);
            if let Some(unread) = unread.filter(|unread| !is_found(unread)) {
                self.files.insert(at, unread);
            }
        }
        let opened = SourceFile::open(&self.path, None, *next_number)?;
        *next_number += 1;
        self.files.iter_mut().for_each(|file| file.is_rotated = true);
        self.files.push_back(opened);
        Ok(())
    }

    /// Opens the files that a file was before its first lines were read: one that is truncated
    /// before that does not show it. Returns true if there are any.
    pub(super) fn open_before(&mut self, at: usize, next_number: &mut u64) -> bool {
        let Some(file) = self.files.get_mut(at).filter(|file| file.is_new) else { return false };
        file.is_new = false;
        let (base, modified, files) = (file.base.clone(), file.opened_at, self.files.len());
        self.open_between(&base, modified, at, next_number);
        self.files.len() > files
    }

    /// Leaves a file that was read to its end.
    pub(super) fn complete(&mut self, at: usize) {
        if let Some(file) = self.files.remove(at) {
            tracing::debug!("{} is complete", file.place.display());
            self.complete.push(FileRecord { complete: true, ..file.record(&self.path) });
        }
    }

    /// Returns the records of the files. Of those that are complete, the last ones are kept, and
    /// those of these numbers.
    pub(super) fn records(&mut self, needed: &[u64]) -> Vec<FileRecord> {
        let surplus = self.complete.len().saturating_sub(COMPLETE_KEPT);
        let mut place = 0;
        self.complete.retain(|record| {
            place += 1;
            place > surplus || needed.contains(&record.number)
        });
        let open = self.files.iter().map(|file| file.record(&self.path));
        self.complete.iter().cloned().chain(open).collect()
    }

    /// Begins a file again that was truncated. The rest of what it was is read from its copy, if
    /// there is one.
    pub(super) fn restart(&mut self, at: usize, next_number: &mut u64) -> io::Result<()> {
        let Some(old) = self.files.get(at) else { return Ok(()) };
        let (base, modified) = (old.base.clone(), old.modified());
        let restarted = old.again(*next_number)?;
        *next_number += 1;
        let rotated = rotated(&base);
        let copy = copy_of(&rotated, &old.fingerprint(), old.id);
        let record = old.record(&self.path);
        let copy = copy.map(|copy| SourceFile::reopen(&copy.path, &record)).transpose()?.flatten();
        let place = old.place.display().to_string();
        let begins_at = match copy {
            Some(mut copy) => {
                tracing::info!("{place} was truncated: reading the rest of its copy");
                copy.is_rotated = true;
                self.files.insert(at, copy);
                at + 1
            }
            None => {
                let offset = old.offset;
                tracing::warn!(
                    "{place} was truncated behind byte {offset}, and no copy of it is found: lines \
                     that were added last before that are missing in the log"
                );
                at
            }
        };
        if let Some(old) = self.files.get_mut(begins_at) {
            *old = restarted;
        }
        self.open_between(&base, modified, begins_at, next_number);
        Ok(())
    }
}

/// Finds the file of a record again, and opens it where it was left.
pub(super) fn found(record: &FileRecord) -> Option<SourceFile> {
    let FileRecord { path, place, id, read, .. } = record;
    let rotated = rotated(place);
    let candidates = [path.as_path(), place].into_iter();
    let here = candidates.filter(|path| id_of(path) == Some(*id)).map(Path::to_owned);
    let renamed = rotated.iter().filter(|rotated| rotated.id == *id);
    let renamed = renamed.map(|rotated| rotated.path.clone());
    let copied = copy_of(&rotated, read, *id).map(|copy| copy.path.clone());
    for found in here.chain(renamed).chain(copied) {
        match SourceFile::reopen(&found, record) {
            Ok(Some(mut file)) => {
                // A copy gets no more lines, whatever its path leads to.
                file.is_rotated |= id_of(path) != Some(file.id);
                return Some(file);
            }
            Ok(None) => {}
            Err(error) => tracing::debug!("cannot open {}: {error}", found.display()),
        }
    }
    None
}

fn id_of(path: &Path) -> Option<FileId> {
    FileId::of(&fs::metadata(path).ok()?).ok()
}
