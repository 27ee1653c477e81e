//! What a plugin passes in, as the library takes it.

use std::time::Duration;

use super::wit;
use crate::compact_options::CompactOptions;
use crate::options::LogOptions;
use crate::sandbox::bindings::exports::stratalog::log::append_log as inner;
use crate::trimming::{TrimOptions, TrimPoint};

impl From<wit::Options> for LogOptions {
    fn from(options: wit::Options) -> Self {
        let wit::Options {
            flush_threshold,
            flush_bytes,
            flush_interval_ms,
            event_bytes_max,
            buffer_bytes_max,
        } = options;
        let mut options = Self::new();
        if let Some(events) = flush_threshold {
            options = options.flush_threshold(events);
        }
        if let Some(bytes) = flush_bytes {
            options = options.flush_bytes(bytes);
        }
        if let Some(millis) = flush_interval_ms {
            options = options.flush_interval(Duration::from_millis(millis.into()));
        }
        if let Some(bytes) = event_bytes_max {
            options = options.event_bytes_max(bytes);
        }
        if let Some(bytes) = buffer_bytes_max {
            options = options.buffer_bytes_max(bytes);
        }
        options
    }
}

impl From<wit::CompactOptions> for CompactOptions {
    fn from(options: wit::CompactOptions) -> Self {
        let wit::CompactOptions { full, fan_in, segment_bytes_max, batches_max } = options;
        let mut options = Self::new().full(full);
        if let Some(segments) = fan_in {
            options = options.fan_in(segments);
        }
        if let Some(bytes) = segment_bytes_max {
            options = options.segment_bytes_max(bytes);
        }
        if let Some(batches) = batches_max {
            options = options.batches_max(batches);
        }
        options
    }
}

impl From<wit::TrimPoint> for TrimPoint {
    fn from(point: wit::TrimPoint) -> Self {
        match point {
            wit::TrimPoint::Position(position) => Self::Position(position),
            wit::TrimPoint::Time(micros) => Self::Time(micros),
            wit::TrimPoint::KeepEvents(events) => Self::KeepEvents(events),
        }
    }
}

impl From<wit::TrimOptions> for TrimOptions {
    fn from(options: wit::TrimOptions) -> Self {
        let wit::TrimOptions { lazy } = options;
        Self::new().lazy(lazy)
    }
}

impl From<wit::ReadOptions> for inner::ReadOptions {
    fn from(options: wit::ReadOptions) -> Self {
        let wit::ReadOptions { start, last, limit, since, until, pending } = options;
        Self { start, last, limit, since, until, pending: pending.map(Into::into) }
    }
}

impl From<wit::Pending> for inner::Pending {
    fn from(pending: wit::Pending) -> Self {
        let wit::Pending { writer, last_time, sealed, lines } = pending;
        let sealed =
            sealed.map(|batch| inner::SealedBatch { name: batch.name, lines: batch.lines });
        Self { writer, last_time, sealed, lines }
    }
}
