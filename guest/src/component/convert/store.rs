//! Values of the store's bindings to values of the logic, and pages whose bytes are in the host.

use crate::component::bindings::exports::stratalog::log::host_lines;
use crate::component::bindings::stratalog::log::{host_bytes, object_store as import};
use crate::component::imports::BytesHandle;
use crate::decide::page::Page;
use crate::ports::{
    Chunk, EntryKind, ListPage, ListedObject, ReadFailure, StoreError, StoreErrorKind, Summary,
    WriteError,
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

impl From<host_bytes::Summary> for Summary {
    fn from(summary: host_bytes::Summary) -> Self {
        Self { digest: summary.digest, line_feeds: summary.line_feeds }
    }
}

impl From<import::Chunk> for Chunk<BytesHandle> {
    fn from(chunk: import::Chunk) -> Self {
        Self { number: chunk.number, bytes: chunk.bytes.into(), last: chunk.last }
    }
}

impl From<import::ReadFailure> for ReadFailure {
    fn from(failure: import::ReadFailure) -> Self {
        Self { number: failure.number, error: failure.error.into() }
    }
}

impl From<Page<BytesHandle>> for host_lines::HostPage {
    fn from(page: Page<BytesHandle>) -> Self {
        let lines = page.lines.map(BytesHandle::into_handle);
        Self { lines, events: page.events, missed: page.missed }
    }
}
