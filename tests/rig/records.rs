//! Records of the native logic as the host's callers see them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The generated types, for bindings of the component's world.
pub use stratalog::plugin::bindings::log::types as wit;
use stratalog::{
    CompactOptions, Compaction, CompactionPlan, Damage, Error, EventFault, Finding, Garbage,
    GarbageReason, InvalidEvent, NoLog, RepairAction, RepairStep, Stats, StoreFailure, Stranded,
    Tier, TooLong, TrimPoint, TrimResult, VerifyProgress, WriteFailure, WriteFate, Written,
};
use stratalog_guest::decide::options::CompactInput;
use stratalog_guest::drive::{compactor, repair, stat, trimmer, verifier, writer};
use stratalog_guest::error as native;
use stratalog_guest::format::names::LogName;

/// Names each field once: a record that grows elsewhere must grow here.
macro_rules! same_fields {
    ($($function:ident: $from:path => $to:path { $($field:ident),* })*) => {
        $(pub(crate) fn $function(from: $from) -> $to {
            type From = $from;
            let From { $($field),* } = from;
            $to { $($field),* }
        })*
    };
}

same_fields! {
    written: writer::Written => Written { batches, events, bytes }
    plan: compactor::CompactionPlan => CompactionPlan {
        batches, segments, bytes, garbage_objects, garbage_bytes
    }
    tier: stat::Tier => Tier { tier, segments, bytes }
    compact_options: CompactInput => CompactOptions {
        full, fan_in, segment_bytes_max, batches_max
    }
    damage: native::Damage => Damage { object, expected, found }
    no_log: native::NoLog => NoLog { name, below, more }
}

pub(crate) fn trimmed(done: trimmer::TrimResult) -> TrimResult {
    let trimmer::TrimResult { events, segments, bytes, rewritten_bytes, .. } = done;
    let trimmer::TrimResult { absorbed_batches, first_position, live_batches, held_by, .. } = done;
    TrimResult {
        events,
        segments,
        bytes,
        rewritten_bytes,
        absorbed_batches,
        first_position,
        live_batches,
        held_by: held_by.map(|name| name.as_str().to_owned()),
    }
}

pub(crate) fn compaction(done: compactor::Compaction) -> Compaction {
    let compactor::Compaction { batches, segments, events, bytes, new_segments, new_key } = done;
    let merged_files = batches + segments;
    Compaction { merged_files, batches, segments, events, bytes, new_segments, new_key }
}

/// Parses the name of a log.
pub(crate) fn log_name(name: &str) -> Result<LogName, Error> {
    LogName::parse(name).map_err(error)
}

/// An error of the logic as the host's callers see it.
pub(crate) fn error(error: native::Error) -> Error {
    match error {
        native::Error::InvalidInput(message) => Error::InvalidInput(message),
        native::Error::InvalidEvent { line, fault } => {
            let fault = match fault {
                native::EventFault::Empty => EventFault::Empty,
                native::EventFault::LineFeed => EventFault::LineFeed,
                native::EventFault::TooLong { bytes, bytes_max } => {
                    EventFault::TooLong(TooLong { bytes, bytes_max })
                }
                native::EventFault::Unterminated => EventFault::Unterminated,
            };
            Error::InvalidEvent(InvalidEvent { line, fault })
        }
        native::Error::WriteFailed(failure) => {
            let native::WriteFailure { object, fate, events_pending, message, transient } = failure;
            let fate = match fate {
                native::WriteFate::Durable => WriteFate::Durable,
                native::WriteFate::NotWritten => WriteFate::NotWritten,
                native::WriteFate::Unknown => WriteFate::Unknown,
            };
            Error::WriteFailed(WriteFailure { object, fate, events_pending, message, transient })
        }
        native::Error::StoreFailed { message, transient } => {
            Error::StoreFailed(StoreFailure { message, transient })
        }
        native::Error::Damaged(found) => Error::Damaged(damage(found)),
        native::Error::NoLog(absent) => Error::NoLog(no_log(absent)),
        native::Error::Conflict(message) => Error::Conflict(message),
        native::Error::Unsupported(message) => Error::Unsupported(message),
        native::Error::Closed => Error::Closed,
    }
}

/// Returns a time by its microseconds since 1970, as the logic has it.
pub fn time(micros: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(micros)
}

fn micros(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap().as_micros().try_into().unwrap()
}

pub(crate) fn stats(stats: stat::Stats) -> Stats {
    Stats {
        objects: stats.objects,
        batches: stats.batches,
        hidden_batches: stats.hidden_batches,
        segments: stats.segments,
        events: stats.events,
        lost_events: stats.lost_events,
        uncounted_batches: stats.uncounted_batches,
        bytes: stats.bytes,
        trimmed_events: stats.trimmed_events,
        generation: stats.generation.0,
        identity: stats.log.map(|log| log.to_string()),
        first_time: stats.first_time.map(time),
        last_time: stats.last_time.map(time),
        first_position: stats.first_position,
        next_position: stats.next_position,
        tiers: stats.tiers.into_iter().map(tier).collect(),
        garbage_objects: stats.garbage_objects,
        garbage_bytes: stats.garbage_bytes,
        unfinished_objects: stats.unfinished_objects,
        unfinished_bytes: stats.unfinished_bytes,
        absorbed_bytes: stats.absorbed_bytes,
        compacted_bytes: stats.compacted_bytes,
    }
}

pub(crate) fn native_trim_point(point: TrimPoint) -> trimmer::TrimPoint {
    match point {
        TrimPoint::Position(position) => trimmer::TrimPoint::Position(position),
        TrimPoint::Time(time) => trimmer::TrimPoint::Time(micros(time)),
        TrimPoint::KeepEvents(events) => trimmer::TrimPoint::KeepEvents(events),
    }
}

/// The inverse of [`native_trim_point`].
pub(crate) fn trim_point(point: trimmer::TrimPoint) -> TrimPoint {
    match point {
        trimmer::TrimPoint::Position(position) => TrimPoint::Position(position),
        trimmer::TrimPoint::Time(micros) => TrimPoint::Time(time(micros)),
        trimmer::TrimPoint::KeepEvents(events) => TrimPoint::KeepEvents(events),
    }
}

pub(crate) fn repair_step(step: repair::Step) -> RepairStep {
    let action = match step.action {
        repair::Action::SetAside => RepairAction::SetAside,
        repair::Action::Gone => RepairAction::Gone,
        repair::Action::Rebuild => RepairAction::Rebuild,
        repair::Action::StepBack => RepairAction::StepBack,
        repair::Action::StandIn => RepairAction::StandIn,
        repair::Action::Forget => RepairAction::Forget,
        repair::Action::Nothing(why) => RepairAction::Nothing(why),
    };
    RepairStep { damage: damage(step.damage), action, events_lost: step.events_lost }
}

pub(crate) fn checked(checked: verifier::VerifyProgress) -> VerifyProgress {
    VerifyProgress {
        objects: checked.objects,
        objects_total: checked.objects_total,
        bytes: checked.bytes,
        bytes_total: checked.bytes_total,
        events: checked.events,
        trimmed_events: checked.trimmed_events,
        findings: checked.findings.into_iter().map(finding).collect(),
    }
}

fn finding(finding: verifier::Finding) -> Finding {
    match finding {
        verifier::Finding::Damaged(found) => Finding::Damaged(damage(found)),
        verifier::Finding::Garbage { object, bytes, reason } => {
            let reason = match reason {
                verifier::GarbageReason::AbsorbedBatch => GarbageReason::AbsorbedBatch,
                verifier::GarbageReason::UnnamedSegment => GarbageReason::UnnamedSegment,
                verifier::GarbageReason::OldManifest => GarbageReason::OldManifest,
                verifier::GarbageReason::UnfinishedWrite => GarbageReason::UnfinishedWrite,
                verifier::GarbageReason::OldPosition => GarbageReason::OldPosition,
            };
            Finding::Garbage(Garbage { object, bytes, reason })
        }
        verifier::Finding::Stranded { object, bytes, before } => {
            Finding::Stranded(Stranded { object, bytes, before })
        }
    }
}
