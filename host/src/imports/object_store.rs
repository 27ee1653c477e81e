//! The object store as a component sees it: converts, caps and calls. What a store does is the
//! store's.
//!
//! Everything that a component passes in is hostile: sizes and counts are checked before use.

use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, HasSelf, Linker, Lower, Resource, WasmList};

use crate::bindings::stratalog::log::object_store as wit;
use crate::imports::State;
use crate::limits::{CHUNK_BYTES_MAX, CHUNK_BYTES_MIN, CREATE_BYTES_MAX, KEYS_MAX};
use crate::store::{
    OrderedRead, PendingCreate, ReadPart, StoreError, StoreErrorKind, Upload, WriteError,
};

type Outcome = Result<(), wit::WriteError>;

#[expect(unreachable_pub, reason = "the bindings name it in public")]
/// A create under way, or one that was refused before it began.
pub enum CreateSlot {
    /// With the number of its bytes.
    Started(PendingCreate, u64),
    Refused(wit::StoreError),
}

#[expect(unreachable_pub, reason = "the bindings name it in public")]
/// An upload, until it is finished.
pub struct UploadSlot(Option<Upload>);

impl wit::Host for State {
    async fn create(
        &mut self,
        key: String,
        bytes: Vec<u8>,
        exclusive: bool,
    ) -> wasmtime::Result<Outcome> {
        if let Err(error) = check_size(&key, &bytes) {
            return Ok(Err(wit::WriteError::NotWritten(error)));
        }
        let start = Instant::now();
        let outcome = self.store.create(&key, Bytes::from(bytes), exclusive).await;
        self.meter.waited_since(start);
        Ok(outcome.map_err(wit::WriteError::from))
    }

    async fn start_create(
        &mut self,
        key: String,
        bytes: Vec<u8>,
        exclusive: bool,
    ) -> wasmtime::Result<Resource<CreateSlot>> {
        self.start_create_of(&key, bytes.into(), exclusive).await
    }

    async fn ensure_exclusive(
        &mut self,
        prefix: String,
    ) -> wasmtime::Result<Result<(), wit::StoreError>> {
        let start = Instant::now();
        let ensured = self.store.ensure_exclusive(&prefix).await;
        self.meter.waited_since(start);
        Ok(ensured.map_err(wit::StoreError::from))
    }

    async fn get(
        &mut self,
        key: String,
        range: Option<wit::ByteRange>,
    ) -> wasmtime::Result<Result<Vec<u8>, wit::StoreError>> {
        let range = range.map(|range| range.start..range.end);
        let start = Instant::now();
        let bytes = self.store.get(&key, range).await;
        self.meter.waited_since(start);
        self.meter.got(bytes.as_ref().map_or(0, Bytes::len));
        Ok(bytes.map(Vec::from).map_err(wit::StoreError::from))
    }

    async fn list(
        &mut self,
        prefix: String,
        start_after: Option<String>,
        limit: u32,
    ) -> wasmtime::Result<Result<wit::ListPage, wit::StoreError>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let start = Instant::now();
        let page = self.store.list(&prefix, start_after.as_deref(), limit).await;
        self.meter.waited_since(start);
        Ok(page
            .map(|page| {
                let objects = page.objects.into_iter();
                let objects =
                    objects.map(|object| wit::ListedObject { key: object.key, size: object.size });
                wit::ListPage { objects: objects.collect(), more: page.more }
            })
            .map_err(wit::StoreError::from))
    }

    async fn delete(&mut self, keys: Vec<String>) -> wasmtime::Result<Vec<wit::DeleteFailure>> {
        check_count("keys to delete", keys.len())?;
        let start = Instant::now();
        let failures = self.store.delete(keys).await.into_iter();
        self.meter.waited_since(start);
        let failures = failures
            .map(|failure| wit::DeleteFailure { key: failure.key, error: failure.error.into() });
        Ok(failures.collect())
    }
}

impl wit::HostPendingCreate for State {
    async fn poll(&mut self, pending: Resource<CreateSlot>) -> wasmtime::Result<Option<Outcome>> {
        Ok(match self.table.get_mut(&pending)? {
            CreateSlot::Started(pending, _) => {
                pending.poll().map(|outcome| outcome.map_err(wit::WriteError::from))
            }
            CreateSlot::Refused(error) => Some(Err(wit::WriteError::NotWritten(error.clone()))),
        })
    }

    async fn wait(&mut self, pending: Resource<CreateSlot>) -> wasmtime::Result<Outcome> {
        let start = Instant::now();
        let outcome = match self.table.get_mut(&pending)? {
            CreateSlot::Started(pending, _) => pending.wait().await.map_err(wit::WriteError::from),
            CreateSlot::Refused(error) => Err(wit::WriteError::NotWritten(error.clone())),
        };
        self.meter.waited_since(start);
        Ok(outcome)
    }

    async fn drop(&mut self, pending: Resource<CreateSlot>) -> wasmtime::Result<()> {
        if let CreateSlot::Started(mut pending, bytes) = self.table.delete(pending)?
            && let Some(Ok(()) | Err(WriteError::AlreadyExists)) = pending.poll()
        {
            self.created = self.created.saturating_add(1);
            self.created_bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl wit::HostOrderedRead for State {
    async fn new(&mut self, parts: Vec<wit::ReadPart>) -> wasmtime::Result<Resource<OrderedRead>> {
        check_count("parts to read", parts.len())?;
        let parts = parts.into_iter().map(|part| ReadPart {
            key: part.key,
            range: part.range.map(|range| range.start..range.end),
        });
        let read = self.store.read_ordered(parts.collect());
        Ok(self.table.push(read)?)
    }

    async fn next(
        &mut self,
        read: Resource<OrderedRead>,
        bytes_max: u32,
    ) -> wasmtime::Result<Result<Option<wit::Chunk>, wit::ReadFailure>> {
        let chunk = self.next_chunk(&read, bytes_max).await?;
        Ok(chunk.map(|chunk| {
            chunk.map(|Chunk { part, bytes, last }| wit::Chunk { part, bytes: bytes.into(), last })
        }))
    }

    async fn drop(&mut self, read: Resource<OrderedRead>) -> wasmtime::Result<()> {
        self.table.delete(read)?;
        Ok(())
    }
}

impl wit::HostUpload for State {
    async fn start(
        &mut self,
        key: String,
    ) -> wasmtime::Result<Result<Resource<UploadSlot>, wit::WriteError>> {
        let start = Instant::now();
        let upload = self.store.start_upload(&key).await;
        self.meter.waited_since(start);
        Ok(match upload {
            Ok(upload) => Ok(self.table.push(UploadSlot(Some(upload)))?),
            Err(error) => Err(error.into()),
        })
    }

    async fn write(
        &mut self,
        upload: Resource<UploadSlot>,
        bytes: Vec<u8>,
    ) -> wasmtime::Result<Outcome> {
        let start = Instant::now();
        let outcome = match &mut self.table.get_mut(&upload)?.0 {
            Some(upload) => upload.write(Bytes::from(bytes)).await.map_err(wit::WriteError::from),
            None => Err(already_finished()),
        };
        self.meter.waited_since(start);
        Ok(outcome)
    }

    async fn finish(&mut self, upload: Resource<UploadSlot>) -> wasmtime::Result<Outcome> {
        let start = Instant::now();
        let outcome = match self.table.get_mut(&upload)?.0.take() {
            Some(upload) => upload.finish().await.map_err(wit::WriteError::from),
            None => Err(already_finished()),
        };
        self.meter.waited_since(start);
        Ok(outcome)
    }

    async fn drop(&mut self, upload: Resource<UploadSlot>) -> wasmtime::Result<()> {
        if let Some(upload) = self.table.delete(upload)?.0 {
            upload.abort().await;
        }
        Ok(())
    }
}

/// `chunk` of the WIT, whose bytes go to the component without a copy on the way.
#[derive(ComponentType, Lower)]
#[component(record)]
struct Chunk {
    part: u32,
    bytes: Bytes,
    last: bool,
}

type NewObject = (String, WasmList<u8>, bool);
type NextChunk = Result<Option<Chunk>, wit::ReadFailure>;

impl State {
    async fn start_create_of(
        &mut self,
        key: &str,
        bytes: Bytes,
        exclusive: bool,
    ) -> wasmtime::Result<Resource<CreateSlot>> {
        let slot = match check_size(key, &bytes) {
            Ok(()) => {
                let start = Instant::now();
                let permit = self.creates.clone().acquire_owned().await?;
                self.meter.waited_since(start);
                let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                let create = self.store.start_create_holding(key, bytes, exclusive, permit);
                CreateSlot::Started(create, length)
            }
            Err(error) => CreateSlot::Refused(error),
        };
        Ok(self.table.push(slot)?)
    }

    async fn next_chunk(
        &mut self,
        read: &Resource<OrderedRead>,
        bytes_max: u32,
    ) -> wasmtime::Result<NextChunk> {
        let bytes_max = bytes_max.clamp(CHUNK_BYTES_MIN, CHUNK_BYTES_MAX);
        let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        let number = |part: usize| u32::try_from(part).unwrap_or(u32::MAX);
        let start = Instant::now();
        let chunk = self.table.get_mut(read)?.next(bytes_max).await;
        self.meter.waited_since(start);
        Ok(match chunk {
            None => Ok(None),
            Some(Ok(chunk)) => {
                let (part, bytes, last) = (number(chunk.part), chunk.bytes, chunk.last);
                self.meter.got(bytes.len());
                Ok(Some(Chunk { part, bytes, last }))
            }
            Some(Err(failure)) => {
                Err(wit::ReadFailure { part: number(failure.part), error: failure.error.into() })
            }
        })
    }
}

/// Adds the interface to a linker.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    // The generated bindings of these two would copy the bytes once more.
    linker.allow_shadowing(true);
    let mut instance = linker.instance("stratalog:log/object-store@0.1.0")?;
    instance.func_wrap_async(
        "start-create",
        |mut context: StoreContextMut<'_, State>, (key, bytes, exclusive): NewObject| {
            let bytes = Bytes::copy_from_slice(bytes.as_le_slice(&context));
            Box::new(async move {
                Ok((context.data_mut().start_create_of(&key, bytes, exclusive).await?,))
            })
        },
    )?;
    instance.func_wrap_async(
        "[method]ordered-read.next",
        |mut context: StoreContextMut<'_, State>,
         (read, bytes_max): (Resource<OrderedRead>, u32)| {
            Box::new(async move { Ok((context.data_mut().next_chunk(&read, bytes_max).await?,)) })
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

fn check_size(key: &str, bytes: &[u8]) -> Result<(), wit::StoreError> {
    if bytes.len() <= CREATE_BYTES_MAX {
        return Ok(());
    }
    let message = format!(
        "{key} has {} bytes, more than {CREATE_BYTES_MAX} for one create: upload it in parts",
        bytes.len()
    );
    Err(wit::StoreError { kind: wit::StoreErrorKind::Invalid, message })
}

/// Traps a component that asks for more at once than the interface allows.
fn check_count(what: &str, count: usize) -> wasmtime::Result<()> {
    if count <= KEYS_MAX {
        return Ok(());
    }
    Err(wasmtime::Error::msg(format!("{count} {what} in one call, more than {KEYS_MAX}")))
}

fn already_finished() -> wit::WriteError {
    let message = "the upload was finished already: start another".to_owned();
    wit::WriteError::NotWritten(wit::StoreError { kind: wit::StoreErrorKind::Invalid, message })
}

impl From<StoreError> for wit::StoreError {
    fn from(error: StoreError) -> Self {
        let kind = match error.kind {
            StoreErrorKind::NotFound => wit::StoreErrorKind::NotFound,
            StoreErrorKind::PermissionDenied => wit::StoreErrorKind::PermissionDenied,
            StoreErrorKind::Unavailable => wit::StoreErrorKind::Unavailable,
            StoreErrorKind::Unsupported => wit::StoreErrorKind::Unsupported,
            StoreErrorKind::Invalid => wit::StoreErrorKind::Invalid,
            StoreErrorKind::Other => wit::StoreErrorKind::Other,
        };
        Self { kind, message: error.message }
    }
}

impl From<WriteError> for wit::WriteError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::AlreadyExists => Self::AlreadyExists,
            WriteError::NotWritten(error) => Self::NotWritten(error.into()),
            WriteError::Unknown(error) => Self::Unknown(error.into()),
        }
    }
}
