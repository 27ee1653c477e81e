//! Records of the native logic as the host's callers see them.

use stratalog::{Compaction, Error, EventFault, Stats, Written};
use stratalog_guest as guest;

pub(crate) fn written(written: guest::writer::Written) -> Written {
    let guest::writer::Written { batches, events, bytes } = written;
    Written { batches, events, bytes }
}

pub(crate) fn compaction(done: guest::compactor::Compaction) -> Compaction {
    let guest::compactor::Compaction { merged_files, events, new_key } = done;
    Compaction { merged_files, events, new_key, ..Compaction::default() }
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
        Inner::Conflict(message) => Error::Conflict(message),
        Inner::Unsupported(message) => Error::Unsupported(message),
        Inner::Closed => Error::Closed,
    }
}

pub(crate) fn stats(stats: guest::stat::Stats) -> Stats {
    // Made by name: a record that grows elsewhere must grow here.
    let guest::stat::Stats {
        objects,
        batches,
        segments,
        events,
        uncounted_batches,
        bytes,
        generation,
        first_time,
        last_time,
    } = stats;
    let generation = generation.0;
    Stats {
        objects,
        batches,
        segments,
        events,
        uncounted_batches,
        bytes,
        generation,
        first_time,
        last_time,
        ..Stats::default()
    }
}
