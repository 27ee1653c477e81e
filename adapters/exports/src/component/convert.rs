//! Conversions between the types of the bindings and ours: one total match each way.

use std::ops::Range;

use stratalog_store_rules::error::{
    DeleteFailure, OrderedReadError, StoreError, StoreErrorKind, WriteError,
};
use stratalog_store_rules::log_level::Level;
use stratalog_store_rules::objects::{EntryKind, ListPage, ListedObject, ObjectRange};
use stratalog_store_rules::pieces::Summary;

use crate::component::bindings::exports::stratalog::log::{host_bytes, object_store as wit};
use crate::component::bindings::exports::wasi::logging::logging;

pub(super) fn level(level: logging::Level) -> Level {
    match level {
        logging::Level::Trace => Level::Trace,
        logging::Level::Debug => Level::Debug,
        logging::Level::Info => Level::Info,
        logging::Level::Warn => Level::Warn,
        logging::Level::Error => Level::Error,
        logging::Level::Critical => Level::Critical,
    }
}

pub(super) fn range(range: wit::ByteRange) -> Range<u64> {
    range.start..range.end
}

pub(super) fn object_range(wanted: wit::ObjectRange) -> ObjectRange {
    ObjectRange { key: wanted.key, range: wanted.range.map(range) }
}

pub(super) fn store_error(error: StoreError) -> wit::StoreError {
    let kind = match error.kind {
        StoreErrorKind::NotFound => wit::StoreErrorKind::NotFound,
        StoreErrorKind::NotAnObject => wit::StoreErrorKind::NotAnObject,
        StoreErrorKind::PermissionDenied => wit::StoreErrorKind::PermissionDenied,
        StoreErrorKind::Unavailable => wit::StoreErrorKind::Unavailable,
        StoreErrorKind::Unsupported => wit::StoreErrorKind::Unsupported,
        StoreErrorKind::Invalid => wit::StoreErrorKind::Invalid,
        StoreErrorKind::Other => wit::StoreErrorKind::Other,
    };
    wit::StoreError { kind, message: error.message }
}

pub(super) fn write_error(error: WriteError) -> wit::WriteError {
    match error {
        WriteError::AlreadyExists => wit::WriteError::AlreadyExists,
        WriteError::NotWritten(error) => wit::WriteError::NotWritten(store_error(error)),
        WriteError::Unknown(error) => wit::WriteError::Unknown(store_error(error)),
    }
}

pub(super) fn delete_failure(failure: DeleteFailure) -> wit::DeleteFailure {
    wit::DeleteFailure { key: failure.key, error: store_error(failure.error) }
}

pub(super) fn read_failure(failure: OrderedReadError) -> wit::ReadFailure {
    wit::ReadFailure { number: number(failure.number), error: store_error(failure.error) }
}

pub(super) fn list_page(page: ListPage) -> wit::ListPage {
    let objects = page.objects.into_iter().map(listed_object).collect();
    wit::ListPage { objects, more: page.more }
}

fn listed_object(object: ListedObject) -> wit::ListedObject {
    let kind = match object.kind {
        EntryKind::Object => wit::EntryKind::Object,
        EntryKind::Folder => wit::EntryKind::Folder,
        EntryKind::Unfinished => wit::EntryKind::Unfinished,
        EntryKind::Link => wit::EntryKind::Link,
        EntryKind::Special => wit::EntryKind::Special,
    };
    wit::ListedObject { key: object.key, size: object.size, kind }
}

pub(super) fn summary(summary: Summary) -> host_bytes::Summary {
    host_bytes::Summary { digest: summary.digest, line_feeds: summary.line_feeds }
}

/// Converts the number of a range, of which there are few.
pub(super) fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
