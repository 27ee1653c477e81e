//! Values of the bindings to values of the logic and back: one total conversion each.

use super::bindings::exports::stratalog::log::append_log as export;
use super::bindings::exports::stratalog::log::{held_lines, repairs};
use super::bindings::stratalog::log::{held_bytes, object_store as import};
use super::imports::BytesHandle;
use crate::decide::cursor::Pending;
use crate::decide::options::{CompactInput, OptionsInput};
use crate::decide::page::Page;
use crate::drive::compactor::{Compaction, CompactionPlan};
use crate::drive::reader::{ReadOptions, Skipped};
use crate::drive::repair::{Action, Step};
use crate::drive::stat::{Stats, Tier};
use crate::drive::trimmer::{TrimOptions, TrimPoint, Trimmed};
use crate::drive::verifier::{Checked, Finding, GarbageReason};
use crate::drive::writer::Written;
use crate::error::{Damage, Error, EventFault, NoLog, WriteFate};
use crate::format::names::BatchName;
use crate::ports::{
    Chunk, EntryKind, HostBytes, ListPage, ListedObject, ReadFailure, StoreError, StoreErrorKind,
    Summary, WriteError,
};

impl From<import::StoreError> for StoreError {
    fn from(error: import::StoreError) -> Self {
        let kind = match error.kind {
            import::StoreErrorKind::NotFound => StoreErrorKind::NotFound,
            import::StoreErrorKind::NotAnObject => StoreErrorKind::NotAnObject,
            import::StoreErrorKind::PermissionDenied => StoreErrorKind::PermissionDenied,
            import::StoreErrorKind::Unavailable => StoreErrorKind::Unavailable,
            import::StoreErrorKind::Unsupported => StoreErrorKind::Unsupported,
            import::StoreErrorKind::Invalid => StoreErrorKind::Invalid,
            import::StoreErrorKind::Other => StoreErrorKind::Other,
        };
        Self { kind, message: error.message }
    }
}

impl From<import::WriteError> for WriteError {
    fn from(error: import::WriteError) -> Self {
        match error {
            import::WriteError::AlreadyExists => Self::AlreadyExists,
            import::WriteError::NotWritten(error) => Self::NotWritten(error.into()),
            import::WriteError::Unknown(error) => Self::Unknown(error.into()),
        }
    }
}

impl From<import::EntryKind> for EntryKind {
    fn from(kind: import::EntryKind) -> Self {
        match kind {
            import::EntryKind::Object => Self::Object,
            import::EntryKind::Folder => Self::Folder,
            import::EntryKind::Unfinished => Self::Unfinished,
            import::EntryKind::Link => Self::Link,
            import::EntryKind::Special => Self::Special,
        }
    }
}

impl From<import::ListPage> for ListPage {
    fn from(page: import::ListPage) -> Self {
        let objects = page.objects.into_iter();
        let objects = objects.map(|object| ListedObject {
            key: object.key,
            size: object.size,
            kind: object.kind.into(),
        });
        Self { objects: objects.collect(), more: page.more }
    }
}

impl From<held_bytes::Measure> for Summary {
    fn from(summary: held_bytes::Measure) -> Self {
        Self { digest: summary.digest, line_feeds: summary.line_feeds }
    }
}

impl From<import::Chunk> for Chunk<BytesHandle> {
    fn from(chunk: import::Chunk) -> Self {
        Self { part: chunk.part, bytes: chunk.bytes.into(), last: chunk.last }
    }
}

impl From<import::ReadFailure> for ReadFailure {
    fn from(failure: import::ReadFailure) -> Self {
        Self { part: failure.part, error: failure.error.into() }
    }
}

impl From<export::Options> for OptionsInput {
    fn from(options: export::Options) -> Self {
        Self {
            flush_threshold: options.flush_threshold,
            flush_bytes: options.flush_bytes,
            flush_interval_ms: options.flush_interval_ms,
            event_bytes_max: options.event_bytes_max,
            buffer_bytes_max: options.buffer_bytes_max,
        }
    }
}

impl TryFrom<export::Pending> for Pending {
    type Error = Error;

    fn try_from(pending: export::Pending) -> Result<Self, Error> {
        let sealed = pending.sealed.map(|sealed| {
            let name = BatchName::parse(&sealed.name).ok_or_else(|| {
                Error::InvalidInput(format!("sealed batch {:?}: not a batch's name", sealed.name))
            })?;
            Ok((name, sealed.lines))
        });
        Ok(Self {
            writer: pending.writer,
            last_time: pending.last_time,
            sealed: sealed.transpose()?,
            lines: pending.lines,
        })
    }
}

impl From<Pending> for export::Pending {
    fn from(pending: Pending) -> Self {
        let sealed = pending.sealed;
        Self {
            writer: pending.writer,
            last_time: pending.last_time,
            sealed: sealed
                .map(|(name, lines)| export::SealedBatch { name: name.to_string(), lines }),
            lines: pending.lines,
        }
    }
}

impl From<Page<BytesHandle>> for export::Page {
    fn from(page: Page<BytesHandle>) -> Self {
        let lines = page.lines.map(|lines| lines.read()).unwrap_or_default();
        Self { lines, events: page.events, missed: page.missed }
    }
}

impl From<Page<BytesHandle>> for held_lines::HeldPage {
    fn from(page: Page<BytesHandle>) -> Self {
        let lines = page.lines.map(BytesHandle::into_handle);
        Self { lines, events: page.events, missed: page.missed }
    }
}

impl TryFrom<export::ReadOptions> for ReadOptions {
    type Error = Error;

    fn try_from(options: export::ReadOptions) -> Result<Self, Error> {
        Ok(Self {
            start: options.start,
            last: options.last,
            limit: options.limit,
            since: options.since,
            until: options.until,
            pending: options.pending.map(TryInto::try_into).transpose()?,
        })
    }
}

impl From<export::CompactOptions> for CompactInput {
    fn from(options: export::CompactOptions) -> Self {
        Self {
            full: options.full,
            fan_in: options.fan_in,
            segment_bytes_max: options.segment_bytes_max,
            batches_max: options.batches_max,
        }
    }
}

impl From<export::TrimPoint> for TrimPoint {
    fn from(point: export::TrimPoint) -> Self {
        match point {
            export::TrimPoint::Position(position) => Self::Position(position),
            export::TrimPoint::Time(time) => Self::Time(time),
            export::TrimPoint::KeepEvents(events) => Self::KeepEvents(events),
        }
    }
}

impl From<export::TrimOptions> for TrimOptions {
    fn from(options: export::TrimOptions) -> Self {
        Self { lazy: options.lazy }
    }
}

impl From<Trimmed> for export::Trimmed {
    fn from(trimmed: Trimmed) -> Self {
        Self {
            events: trimmed.events,
            segments: trimmed.segments,
            bytes: trimmed.bytes,
            rewritten_bytes: trimmed.rewritten_bytes,
            absorbed_batches: trimmed.absorbed_batches,
            first_position: trimmed.first_position,
            live_batches: trimmed.live_batches,
        }
    }
}

impl From<CompactionPlan> for export::CompactionPlan {
    fn from(plan: CompactionPlan) -> Self {
        Self {
            batches: plan.batches,
            segments: plan.segments,
            bytes: plan.bytes,
            garbage_objects: plan.garbage_objects,
            garbage_bytes: plan.garbage_bytes,
        }
    }
}

impl From<Checked> for export::Checked {
    fn from(checked: Checked) -> Self {
        Self {
            objects: checked.objects,
            objects_total: checked.objects_total,
            bytes: checked.bytes,
            bytes_total: checked.bytes_total,
            events: checked.events,
            trimmed_events: checked.trimmed_events,
            findings: checked.findings.into_iter().map(export::Finding::from).collect(),
        }
    }
}

impl From<Finding> for export::Finding {
    fn from(finding: Finding) -> Self {
        match finding {
            Finding::Damaged(damage) => Self::Damaged(damage.into()),
            Finding::Garbage { object, bytes, reason } => {
                let reason = match reason {
                    GarbageReason::AbsorbedBatch => export::LeftoverReason::AbsorbedBatch,
                    GarbageReason::UnnamedSegment => export::LeftoverReason::UnnamedSegment,
                    GarbageReason::OldManifest => export::LeftoverReason::OldManifest,
                    GarbageReason::UnfinishedWrite => export::LeftoverReason::UnfinishedWrite,
                };
                Self::Leftover(export::Leftover { object, bytes, reason })
            }
        }
    }
}

impl From<Damage> for export::Damage {
    fn from(damage: Damage) -> Self {
        let Damage { object, expected, found } = damage;
        Self { object, expected, found }
    }
}

impl From<Tier> for export::Tier {
    fn from(tier: Tier) -> Self {
        let Tier { tier, segments, bytes } = tier;
        Self { tier, segments, bytes }
    }
}

impl From<Written> for export::Written {
    fn from(written: Written) -> Self {
        Self { batches: written.batches, events: written.events, bytes: written.bytes }
    }
}

impl From<Compaction> for export::Compaction {
    fn from(done: Compaction) -> Self {
        Self {
            merged_files: done.batches.saturating_add(done.segments),
            batches: done.batches,
            segments: done.segments,
            events: done.events,
            bytes: done.bytes,
            new_segments: done.new_segments,
            new_key: done.new_key,
        }
    }
}

impl From<Stats> for export::Stats {
    fn from(stats: Stats) -> Self {
        Self {
            objects: stats.objects,
            batches: stats.batches,
            segments: stats.segments,
            events: stats.events,
            lost_events: stats.lost_events,
            uncounted_batches: stats.uncounted_batches,
            bytes: stats.bytes,
            trimmed_events: stats.trimmed_events,
            generation: stats.generation.0,
            identity: stats.log.map(|log| log.to_string()),
            first_time: stats.first_time,
            last_time: stats.last_time,
            first_position: stats.first_position,
            next_position: stats.next_position,
            tiers: stats.tiers.into_iter().map(export::Tier::from).collect(),
            garbage_objects: stats.garbage_objects,
            garbage_bytes: stats.garbage_bytes,
            unfinished_objects: stats.unfinished_objects,
            unfinished_bytes: stats.unfinished_bytes,
            absorbed_bytes: stats.absorbed_bytes,
            compacted_bytes: stats.compacted_bytes,
        }
    }
}

/// An error of the logic as the caller sees it.
pub(super) fn error(error: Error) -> export::Error {
    match error {
        Error::InvalidInput(message) => export::Error::InvalidInput(message),
        Error::InvalidEvent { line, fault } => {
            let fault = match fault {
                EventFault::Empty => export::EventFault::Empty,
                EventFault::LineFeed => export::EventFault::LineFeed,
                EventFault::TooLong { bytes, bytes_max } => {
                    export::EventFault::TooLong(export::TooLong { bytes, bytes_max })
                }
                EventFault::Unterminated => export::EventFault::Unterminated,
            };
            export::Error::InvalidEvent(export::InvalidEvent { line, fault })
        }
        Error::WriteFailed(failure) => export::Error::WriteFailed(export::WriteFailure {
            object: failure.object,
            fate: match failure.fate {
                WriteFate::Durable => export::WriteFate::Durable,
                WriteFate::NotWritten => export::WriteFate::NotWritten,
                WriteFate::Unknown => export::WriteFate::Unknown,
            },
            events_held: failure.events_held,
            message: failure.message,
            transient: failure.transient,
        }),
        Error::StoreFailed { message, transient } => {
            export::Error::StoreFailed(export::StoreFailure { message, transient })
        }
        Error::Damaged(damage) => export::Error::Damaged(damage.into()),
        Error::NoLog(NoLog { name, below, more }) => {
            export::Error::NoLog(export::NoLog { name, below, more })
        }
        Error::Conflict(message) => export::Error::Conflict(message),
        Error::Unsupported(message) => export::Error::Unsupported(message),
        Error::Closed => export::Error::Closed,
    }
}

impl From<Skipped> for repairs::Skipped {
    fn from(skipped: Skipped) -> Self {
        Self { damage: skipped.damage.into(), events: skipped.events }
    }
}

impl From<Step> for repairs::RepairStep {
    fn from(step: Step) -> Self {
        let action = match step.action {
            Action::SetAside => repairs::RepairAction::SetAside,
            Action::Gone => repairs::RepairAction::Gone,
            Action::Rebuild => repairs::RepairAction::Rebuild,
            Action::StepBack => repairs::RepairAction::StepBack,
            Action::StandIn => repairs::RepairAction::StandIn,
            Action::Forget => repairs::RepairAction::Forget,
            Action::Nothing(why) => repairs::RepairAction::Nothing(why),
        };
        Self { damage: step.damage.into(), action, events_lost: step.events_lost }
    }
}
