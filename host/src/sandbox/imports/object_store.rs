//! The object store as a component sees it: converts, limits and calls. The store does the work,
//! and [`StoreAccess`](super::access::StoreAccess) finds the store behind a key.
//!
//! Everything that a component passes in is hostile: sizes and counts are checked before use.

use std::sync::Arc;

use bytes::Bytes;
use stratalog_store_rules::limits::{CHUNK_BYTES_MAX, CHUNK_BYTES_MIN, CREATE_BYTES_MAX};
use wasmtime::component::Resource;

use super::access::{Access, Reserved, Target, kind_of_object};
use super::host_bytes::HostBytes;
use super::{ObjectStoreView, check_count};
use crate::limits::READ_RANGE_BYTES;
use crate::numbers::{size, to_u64, to_usize};
use crate::sandbox::bindings::stratalog::log::object_store as wit;
use crate::sandbox::memory::Borrowed;
use crate::store::{ObjectRange, OrderedRead, PendingCreate, SHARE_AHEAD_BYTES, Upload};
use crate::telemetry::{self, ObjectKind};

/// Smaller chunks are copied for the component.
const CHUNK_COPIED_BYTES: usize = 16 * 1024;

type Outcome = Result<(), wit::WriteError>;

#[expect(unreachable_pub, reason = "the bindings name it in public")]
/// A create in flight, or one that was refused before it began.
pub enum CreateSlot {
    Started(PendingCreate, Target),
    Refused(wit::StoreError),
}

#[expect(unreachable_pub, reason = "the bindings name it in public")]
/// A read of many objects, or one that was refused before it began.
pub enum ReadSlot {
    Started(Box<StartedRead>),
    Refused(Option<wit::StoreError>),
}

#[expect(unreachable_pub, reason = "what the bindings name in public holds it")]
/// A read in progress.
pub struct StartedRead {
    read: OrderedRead,
    target: Target,
    /// The kinds of the ranges' objects, if metrics are reported.
    kinds: Vec<ObjectKind>,
    /// Counts the requested ranges, the objects fetched ahead, and the read itself.
    _counted: (Borrowed, Option<Borrowed>, Arc<()>),
}

#[expect(unreachable_pub, reason = "the bindings name it in public")]
/// An upload, until it is finished, the count of its memory for a plugin, and its part of a quota.
pub struct UploadSlot(Option<Upload>, Target, Option<Borrowed>, Option<Reserved>);

impl wit::Host for ObjectStoreView<'_> {
    async fn create(
        &mut self,
        key: String,
        bytes: Vec<u8>,
        exclusive: bool,
    ) -> wasmtime::Result<Outcome> {
        let (target, _reserved) = match self.target_for_create(&key, bytes.len(), exclusive).await {
            Ok(granted) => granted,
            Err(error) => return Ok(Err(wit::WriteError::NotWritten(error))),
        };
        let start = self.in_flight.meter.now();
        let outcome = target.store.create(&target.key, Bytes::from(bytes), exclusive).await;
        self.in_flight.meter.waited_since(start);
        Ok(target.written(outcome))
    }

    async fn start_create(
        &mut self,
        key: String,
        bytes: Resource<HostBytes>,
        exclusive: bool,
    ) -> wasmtime::Result<Resource<CreateSlot>> {
        let length = self.table.get(&bytes)?.len();
        let slot = match self.target_for_create(&key, length, exclusive).await {
            // Once it has begun, the create itself counts.
            Ok((target, _reserved)) => {
                let start = self.in_flight.meter.now();
                let permit = self.in_flight.creates.clone().acquire_owned().await?;
                self.in_flight.meter.waited_since(start);
                let (payload, counted) =
                    self.table.get(&bytes)?.to_payload(&self.in_flight.memory)?;
                let guard = (permit, counted);
                let ended = self.in_flight.create_ended.clone();
                let ended = move || ended.notify_one();
                let (store, key) = (&target.store, &target.key);
                let create = store.start_create_with(key, payload, exclusive, guard, ended);
                CreateSlot::Started(create, target)
            }
            Err(error) => CreateSlot::Refused(error),
        };
        Ok(self.table.push(slot)?)
    }

    async fn ensure_exclusive(
        &mut self,
        prefix: String,
    ) -> wasmtime::Result<Result<(), wit::StoreError>> {
        let target = match self.access.resolve(&prefix, Access::CreateExclusively, 0) {
            Ok(target) => target,
            Err(error) => return Ok(Err(error)),
        };
        let start = self.in_flight.meter.now();
        let ensured = target.store.ensure_exclusive(&target.key).await;
        self.in_flight.meter.waited_since(start);
        Ok(target.read(0, ensured))
    }

    async fn get(
        &mut self,
        key: String,
        range: Option<wit::ByteRange>,
    ) -> wasmtime::Result<Result<Vec<u8>, wit::StoreError>> {
        let target = match self.access.resolve(&key, Access::Get, 0) {
            Ok(target) => target,
            Err(error) => return Ok(Err(error)),
        };
        let range = range.map(|range| range.start..range.end);
        let start = self.in_flight.meter.now();
        let bytes = target.store.get(&target.key, range).await;
        self.in_flight.meter.waited_since(start);
        let length = bytes.as_ref().map_or(0, Bytes::len);
        self.in_flight.meter.got(length);
        Ok(target.read(length, bytes).map(Vec::from))
    }

    async fn delete(&mut self, keys: Vec<String>) -> wasmtime::Result<Vec<wit::DeleteFailure>> {
        check_count("keys to delete", keys.len())?;
        let Some(first) = keys.first() else { return Ok(Vec::new()) };
        let target = match self.access.resolve(first, Access::Delete, 0) {
            Ok(target) => target,
            Err(error) => {
                let failure = |key| wit::DeleteFailure { key, error: error.clone() };
                return Ok(keys.into_iter().map(failure).collect());
            }
        };
        let mut failures = Vec::new();
        let mut others = Vec::new();
        for key in keys {
            match target.other_key(&key) {
                Ok(other) => others.push(other),
                Err(error) => failures.push(wit::DeleteFailure { key, error }),
            }
        }
        let start = self.in_flight.meter.now();
        let failed = target.store.delete(others).await;
        self.in_flight.meter.waited_since(start);
        // The first failure is that of the call; `delete` reports each.
        let failed_first = failed.first().map(|failure| failure.error.clone());
        target.read(0, failed_first.map_or(Ok(()), Err)).ok();
        let failed = failed.into_iter();
        failures.extend(failed.map(|failure| wit::DeleteFailure {
            key: target.known_key(failure.key),
            error: target.store_error(failure.error),
        }));
        Ok(failures)
    }
}

impl wit::HostPendingCreate for ObjectStoreView<'_> {
    async fn poll(&mut self, pending: Resource<CreateSlot>) -> wasmtime::Result<Option<Outcome>> {
        Ok(match self.table.get_mut(&pending)? {
            CreateSlot::Started(pending, target) => {
                pending.poll().map(|outcome| target.written(outcome))
            }
            CreateSlot::Refused(error) => Some(Err(wit::WriteError::NotWritten(error.clone()))),
        })
    }

    async fn wait(&mut self, pending: Resource<CreateSlot>) -> wasmtime::Result<Outcome> {
        let start = self.in_flight.meter.now();
        let outcome = match self.table.get_mut(&pending)? {
            CreateSlot::Started(pending, target) => target.written(pending.wait().await),
            CreateSlot::Refused(error) => Err(wit::WriteError::NotWritten(error.clone())),
        };
        self.in_flight.meter.waited_since(start);
        Ok(outcome)
    }

    async fn drop(&mut self, pending: Resource<CreateSlot>) -> wasmtime::Result<()> {
        self.table.delete(pending)?;
        Ok(())
    }
}

impl wit::HostOrderedRead for ObjectStoreView<'_> {
    async fn new(&mut self, ranges: Vec<wit::ObjectRange>) -> wasmtime::Result<Resource<ReadSlot>> {
        check_count("ranges to read", ranges.len())?;
        let keys: usize = ranges.iter().map(|range| range.key.len()).sum();
        let bytes = ranges.len() * READ_RANGE_BYTES + keys;
        let counted = self.in_flight.memory.borrow(bytes + SHARE_AHEAD_BYTES)?;
        let reads = Arc::clone(&self.in_flight.reads);
        let kinds = match telemetry::is_on() {
            true => ranges.iter().map(|range| kind_of_object(&range.key)).collect(),
            false => Vec::new(),
        };
        let slot = match self.begin_read(ranges) {
            Ok((read, target)) => {
                let (shares, ahead) = self.in_flight.shares_ahead();
                let (read, counted) = (read.with_shares_ahead(shares), (counted, ahead, reads));
                ReadSlot::Started(Box::new(StartedRead { read, target, kinds, _counted: counted }))
            }
            Err(error) => ReadSlot::Refused(Some(error)),
        };
        Ok(self.table.push(slot)?)
    }

    async fn next(
        &mut self,
        read: Resource<ReadSlot>,
        bytes_max: u32,
    ) -> wasmtime::Result<Result<Option<wit::Chunk>, wit::ReadFailure>> {
        let bytes_max = bytes_max.clamp(CHUNK_BYTES_MIN, CHUNK_BYTES_MAX);
        let bytes_max = to_usize(bytes_max.into());
        let to_u32 = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let StartedRead { read, target, kinds, .. } = match self.table.get_mut(&read)? {
            ReadSlot::Started(started) => started.as_mut(),
            ReadSlot::Refused(error) => {
                let failure = error.take().map(|error| wit::ReadFailure { number: 0, error });
                return Ok(failure.map_or(Ok(None), Err));
            }
        };
        let start = self.in_flight.meter.now();
        let chunk = read.next(bytes_max).await;
        self.in_flight.meter.waited_since(start);
        Ok(match chunk {
            None => Ok(None),
            Some(Ok(chunk)) => {
                target.read(chunk.bytes.len(), Ok(())).ok();
                let (number, bytes, last) = (to_u32(chunk.number), chunk.bytes, chunk.last);
                self.in_flight.meter.got(bytes.len());
                if let Some(kind) = kinds.get(chunk.number) {
                    self.in_flight.read.add(*kind, to_u64(bytes.len()));
                }
                // The small chunk may be all that is used of a large network buffer.
                let is_small = bytes.len() < CHUNK_COPIED_BYTES;
                let bytes = if is_small { Bytes::copy_from_slice(&bytes) } else { bytes };
                let bytes = self.table.push(HostBytes::new(bytes, &self.in_flight.memory)?)?;
                Ok(Some(wit::Chunk { number, bytes, last }))
            }
            Some(Err(failure)) => {
                let number = to_u32(failure.number);
                target
                    .read(0, Err(failure.error))
                    .map_err(|error| wit::ReadFailure { number, error })
            }
        })
    }

    async fn drop(&mut self, read: Resource<ReadSlot>) -> wasmtime::Result<()> {
        self.table.delete(read)?;
        Ok(())
    }
}

impl wit::HostUpload for ObjectStoreView<'_> {
    async fn start(
        &mut self,
        key: String,
    ) -> wasmtime::Result<Result<Resource<UploadSlot>, wit::WriteError>> {
        let target = match self.access.resolve(&key, Access::Create, 0) {
            Ok(target) => target,
            Err(error) => return Ok(Err(wit::WriteError::NotWritten(error))),
        };
        let start = self.in_flight.meter.now();
        let started = match target.reserve(0).await {
            Ok(reserved) => Ok((target.store.start_upload(&target.key).await, reserved)),
            Err(error) => Err(error),
        };
        self.in_flight.meter.waited_since(start);
        let (upload, reserved) = match started {
            Ok(started) => started,
            Err(error) => return Ok(Err(wit::WriteError::NotWritten(error))),
        };
        Ok(match upload {
            Ok(upload) => {
                let memory = self.in_flight.memory.of_the_plugin();
                let counted = memory.map(|memory| memory.borrow(0)).transpose()?;
                Ok(self.table.push(UploadSlot(Some(upload), target, counted, reserved))?)
            }
            Err(error) => target.written(Err(error)),
        })
    }

    async fn write(
        &mut self,
        upload: Resource<UploadSlot>,
        bytes: Resource<HostBytes>,
    ) -> wasmtime::Result<Outcome> {
        let start = self.in_flight.meter.now();
        let bytes = self.table.delete(bytes)?;
        let UploadSlot(upload, target, counted, reserved) = self.table.get_mut(&upload)?;
        let granted = target.reserve_more(reserved.as_mut(), bytes.len()).await;
        let outcome = match (upload, granted) {
            (_, Err(error)) => Err(wit::WriteError::NotWritten(error)),
            (Some(upload), Ok(())) => {
                if let Some(counted) = counted {
                    counted.resize(upload.bytes_held() + bytes.len())?;
                }
                let mut written = Ok(());
                for piece in bytes.into_pieces() {
                    if written.is_ok() {
                        written = upload.write(piece).await;
                    }
                }
                if let Some(counted) = counted {
                    counted.resize(upload.bytes_held().min(counted.bytes()))?;
                }
                target.written(written)
            }
            (None, Ok(())) => Err(already_finished()),
        };
        self.in_flight.meter.waited_since(start);
        Ok(outcome)
    }

    async fn finish(&mut self, upload: Resource<UploadSlot>) -> wasmtime::Result<Outcome> {
        let start = self.in_flight.meter.now();
        let UploadSlot(upload, target, _, reserved) = self.table.get_mut(&upload)?;
        let outcome = match upload.take() {
            Some(upload) => target.written(upload.finish().await),
            None => Err(already_finished()),
        };
        reserved.take();
        self.in_flight.meter.waited_since(start);
        Ok(outcome)
    }

    async fn drop(&mut self, upload: Resource<UploadSlot>) -> wasmtime::Result<()> {
        if let Some(upload) = self.table.delete(upload)?.0 {
            upload.abort().await;
        }
        Ok(())
    }
}

impl ObjectStoreView<'_> {
    async fn target_for_create(
        &mut self,
        key: &str,
        bytes: usize,
        exclusive: bool,
    ) -> Result<(Target, Option<Reserved>), wit::StoreError> {
        check_size(key, bytes)?;
        let access = if exclusive { Access::CreateExclusively } else { Access::Create };
        let target = self.access.resolve(key, access, bytes)?;
        let start = self.in_flight.meter.now();
        let reserved = target.reserve(bytes).await;
        self.in_flight.meter.waited_since(start);
        Ok((target, reserved?))
    }

    fn begin_read(
        &mut self,
        ranges: Vec<wit::ObjectRange>,
    ) -> Result<(OrderedRead, Target), wit::StoreError> {
        let key = ranges.first().map_or("", |range| range.key.as_str());
        let target = self.access.resolve(key, Access::Get, 0)?;
        let ranges = ranges.into_iter().map(|wanted| {
            let range = wanted.range.map(|range| range.start..range.end);
            Ok(ObjectRange { key: target.other_key(&wanted.key)?, range })
        });
        let ranges: Vec<_> = ranges.collect::<Result<_, wit::StoreError>>()?;
        Ok((target.store.read_ordered(ranges), target))
    }
}

fn check_size(key: &str, bytes: usize) -> Result<(), wit::StoreError> {
    if bytes <= CREATE_BYTES_MAX {
        return Ok(());
    }
    let message = format!(
        "cannot create {key}: it has {}, more than {}; upload the object in parts",
        size(to_u64(bytes)),
        size(to_u64(CREATE_BYTES_MAX))
    );
    Err(wit::StoreError { kind: wit::StoreErrorKind::Invalid, message })
}

fn already_finished() -> wit::WriteError {
    let message = "the upload is already finished: start another".to_owned();
    wit::WriteError::NotWritten(wit::StoreError { kind: wit::StoreErrorKind::Invalid, message })
}
