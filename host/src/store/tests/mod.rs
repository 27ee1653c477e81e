//! Tests of the store layer, on memory, on folders, and on a fake that misbehaves on demand.

mod credentials;
mod doctoring;
mod explained;
mod fates;
mod folder;
mod http;
mod listing;
mod locations;
mod opening;
mod operations;
mod ordered;
mod passes;
mod probing;
mod repeats;
mod replies;
mod secrets;
mod settings;
mod trees;
mod uploads;

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result,
};

use super::{ConditionalCreate, EntryKind, ListPage, Root, Store, StoreOptions};

/// A separate folder that is removed with the test.
pub(super) struct TempFolder(pub(super) PathBuf);

impl TempFolder {
    pub(super) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("store-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path.canonicalize().unwrap())
    }

    pub(super) fn store(&self) -> Store {
        Store::open(&Root::folder(&self.0), &StoreOptions::new()).unwrap()
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Returns the stores for tests of common behaviour. The folder lives as long as the vector.
pub(super) fn stores() -> (TempFolder, Vec<(&'static str, Store)>) {
    let folder = TempFolder::new();
    let stores = vec![
        ("memory", Store::memory()),
        ("folder", folder.store()),
        ("wrapped", Fake::new().store(ConditionalCreate::Honoured)),
    ];
    (folder, stores)
}

/// Returns the keys of the objects on a page.
pub(super) fn keys(page: &ListPage) -> Vec<&str> {
    of_kind(page, EntryKind::Object)
}

/// Returns the keys of the entries of a kind on a page.
pub(super) fn of_kind(page: &ListPage, kind: EntryKind) -> Vec<&str> {
    let entries = page.objects.iter().filter(|entry| entry.kind == kind);
    entries.map(|entry| entry.key.as_str()).collect()
}

/// The fake's reaction to one put.
pub(super) enum OnPut {
    Pass,
    /// Fails without writing.
    Fail(Error),
    /// Writes, and then reports a failure.
    WriteAndFail(Error),
    /// Overwrites an existing object.
    Overwrite,
}

type PutHook = Box<dyn Fn(&Path, &PutMode) -> OnPut + Send + Sync>;
/// The pace of a get: the time until it is answered, and that of each frame.
#[derive(Clone, Copy)]
pub(super) struct GetPace {
    pub(super) answer: Duration,
    pub(super) frame: Duration,
    pub(super) frame_bytes: usize,
}

type GetHook = Box<dyn Fn(&Path) -> Option<Vec<Result<Bytes>>> + Send + Sync>;

/// An in-memory store that misbehaves as configured and counts requests.
pub(super) struct Fake {
    memory: InMemory,
    on_put: PutHook,
    /// Replaces the body of a get by these frames. The announced length stays.
    on_get: GetHook,
    /// Without it gets take no time.
    pub(super) get_pace: Option<GetPace>,
    pub(super) gets: Arc<AtomicUsize>,
    pub(super) puts: Arc<AtomicUsize>,
    pub(super) frames: Arc<AtomicUsize>,
    pub(super) lists: Arc<AtomicUsize>,
    pub(super) has_multipart: bool,
    /// Puts are done when they are first polled. Otherwise others run first.
    pub(super) puts_immediately: bool,
    pub(super) log: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    pub(super) fn new() -> Self {
        Self {
            memory: InMemory::new(),
            on_put: Box::new(|_, _| OnPut::Pass),
            on_get: Box::new(|_| None),
            get_pace: None,
            gets: Arc::default(),
            puts: Arc::default(),
            frames: Arc::default(),
            lists: Arc::default(),
            has_multipart: true,
            puts_immediately: false,
            log: Arc::default(),
        }
    }

    pub(super) fn on_put(
        mut self,
        hook: impl Fn(&Path, &PutMode) -> OnPut + Send + Sync + 'static,
    ) -> Self {
        self.on_put = Box::new(hook);
        self
    }

    pub(super) fn on_get(
        mut self,
        hook: impl Fn(&Path) -> Option<Vec<Result<Bytes>>> + Send + Sync + 'static,
    ) -> Self {
        self.on_get = Box::new(hook);
        self
    }

    pub(super) fn store(self, conditional: ConditionalCreate) -> Store {
        Store::from_object_store(Arc::new(self), "fake", conditional)
    }

    fn note(&self, what: &str) {
        self.log.lock().unwrap().push(what.to_owned());
    }
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fake")
    }
}

impl fmt::Display for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fake")
    }
}

pub(super) fn not_implemented() -> Error {
    Error::NotImplemented { operation: "put".to_owned(), implementer: "fake".to_owned() }
}

impl ObjectStore for Fake {
    fn put_opts<'a, 'b, 'r>(
        &'a self,
        location: &'b Path,
        payload: PutPayload,
        mut options: PutOptions,
    ) -> BoxFuture<'r, Result<PutResult>>
    where
        'a: 'r,
        'b: 'r,
        Self: 'r,
    {
        Box::pin(async move {
            self.puts.fetch_add(1, Ordering::SeqCst);
            if !self.puts_immediately {
                tokio::task::yield_now().await;
            }
            match (self.on_put)(location, &options.mode) {
                OnPut::Pass => self.memory.put_opts(location, payload, options).await,
                OnPut::Fail(error) => Err(error),
                OnPut::WriteAndFail(error) => {
                    self.memory.put_opts(location, payload, options).await?;
                    Err(error)
                }
                OnPut::Overwrite => {
                    options.mode = PutMode::Overwrite;
                    self.memory.put_opts(location, payload, options).await
                }
            }
        })
    }

    fn put_multipart_opts<'a, 'b, 'r>(
        &'a self,
        location: &'b Path,
        options: PutMultipartOptions,
    ) -> BoxFuture<'r, Result<Box<dyn MultipartUpload>>>
    where
        'a: 'r,
        'b: 'r,
        Self: 'r,
    {
        Box::pin(async move {
            if !self.has_multipart {
                return Err(not_implemented());
            }
            self.note("multipart");
            self.memory.put_multipart_opts(location, options).await
        })
    }

    fn get_opts<'a, 'b, 'r>(
        &'a self,
        location: &'b Path,
        options: GetOptions,
    ) -> BoxFuture<'r, Result<GetResult>>
    where
        'a: 'r,
        'b: 'r,
        Self: 'r,
    {
        Box::pin(async move {
            if !options.head {
                self.gets.fetch_add(1, Ordering::SeqCst);
            }
            if let Some(pace) = self.get_pace {
                tokio::time::sleep(pace.answer).await;
            }
            let mut result = self.memory.get_opts(location, options).await?;
            if let Some(frames) = (self.on_get)(location) {
                let count = Arc::clone(&self.frames);
                let frames = stream::iter(frames).inspect(move |_| {
                    count.fetch_add(1, Ordering::SeqCst);
                });
                result.payload = GetResultPayload::Stream(frames.boxed());
            }
            if let (Some(pace), GetResultPayload::Stream(whole)) =
                (self.get_pace, &mut result.payload)
            {
                let bytes: Bytes = whole.next().await.expect("bytes")?;
                let starts = (0..bytes.len()).step_by(pace.frame_bytes);
                let ends = |start: usize| bytes.len().min(start + pace.frame_bytes);
                let frames: Vec<_> = starts.map(|start| bytes.slice(start..ends(start))).collect();
                *whole = stream::iter(frames)
                    .then(move |frame| async move {
                        if !pace.frame.is_zero() {
                            tokio::time::sleep(pace.frame).await;
                        }
                        Ok(frame)
                    })
                    .boxed();
            }
            Ok(result)
        })
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.note("delete");
        self.memory.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.memory.list(prefix)
    }

    fn list_with_delimiter<'a, 'b, 'r>(
        &'a self,
        prefix: Option<&'b Path>,
    ) -> BoxFuture<'r, Result<ListResult>>
    where
        'a: 'r,
        'b: 'r,
        Self: 'r,
    {
        Box::pin(async move {
            self.lists.fetch_add(1, Ordering::SeqCst);
            let mut found = self.memory.list_with_delimiter(prefix).await?;
            found.objects.reverse();
            Ok(found)
        })
    }

    fn copy_opts<'a, 'b, 'c, 'r>(
        &'a self,
        _from: &'b Path,
        _to: &'c Path,
        _options: CopyOptions,
    ) -> BoxFuture<'r, Result<()>>
    where
        'a: 'r,
        'b: 'r,
        'c: 'r,
        Self: 'r,
    {
        Box::pin(async { Err(not_implemented()) })
    }
}
