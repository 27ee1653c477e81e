//! The entries of a search for logs from the bindings, and the logs that it finds to them.

use crate::component::bindings::exports::stratalog::log::survey;
use crate::decide::survey::SurveyedLog;
use crate::ports::{EntryKind, ListedObject};

impl From<SurveyedLog> for survey::SurveyedLog {
    fn from(log: SurveyedLog) -> Self {
        Self {
            events: log.events(),
            bytes: log.bytes(),
            name: log.name,
            batches: log.batches,
            batch_events: log.batch_events,
            uncounted_batches: log.uncounted_batches,
            batch_bytes: log.batch_bytes,
            segments: log.segments,
            segment_bytes: log.segment_bytes,
            uncommitted_segments: log.uncommitted_segments,
            generation: log.generation.0,
            first_batch_time: log.first_batch_time.map(|time| time.micros()),
            last_batch_time: log.last_batch_time.map(|time| time.micros()),
            mirror: log.mirror && !log.mirror_ended,
            positions: log.positions,
            objects: log.objects,
            unfinished_objects: log.unfinished_objects,
            foreign_objects: log.foreign_objects,
            misplaced_entries: log.misplaced_entries,
        }
    }
}

impl From<survey::Entry> for ListedObject {
    fn from(entry: survey::Entry) -> Self {
        let kind = match entry.kind {
            survey::EntryKind::Object => EntryKind::Object,
            survey::EntryKind::Folder => EntryKind::Folder,
            survey::EntryKind::Unfinished => EntryKind::Unfinished,
            survey::EntryKind::Link => EntryKind::Link,
            survey::EntryKind::Special => EntryKind::Special,
        };
        Self { key: entry.key, size: entry.size, kind }
    }
}
