//! Records of the native logic as the host's callers see them.

use stratalog::{
    Compaction, Error, EventFault, Finding, LeftoverReason, Stats, Tier, TrimPoint, Trimmed,
    Written,
};
use stratalog_guest as guest;

pub(crate) fn written(written: guest::drive::writer::Written) -> Written {
    let guest::drive::writer::Written { batches, events, bytes } = written;
    Written { batches, events, bytes }
}

pub(crate) fn compaction(done: guest::drive::compactor::Compaction) -> Compaction {
    let guest::drive::compactor::Compaction {
        batches,
        segments,
        events,
        bytes,
        new_segments,
        new_key,
    } = done;
    let merged_files = batches + segments;
    Compaction { merged_files, batches, segments, events, bytes, new_segments, new_key }
}

/// An error of the logic as the host's callers see it.
pub(crate) fn error(error: guest::error::Error) -> Error {
    use guest::error::{Error as Inner, EventFault as Fault, WriteFate as Fate};
    match error {
        Inner::InvalidInput(message) => Error::InvalidInput(message),
        Inner::InvalidEvent { line, fault } => Error::InvalidEvent {
            line,
            fault: match fault {
                Fault::Empty => EventFault::Empty,
                Fault::LineFeed => EventFault::LineFeed,
                Fault::TooLong { bytes, bytes_max } => EventFault::TooLong { bytes, bytes_max },
                Fault::Unterminated => EventFault::Unterminated,
            },
        },
        Inner::WriteFailed(failure) => Error::WriteFailed {
            object: failure.object,
            fate: match failure.fate {
                Fate::Durable => stratalog::WriteFate::Durable,
                Fate::NotWritten => stratalog::WriteFate::NotWritten,
                Fate::Unknown => stratalog::WriteFate::Unknown,
            },
            events_held: failure.events_held,
            message: failure.message,
            transient: failure.transient,
        },
        Inner::StoreFailed { message, transient } => Error::StoreFailed { message, transient },
        Inner::Damaged(damage) => {
            Error::Damaged { object: damage.object, expected: damage.expected, found: damage.found }
        }
        Inner::NoLog(guest::error::NoLog { name, below, more }) => {
            Error::NoLog { name, below, more }
        }
        Inner::Conflict(message) => Error::Conflict(message),
        Inner::Unsupported(message) => Error::Unsupported(message),
        Inner::Closed => Error::Closed,
    }
}

pub(crate) fn stats(stats: guest::drive::stat::Stats) -> Stats {
    // Made by name: a record that grows elsewhere must grow here.
    let guest::drive::stat::Stats {
        objects,
        batches,
        segments,
        events,
        lost_events,
        uncounted_batches,
        bytes,
        trimmed_events,
        generation,
        log,
        first_time,
        last_time,
        first_position,
        next_position,
        tiers,
        garbage_objects,
        garbage_bytes,
        unfinished_objects,
        unfinished_bytes,
        absorbed_bytes,
        compacted_bytes,
    } = stats;
    let (generation, identity) = (generation.0, log.map(|log| log.to_string()));
    let tier = |tier: guest::drive::stat::Tier| {
        let guest::drive::stat::Tier { tier, segments, bytes } = tier;
        Tier { tier, segments, bytes }
    };
    Stats {
        objects,
        batches,
        segments,
        events,
        lost_events,
        uncounted_batches,
        bytes,
        trimmed_events,
        generation,
        identity,
        first_time,
        last_time,
        first_position,
        next_position,
        tiers: tiers.into_iter().map(tier).collect(),
        garbage_objects,
        garbage_bytes,
        unfinished_objects,
        unfinished_bytes,
        absorbed_bytes,
        compacted_bytes,
    }
}

pub(crate) fn trim_point(point: TrimPoint) -> guest::drive::trimmer::TrimPoint {
    match point {
        TrimPoint::Position(position) => guest::drive::trimmer::TrimPoint::Position(position),
        TrimPoint::Time(micros) => guest::drive::trimmer::TrimPoint::Time(micros),
        TrimPoint::KeepEvents(events) => guest::drive::trimmer::TrimPoint::KeepEvents(events),
    }
}

pub(crate) fn trimmed(done: guest::drive::trimmer::Trimmed) -> Trimmed {
    let guest::drive::trimmer::Trimmed {
        events,
        segments,
        bytes,
        rewritten_bytes,
        absorbed_batches,
        first_position,
        live_batches,
    } = done;
    Trimmed {
        events,
        segments,
        bytes,
        rewritten_bytes,
        absorbed_batches,
        first_position,
        live_batches,
    }
}

pub(crate) fn finding(finding: guest::drive::verifier::Finding) -> Finding {
    use guest::drive::verifier::{Finding as Inner, GarbageReason as Reason};
    use guest::error::Damage;
    match finding {
        Inner::Damaged(Damage { object, expected, found }) => {
            Finding::Damaged { object, expected, found }
        }
        Inner::Garbage { object, bytes, reason } => Finding::Leftover {
            object,
            bytes,
            reason: match reason {
                Reason::AbsorbedBatch => LeftoverReason::AbsorbedBatch,
                Reason::UnnamedSegment => LeftoverReason::UnnamedSegment,
                Reason::OldManifest => LeftoverReason::OldManifest,
                Reason::UnfinishedWrite => LeftoverReason::UnfinishedWrite,
            },
        },
    }
}
