//! Copies segments and indexes.
//!
//! 1. An index is created before its segment, as in a compaction.

use super::new_object::NewObject;
use super::{Copier, Done};
use crate::decide::source::{Request, Source};
use crate::drive::existing;
use crate::drive::interrupted::Interrupted;
use crate::drive::source_reader::SourceReader;
use crate::error::Error;
use crate::format::index::Index;
use crate::format::manifest::SegmentRecord;
use crate::format::names::ObjectName;
use crate::format::segment::SegmentRange;
use crate::ports::{Store, System};

impl<S: Store, Y: System> Copier<S, Y> {
    /// Copies a segment and its index.
    pub(super) fn copy_segment(&mut self, segment: &SegmentRecord) -> Result<Done, Error> {
        let Some(index) = self.copy_index(segment)? else { return Ok(Done::Overtaken) };
        let key = self.to.name.key(segment.name);
        let (store, log, name) = (&self.to.store, &self.to.name, segment.name);
        let mut object = NewObject::new(store, key);
        if segment.bytes > 0 {
            let bytes = 0..segment.bytes;
            let (position, batches) = (segment.position, index.batches.clone());
            let range = SegmentRange { segment: *segment, batches, position, bytes };
            let sources = vec![Source::range(range)];
            let mut read = SourceReader::new(&self.from, sources, Request::Recorded);
            loop {
                match read.next() {
                    Ok(Some(chunk)) => object.write(chunk.lines)?,
                    Ok(None) => break,
                    Err(Interrupted::Gone(_)) => {
                        self.gone = Some(ObjectName::Segment(name));
                        return Ok(Done::Overtaken);
                    }
                    Err(Interrupted::Failed(error)) => return Err(error),
                }
            }
        }
        object.finish(|| existing::check_segment(store, log, name, &index.batches))?;
        Ok(Done::Whole)
    }

    /// Copies the index of a trimmed segment.
    pub(super) fn copy_retired(&mut self, segment: &SegmentRecord) -> Result<Done, Error> {
        match self.copy_index(segment)? {
            Some(_) => Ok(Done::Whole),
            // In format 1 that of a trimmed segment may be gone.
            None if segment.index.is_none() => Ok(Done::Whole),
            None => Ok(Done::Overtaken),
        }
    }

    /// Copies an index. None if it is gone.
    fn copy_index(&mut self, segment: &SegmentRecord) -> Result<Option<Index>, Error> {
        let name = segment.name.index();
        let Some(bytes) = self.from.get(name)? else {
            self.gone = Some(ObjectName::Index(name));
            return Ok(None);
        };
        let index = Index::decode(segment, &bytes);
        let index = index.map_err(|damage| self.from.damaged(damage))?;
        self.create(&self.to.name.key(name), &bytes)?;
        Ok(Some(index))
    }
}
