//! An adapter as a store: its exports, called without a log.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use stratalog::store as host;
use stratalog::store::{
    Chunk, DeleteFailure, ListPage, ListedObject, ObjectRange, OrderedReadError, StoreError,
    StoreErrorKind, WriteError,
};
use wasmtime::Store;
use wasmtime::component::{Component, ResourceAny};

use super::{Adapter, Each, Given, State, engine, prepare, store};
use crate::objects::{Listing, Objects, OrderedRead, Outcome, Page, PendingCreate, Upload};
use bindings::StorePre;
use bindings::exports::stratalog::log::host_bytes::Guest as HostBytes;
use bindings::exports::stratalog::log::object_store::{self as wit, Guest};

#[allow(clippy::all, clippy::pedantic, clippy::restriction, unreachable_pub, reason = "generated")]
mod bindings {
    wasmtime::component::bindgen!({
        path: ["../wit", "../adapters/wit"],
        world: "stratalog:adapters/store",
    });
}

/// A handle of a store: an instance of the adapter.
pub struct AdapterObjects {
    adapter: Adapter,
    given: Given,
    instance: Shared,
}

struct Instance {
    store: Store<State>,
    exports: bindings::Store,
}

#[derive(Clone)]
struct Shared(Arc<Mutex<Instance>>);

/// A resource of an instance. Drop drops it there.
struct Handle(Shared, ResourceAny);

impl Adapter {
    fn program(self) -> &'static StorePre<State> {
        static COMPILED: Each<StorePre<State>> = Each::new();
        COMPILED.get(self, || {
            let component = Component::from_file(engine(), self.file()).unwrap();
            StorePre::new(prepare(&component)).unwrap()
        })
    }
}

impl AdapterObjects {
    pub fn open(adapter: Adapter, given: Given) -> Self {
        let mut store = store(&given);
        let exports = adapter.program().instantiate(&mut store).unwrap();
        let instance = Shared(Arc::new(Mutex::new(Instance { store, exports })));
        Self { adapter, given, instance }
    }
}

impl Shared {
    /// Makes a call. The contract has no traps for calls of the suite.
    fn call<R>(&self, call: impl FnOnce(&Guest, &mut Store<State>) -> wasmtime::Result<R>) -> R {
        let Instance { store, exports } = &mut *self.0.lock().unwrap();
        let done = call(exports.stratalog_log_object_store(), store);
        done.unwrap_or_else(|error| panic!("the component traps: {error:?}"))
    }

    fn bytes<R>(
        &self,
        call: impl FnOnce(&HostBytes, &mut Store<State>) -> wasmtime::Result<R>,
    ) -> R {
        let Instance { store, exports } = &mut *self.0.lock().unwrap();
        let done = call(exports.stratalog_log_host_bytes(), store);
        done.unwrap_or_else(|error| panic!("the component traps: {error:?}"))
    }

    /// Makes host bytes.
    fn keep(&self, content: &[u8]) -> ResourceAny {
        self.bytes(|bytes, store| bytes.bytes().call_constructor(store, content))
    }

    fn handle(&self, resource: ResourceAny) -> Handle {
        Handle(self.clone(), resource)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // A failed test may have left the instance in the middle of a call.
        if !std::thread::panicking() {
            self.0.call(|_, store| self.1.resource_drop(store));
        }
    }
}

impl Objects for AdapterObjects {
    fn create(&self, key: &str, bytes: Bytes, exclusive: bool) -> Outcome {
        let created =
            self.instance.call(|guest, store| guest.call_create(store, key, &bytes, exclusive));
        created.map_err(write_error)
    }
    fn start_create(&self, key: &str, bytes: Bytes, exclusive: bool) -> Box<dyn PendingCreate> {
        let bytes = self.instance.handle(self.instance.keep(&bytes));
        let create = self
            .instance
            .call(|guest, store| guest.call_start_create(store, key, bytes.1, exclusive));
        Box::new(self.instance.handle(create))
    }
    fn ensure_exclusive(&self, prefix: &str) -> Result<(), StoreError> {
        let ensured = self.instance.call(|guest, store| guest.call_ensure_exclusive(store, prefix));
        ensured.map_err(store_error)
    }
    fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Bytes, StoreError> {
        let range = range.map(byte_range);
        let bytes = self.instance.call(|guest, store| guest.call_get(store, key, range));
        bytes.map(Bytes::from).map_err(store_error)
    }
    fn listing(&self, prefix: &str, start_after: Option<&str>) -> Box<dyn Listing> {
        let listing = self.instance.call(|guest, store| {
            guest.listing().call_constructor(store, prefix, start_after, true)
        });
        Box::new(self.instance.handle(listing))
    }
    fn delete(&self, keys: &[&str]) -> Vec<DeleteFailure> {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        let failures = self.instance.call(|guest, store| guest.call_delete(store, &keys));
        let failures = failures.into_iter();
        failures
            .map(|failure| DeleteFailure { key: failure.key, error: store_error(failure.error) })
            .collect()
    }
    fn read(&self, ranges: Vec<ObjectRange>) -> Box<dyn OrderedRead> {
        let ranges: Vec<wit::ObjectRange> = ranges
            .into_iter()
            .map(|ObjectRange { key, range }| wit::ObjectRange {
                key,
                range: range.map(byte_range),
            })
            .collect();
        let read = self
            .instance
            .call(|guest, store| guest.ordered_read().call_constructor(store, &ranges));
        Box::new(self.instance.handle(read))
    }
    fn start_upload(&self, key: &str) -> Result<Box<dyn Upload>, WriteError> {
        let upload = self.instance.call(|guest, store| guest.upload().call_start(store, key));
        Ok(Box::new(self.instance.handle(upload.map_err(write_error)?)))
    }
    fn another(&self) -> Box<dyn Objects> {
        Box::new(Self::open(self.adapter, self.given.clone()))
    }
}

impl PendingCreate for Handle {
    fn poll(&mut self) -> Option<Outcome> {
        let polled = self.0.call(|guest, store| guest.pending_create().call_poll(store, self.1));
        polled.map(|outcome| outcome.map_err(write_error))
    }
    fn wait(&mut self) -> Outcome {
        let ended = self.0.call(|guest, store| guest.pending_create().call_wait(store, self.1));
        ended.map_err(write_error)
    }
}

impl Listing for Handle {
    fn next(&mut self, limit: u32) -> Page {
        let page = self.0.call(|guest, store| guest.listing().call_next(store, self.1, limit));
        let page = page.map_err(store_error)?;
        let objects = page.objects.into_iter().map(|object| ListedObject {
            key: object.key,
            size: object.size,
            kind: entry_kind(object.kind),
        });
        Ok(ListPage { objects: objects.collect(), more: page.more })
    }
}

impl OrderedRead for Handle {
    fn next(&mut self, bytes_max: u32) -> Option<Result<Chunk, OrderedReadError>> {
        let number = |number: u32| usize::try_from(number).unwrap();
        let next =
            self.0.call(|guest, store| guest.ordered_read().call_next(store, self.1, bytes_max));
        match next {
            Ok(None) => None,
            Ok(Some(chunk)) => {
                let bytes = self.0.handle(chunk.bytes);
                let content = self.0.bytes(|guest, store| guest.bytes().call_read(store, bytes.1));
                let bytes = Bytes::from(content);
                Some(Ok(Chunk { number: number(chunk.number), bytes, last: chunk.last }))
            }
            Err(failure) => Some(Err(OrderedReadError {
                number: number(failure.number),
                error: store_error(failure.error),
            })),
        }
    }
}

impl Upload for Handle {
    fn write(&mut self, bytes: Bytes) -> Outcome {
        let bytes = self.0.keep(&bytes);
        let written = self.0.call(|guest, store| guest.upload().call_write(store, self.1, bytes));
        written.map_err(write_error)
    }
    fn finish(self: Box<Self>) -> Outcome {
        let ended = self.0.call(|guest, store| guest.upload().call_finish(store, self.1));
        ended.map_err(write_error)
    }
}

fn byte_range(range: Range<u64>) -> wit::ByteRange {
    wit::ByteRange { start: range.start, end: range.end }
}

fn store_error(error: wit::StoreError) -> StoreError {
    let kind = match error.kind {
        wit::StoreErrorKind::NotFound => StoreErrorKind::NotFound,
        wit::StoreErrorKind::NotAnObject => StoreErrorKind::NotAnObject,
        wit::StoreErrorKind::PermissionDenied => StoreErrorKind::PermissionDenied,
        wit::StoreErrorKind::Unavailable => StoreErrorKind::Unavailable,
        wit::StoreErrorKind::Unsupported => StoreErrorKind::Unsupported,
        wit::StoreErrorKind::Invalid => StoreErrorKind::Invalid,
        wit::StoreErrorKind::Other => StoreErrorKind::Other,
    };
    StoreError::new(kind, error.message)
}

fn write_error(error: wit::WriteError) -> WriteError {
    match error {
        wit::WriteError::AlreadyExists => WriteError::AlreadyExists,
        wit::WriteError::NotWritten(error) => WriteError::NotWritten(store_error(error)),
        wit::WriteError::Unknown(error) => WriteError::Unknown(store_error(error)),
    }
}

fn entry_kind(kind: wit::EntryKind) -> host::EntryKind {
    match kind {
        wit::EntryKind::Object => host::EntryKind::Object,
        wit::EntryKind::Folder => host::EntryKind::Folder,
        wit::EntryKind::Unfinished => host::EntryKind::Unfinished,
        wit::EntryKind::Link => host::EntryKind::Link,
        wit::EntryKind::Special => host::EntryKind::Special,
    }
}
