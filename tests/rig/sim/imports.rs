//! The imports of the built component, answered by the actor that runs it.
//!
//! A call of the component runs on its own stack. An import leaves its own call in a mailbox and
//! yields. The actor makes that call on its own ports, for as long as that takes in the world, and
//! then continues the component. An actor can therefore stall or crash in the middle of an import.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use stratalog_guest::ports::{
    HostBytes, ObjectRange, OrderedRead as _, PendingCreate as _, Store as _, StoreError,
    StoreErrorKind, System as _, Upload as _, WriteError,
};
use wasmtime::component::{Component, HasSelf, Linker, Resource, ResourceType};
use wasmtime::{Engine, StoreContextMut};

use crate::pages::PageListing;
use crate::sim::component::bindings::stratalog::log::{host_bytes, object_store as wit};
use crate::sim::component::bindings::wasi::clocks::wall_clock;
use crate::sim::component::bindings::wasi::logging::logging;
use crate::sim::ports::{Create, Parts, Read};
use crate::sim::world::ActorView;

mod listing;

/// A call of an import, which the actor makes.
pub type ImportCall = Box<dyn FnOnce(&mut ActorPorts<'_>) + Send>;

/// The place where calls are left.
pub type Mailbox = Arc<Mutex<Option<ImportCall>>>;

/// The actor's side: its ports, and the resources that the component holds, by number.
pub struct ActorPorts<'y> {
    view: ActorView<'y>,
    listings: Vec<Option<PageListing<ActorView<'y>>>>,
    creates: Vec<Option<Create<'y>>>,
    reads: Vec<Option<Read<'y>>>,
    uploads: Vec<Option<Parts<'y>>>,
}

/// The component's side.
#[derive(Default)]
pub struct State {
    pub mailbox: Mailbox,
    /// The bytes that the host keeps for it, by number.
    kept: Vec<Option<Vec<u8>>>,
}

impl<'y> ActorPorts<'y> {
    pub fn new(view: ActorView<'y>) -> Self {
        let (listings, creates) = (Vec::new(), Vec::new());
        Self { view, listings, creates, reads: Vec::new(), uploads: Vec::new() }
    }
}

impl State {
    /// Asks the actor and waits for the answer.
    async fn ask<R: Send + 'static>(
        &mut self,
        call: impl FnOnce(&mut ActorPorts<'_>) -> R + Send + 'static,
    ) -> wasmtime::Result<R> {
        let answer = Arc::new(Mutex::new(None));
        let slot = answer.clone();
        let call: ImportCall = Box::new(move |actor| *slot.lock().unwrap() = Some(call(actor)));
        *self.mailbox.lock().unwrap() = Some(call);
        Ok(poll_fn(|_| answer.lock().unwrap().take().map_or(Poll::Pending, Poll::Ready)).await)
    }

    /// Keeps bytes for the component.
    pub fn keep_bytes(&mut self, bytes: Vec<u8>) -> Resource<host_bytes::Bytes> {
        keep(&mut self.kept, bytes)
    }

    /// Takes bytes over from the component.
    pub fn take_bytes(&mut self, bytes: &Resource<host_bytes::Bytes>) -> Vec<u8> {
        at(&mut self.kept, bytes.rep()).take().unwrap()
    }

    async fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        let micros = self.ask(|actor| actor.view.now_micros()).await?;
        let nanoseconds = u32::try_from(micros % 1_000_000).unwrap() * 1_000;
        Ok(wall_clock::Datetime { seconds: micros / 1_000_000, nanoseconds })
    }

    async fn random(&mut self) -> wasmtime::Result<u64> {
        self.ask(|actor| u64::from(actor.view.random_u32())).await
    }
}

/// Adds the imports of the component. Any other call traps.
pub fn add_to_linker(
    linker: &mut Linker<State>,
    component: &Component,
    engine: &Engine,
) -> wasmtime::Result<()> {
    host_bytes::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    wit::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    logging::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    // An alias of the type, which would otherwise count as unknown.
    let bytes = ResourceType::host::<host_bytes::Bytes>();
    let store = format!("stratalog:log/object-store@{}", stratalog::INTERFACE_VERSION);
    linker.instance(&store)?.resource("bytes", bytes, |_, _| Ok(()))?;
    linker.define_unknown_imports_as_traps(component)?;
    // The toolchain chooses the version of these.
    linker.allow_shadowing(true);
    for (name, _) in component.component_type().imports(engine) {
        if name.starts_with("wasi:clocks/wall-clock@") {
            linker.instance(name)?.func_wrap_async(
                "now",
                |mut state: StoreContextMut<'_, State>, ()| {
                    Box::new(async move { Ok((state.data_mut().now().await?,)) })
                },
            )?;
        } else if name.starts_with("wasi:random/random@") {
            linker.instance(name)?.func_wrap_async(
                "get-random-u64",
                |mut state: StoreContextMut<'_, State>, ()| {
                    Box::new(async move { Ok((state.data_mut().random().await?,)) })
                },
            )?;
        }
    }
    Ok(())
}

/// Stores a value under a new number.
fn keep<T, R: 'static>(kept: &mut Vec<Option<T>>, thing: T) -> Resource<R> {
    kept.push(Some(thing));
    Resource::new_own(u32::try_from(kept.len() - 1).unwrap())
}

/// Returns the value with a number.
fn at<T>(kept: &mut [Option<T>], number: u32) -> &mut Option<T> {
    &mut kept[usize::try_from(number).unwrap()]
}

impl wit::Host for State {
    async fn create(
        &mut self,
        key: String,
        bytes: Vec<u8>,
        exclusive: bool,
    ) -> wasmtime::Result<Result<(), wit::WriteError>> {
        let create = move |actor: &mut ActorPorts<'_>| match exclusive {
            true => actor.view.create_exclusive(&key, &bytes),
            false => actor.view.create(&key, &bytes),
        };
        Ok(self.ask(create).await?.map_err(wit::WriteError::from))
    }

    async fn start_create(
        &mut self,
        key: String,
        bytes: Resource<host_bytes::Bytes>,
        exclusive: bool,
    ) -> wasmtime::Result<Resource<wit::PendingCreate>> {
        assert!(!exclusive, "{key}");
        let bytes = self.kept(&bytes).clone();
        self.ask(move |actor| {
            let create = actor.view.start_create(&key, &bytes);
            keep(&mut actor.creates, create)
        })
        .await
    }

    async fn ensure_exclusive(
        &mut self,
        prefix: String,
    ) -> wasmtime::Result<Result<(), wit::StoreError>> {
        let ensured = self.ask(move |actor| actor.view.ensure_exclusive(&prefix)).await?;
        Ok(ensured.map_err(wit::StoreError::from))
    }

    async fn get(
        &mut self,
        key: String,
        range: Option<wit::ByteRange>,
    ) -> wasmtime::Result<Result<Vec<u8>, wit::StoreError>> {
        assert!(range.is_none(), "{key}: {range:?}");
        let get = move |actor: &mut ActorPorts<'_>| actor.view.get(&key);
        Ok(self.ask(get).await?.map_err(wit::StoreError::from))
    }

    async fn delete(&mut self, keys: Vec<String>) -> wasmtime::Result<Vec<wit::DeleteFailure>> {
        let delete = move |actor: &mut ActorPorts<'_>| actor.view.delete(&keys);
        let failures = self.ask(delete).await?.into_iter();
        let failures = failures.map(|(key, error)| wit::DeleteFailure { key, error: error.into() });
        Ok(failures.collect())
    }
}

impl wit::HostPendingCreate for State {
    async fn poll(
        &mut self,
        create: Resource<wit::PendingCreate>,
    ) -> wasmtime::Result<Option<Result<(), wit::WriteError>>> {
        let poll = move |actor: &mut ActorPorts<'_>| {
            at(&mut actor.creates, create.rep()).as_ref().unwrap().poll()
        };
        Ok(self.ask(poll).await?.map(|outcome| outcome.map_err(wit::WriteError::from)))
    }

    async fn wait(
        &mut self,
        create: Resource<wit::PendingCreate>,
    ) -> wasmtime::Result<Result<(), wit::WriteError>> {
        let wait = move |actor: &mut ActorPorts<'_>| {
            at(&mut actor.creates, create.rep()).as_ref().unwrap().wait()
        };
        Ok(self.ask(wait).await?.map_err(wit::WriteError::from))
    }

    async fn drop(&mut self, create: Resource<wit::PendingCreate>) -> wasmtime::Result<()> {
        self.ask(move |actor| *at(&mut actor.creates, create.rep()) = None).await
    }
}

impl wit::HostOrderedRead for State {
    async fn new(
        &mut self,
        ranges: Vec<wit::ObjectRange>,
    ) -> wasmtime::Result<Resource<wit::OrderedRead>> {
        let wanted = |wanted: wit::ObjectRange| ObjectRange {
            key: wanted.key,
            range: wanted.range.map(|range| range.start..range.end),
        };
        let ranges: Vec<ObjectRange> = ranges.into_iter().map(wanted).collect();
        self.ask(move |actor| {
            let read = actor.view.read(&ranges);
            keep(&mut actor.reads, read)
        })
        .await
    }

    async fn next(
        &mut self,
        read: Resource<wit::OrderedRead>,
        bytes_max: u32,
    ) -> wasmtime::Result<Result<Option<wit::Chunk>, wit::ReadFailure>> {
        let next = move |actor: &mut ActorPorts<'_>| {
            at(&mut actor.reads, read.rep()).as_ref().unwrap().next(bytes_max)
        };
        Ok(match self.ask(next).await? {
            Ok(chunk) => Ok(chunk.map(|chunk| wit::Chunk {
                number: chunk.number,
                bytes: keep(&mut self.kept, chunk.bytes),
                last: chunk.last,
            })),
            Err(failure) => {
                Err(wit::ReadFailure { number: failure.number, error: failure.error.into() })
            }
        })
    }

    async fn drop(&mut self, read: Resource<wit::OrderedRead>) -> wasmtime::Result<()> {
        self.ask(move |actor| *at(&mut actor.reads, read.rep()) = None).await
    }
}

impl wit::HostUpload for State {
    async fn start(
        &mut self,
        key: String,
    ) -> wasmtime::Result<Result<Resource<wit::Upload>, wit::WriteError>> {
        let started = self.ask(move |actor| {
            let upload = actor.view.start_upload(&key)?;
            Ok(keep(&mut actor.uploads, upload))
        });
        Ok(started.await?.map_err(|error: WriteError| error.into()))
    }

    async fn write(
        &mut self,
        upload: Resource<wit::Upload>,
        bytes: Resource<host_bytes::Bytes>,
    ) -> wasmtime::Result<Result<(), wit::WriteError>> {
        let bytes = at(&mut self.kept, bytes.rep()).take().unwrap();
        let write = move |actor: &mut ActorPorts<'_>| {
            at(&mut actor.uploads, upload.rep()).as_ref().unwrap().write(bytes)
        };
        Ok(self.ask(write).await?.map_err(wit::WriteError::from))
    }

    async fn finish(
        &mut self,
        upload: Resource<wit::Upload>,
    ) -> wasmtime::Result<Result<(), wit::WriteError>> {
        let finish = move |actor: &mut ActorPorts<'_>| {
            at(&mut actor.uploads, upload.rep()).as_ref().unwrap().finish()
        };
        Ok(self.ask(finish).await?.map_err(wit::WriteError::from))
    }

    async fn drop(&mut self, upload: Resource<wit::Upload>) -> wasmtime::Result<()> {
        self.ask(move |actor| *at(&mut actor.uploads, upload.rep()) = None).await
    }
}

impl host_bytes::Host for State {}

impl State {
    fn kept(&mut self, bytes: &Resource<host_bytes::Bytes>) -> &mut Vec<u8> {
        at(&mut self.kept, bytes.rep()).as_mut().unwrap()
    }
}

/// A host that computes no digests: the component reads the bytes that it checks.
impl host_bytes::HostBytes for State {
    async fn new(&mut self, content: Vec<u8>) -> wasmtime::Result<Resource<host_bytes::Bytes>> {
        Ok(keep(&mut self.kept, content))
    }

    async fn length(&mut self, bytes: Resource<host_bytes::Bytes>) -> wasmtime::Result<u64> {
        Ok(self.kept(&bytes).length())
    }

    async fn slice(
        &mut self,
        bytes: Resource<host_bytes::Bytes>,
        start: u64,
        end: u64,
    ) -> wasmtime::Result<Resource<host_bytes::Bytes>> {
        let slice = self.kept(&bytes).slice(start..end);
        assert_eq!(slice.length(), end - start);
        Ok(keep(&mut self.kept, slice))
    }

    async fn append(
        &mut self,
        bytes: Resource<host_bytes::Bytes>,
        more: Resource<host_bytes::Bytes>,
    ) -> wasmtime::Result<()> {
        let more = at(&mut self.kept, more.rep()).take().unwrap();
        self.kept(&bytes).extend(more);
        Ok(())
    }

    async fn summarize(
        &mut self,
        _: Resource<host_bytes::Bytes>,
        _: u64,
        _: Vec<u64>,
    ) -> wasmtime::Result<Option<Vec<host_bytes::Summary>>> {
        Ok(None)
    }

    async fn line_end(
        &mut self,
        bytes: Resource<host_bytes::Bytes>,
        line_feeds: u64,
    ) -> wasmtime::Result<u64> {
        Ok(self.kept(&bytes).line_end(line_feeds))
    }

    async fn read(&mut self, bytes: Resource<host_bytes::Bytes>) -> wasmtime::Result<Vec<u8>> {
        Ok(self.kept(&bytes).clone())
    }

    async fn drop(&mut self, bytes: Resource<host_bytes::Bytes>) -> wasmtime::Result<()> {
        *at(&mut self.kept, bytes.rep()) = None;
        Ok(())
    }
}

impl logging::Host for State {
    async fn log(&mut self, _: logging::Level, _: String, _: String) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl From<StoreError> for wit::StoreError {
    fn from(error: StoreError) -> Self {
        let kind = match error.kind {
            StoreErrorKind::NotFound => wit::StoreErrorKind::NotFound,
            StoreErrorKind::NotAnObject => wit::StoreErrorKind::NotAnObject,
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
