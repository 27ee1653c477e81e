//! Finds the logs among sorted entries, and counts what their names tell.
//!
//! 1. Names and sizes decide, and nothing else. What they do not tell is none, never a guess.
//! 2. The entries below a folder follow each other. So only the folders around the last entry are
//!    open, and memory does not grow with the number of logs or of objects.
//! 3. A log has the objects directly in its folder. What lies deeper is of other logs, or of none.

use crate::error::Error;
use crate::format::names::{
    BatchName, BatchTime, Generation, LogName, Marker, MirrorMark, ObjectName, PositionName,
    PositionObject,
};
use crate::ports::{EntryKind, ListedObject};

/// A log, as far as the names and the sizes of its objects tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SurveyedLog {
    pub name: String,
    pub batches: u64,
    /// The events in the batches whose names have their number.
    pub batch_events: u64,
    /// Batches whose names do not have their number of events.
    pub uncounted_batches: u64,
    pub batch_bytes: u64,
    /// Segments of a generation up to the highest manifest.
    pub segments: u64,
    pub segment_bytes: u64,
    /// Segments of a later generation.
    pub uncommitted_segments: u64,
    pub generation: Generation,
    pub first_batch_time: Option<BatchTime>,
    pub last_batch_time: Option<BatchTime>,
    /// True if it has the mark of a mirror, and that of an ended one.
    pub mirror: bool,
    pub mirror_ended: bool,
    /// Names of positions, also of forgotten ones.
    pub positions: u64,
    /// Batches, manifests, segments and indexes.
    pub objects: u64,
    pub unfinished_objects: u64,
    pub foreign_objects: u64,
    /// Entries under the name of an object that are no objects.
    pub misplaced_entries: u64,
    /// True if a name shows that the log was compacted, or that a compaction has begun.
    pub compacted: bool,
}

impl SurveyedLog {
    /// The events of the log, if its names tell: it was never compacted, and each batch has its
    /// number of events in its name.
    pub fn events(&self) -> Option<u64> {
        let tells = !self.compacted && self.uncounted_batches == 0;
        tells.then_some(self.batch_events)
    }

    /// The bytes of its batches and segments.
    pub fn bytes(&self) -> u64 {
        self.batch_bytes.saturating_add(self.segment_bytes)
    }
}

/// A search for logs in the entries of a folder and of all folders below it.
pub struct Surveyor {
    /// The key of the innermost open folder, with its slash; empty for the root.
    path: String,
    /// The open folders, from the one that is searched to the innermost.
    open: Vec<Folder>,
    /// The key of the last entry.
    last: String,
}

/// A folder around the last entry.
#[derive(Default)]
struct Folder {
    /// The length of its key.
    end: usize,
    counted: SurveyedLog,
    /// The last batch. A batch under two names counts once, and the two follow each other.
    batch: Option<BatchName>,
    /// The last name of a position.
    position: Option<PositionName>,
    /// Objects of a log, by any number of names.
    is_log: bool,
}

impl Surveyor {
    /// Begins a search below a folder, whose key ends with a slash; empty for the root.
    pub fn new(folder: &str) -> Self {
        let base = Folder { end: folder.len(), ..Folder::default() };
        Self { path: folder.to_owned(), open: vec![base], last: String::new() }
    }

    /// Takes the next entries, and adds the logs whose entries are complete to `found`.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if an entry is outside of the folder or out of order.
    pub fn next(
        &mut self,
        entries: &[ListedObject],
        found: &mut Vec<SurveyedLog>,
    ) -> Result<(), Error> {
        entries.iter().try_for_each(|entry| self.take(entry, found))
    }

    /// Adds the last logs to `found`: there are no more entries.
    pub fn finish(&mut self, found: &mut Vec<SurveyedLog>) {
        while let Some(folder) = self.open.pop() {
            self.close(folder, found);
        }
    }

    fn take(&mut self, entry: &ListedObject, found: &mut Vec<SurveyedLog>) -> Result<(), Error> {
        let key = entry.key.as_str();
        let base = self.open.first().map_or("", |base| self.path.get(..base.end).unwrap_or(""));
        if !key.starts_with(base) || (key <= self.last.as_str() && !self.last.is_empty()) {
            return Err(Error::InvalidInput(format!(
                "cannot search for logs: {key:?} is not below {base:?}, or does not come after \
                 {:?}; pass the entries of one folder, sorted by key",
                self.last
            )));
        }
        self.last.clear();
        self.last.push_str(key);
        // The folder that is searched is around every entry.
        while !key.starts_with(&self.path)
            && let Some(folder) = self.open.pop()
        {
            self.close(folder, found);
        }
        let mut name = key.get(self.path.len()..).unwrap_or("");
        while let Some((folder, rest)) = name.split_once('/') {
            self.enter(folder);
            name = rest;
        }
        if let Some(folder) = self.open.last_mut().filter(|_| !name.is_empty()) {
            folder.count(name, entry);
        }
        Ok(())
    }

    /// Opens a folder in the innermost open one.
    fn enter(&mut self, name: &str) {
        if let Some(around) = self.open.last_mut()
            && is_of_log(name)
        {
            around.counted.misplaced_entries += 1;
        }
        self.path.push_str(name);
        self.path.push('/');
        self.open.push(Folder { end: self.path.len(), ..Folder::default() });
    }

    /// Closes the innermost folder, which was open.
    fn close(&mut self, folder: Folder, found: &mut Vec<SurveyedLog>) {
        let key = self.path.get(..folder.end).unwrap_or("");
        let name = key.strip_suffix('/').unwrap_or(key);
        // No log has a name that is not valid.
        let is_found = folder.is_log && (name.is_empty() || LogName::parse(name).is_ok());
        if is_found {
            found.push(SurveyedLog { name: name.to_owned(), ..folder.counted });
        }
        self.path.truncate(self.open.last().map_or(0, |around| around.end));
    }
}

impl Folder {
    fn count(&mut self, name: &str, entry: &ListedObject) {
        match entry.kind {
            EntryKind::Object => self.count_object(name, entry.size),
            EntryKind::Unfinished => self.counted.unfinished_objects += 1,
            EntryKind::Folder | EntryKind::Link | EntryKind::Special => {
                self.counted.misplaced_entries += u64::from(is_of_log(name));
            }
        }
    }

    fn count_object(&mut self, name: &str, size: u64) {
        let log = &mut self.counted;
        let Some(object) = ObjectName::parse(name) else {
            if let Some(position) = PositionObject::parse(name) {
                log.positions += u64::from(self.position.as_ref() != Some(&position.name));
                self.position = Some(position.name);
            } else if Marker::parse(name).is_some() {
                log.compacted = true;
            } else if let Some(mark) = MirrorMark::parse(name) {
                log.mirror |= mark == MirrorMark::Begun;
                log.mirror_ended |= mark == MirrorMark::Ended;
            } else {
                log.foreign_objects += 1;
            }
            return;
        };
        self.is_log = true;
        log.objects += 1;
        log.compacted |= !matches!(object, ObjectName::Batch(_));
        match object {
            ObjectName::Batch(batch) if self.batch == Some(batch) => {}
            ObjectName::Batch(batch) => {
                self.batch = Some(batch);
                log.batches += 1;
                log.batch_bytes = log.batch_bytes.saturating_add(size);
                match batch.origin {
                    Some(origin) => {
                        log.batch_events = log.batch_events.saturating_add(origin.events);
                    }
                    None => log.uncounted_batches += 1,
                }
                log.first_batch_time = log.first_batch_time.or(Some(batch.time));
                log.last_batch_time = Some(batch.time);
            }
            ObjectName::Manifest(generation) => log.generation = generation,
            // Keys of manifests come before those of segments.
            ObjectName::Segment(segment) if segment.generation <= log.generation => {
                log.segments += 1;
                log.segment_bytes = log.segment_bytes.saturating_add(size);
            }
            ObjectName::Segment(_) => log.uncommitted_segments += 1,
            ObjectName::Index(_) => {}
        }
    }
}

/// Returns true if an object of a log may have this name.
fn is_of_log(name: &str) -> bool {
    ObjectName::parse(name).is_some()
        || Marker::parse(name).is_some()
        || MirrorMark::parse(name).is_some()
        || PositionObject::parse(name).is_some()
}

#[cfg(test)]
mod tests;
