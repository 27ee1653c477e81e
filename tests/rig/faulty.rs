//! A store in memory that fails on request, and counts its requests. Clones are one store.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::memory::InMemory;
use object_store::{path::Path, *};
use tokio::sync::Semaphore;

use crate::counter::Counter;
use crate::faults::{Call, Fault, Faults};

#[derive(Clone, Debug)]
pub struct Faulty {
    pub objects: Arc<InMemory>,
    pub faults: Arc<Faults>,
    pub counter: Counter,
    held: Arc<Held>,
}

/// Creates that wait for a call by the test.
#[derive(Debug)]
struct Held {
    late: Mutex<Vec<(Path, PutPayload)>>,
    released: Semaphore,
}

impl Default for Faulty {
    fn default() -> Self {
        let held = Arc::new(Held { late: Mutex::default(), released: Semaphore::new(0) });
        let (objects, faults) = (Arc::new(InMemory::new()), Arc::default());
        Self { objects, faults, counter: Counter::default(), held }
    }
}

impl Faulty {
    /// Completes the late creates, unless another create was faster.
    pub async fn land(&self) {
        let late = std::mem::take(&mut *self.held.late.lock().unwrap());
        for (at, bytes) in late {
            self.objects.put_opts(&at, bytes, PutMode::Create.into()).await.ok();
        }
    }

    /// Lets the create that has stalled first continue.
    pub fn release(&self) {
        self.held.released.add_permits(1);
    }

    fn list_fails(&self, prefix: Option<&Path>) -> bool {
        let prefix = prefix.map_or("", AsRef::as_ref);
        self.counter.other("list", prefix, 0);
        self.faults.next(Call::List, prefix).is_some()
    }
}

type Parts = Box<dyn MultipartUpload>;
type Paths = BoxStream<'static, Result<Path>>;

fn refused<T>(at: &Path) -> Result<T> {
    Err(Error::PermissionDenied { path: at.to_string(), source: "the policy says no".into() })
}

fn exists<T>(at: &Path) -> Result<T> {
    Err(Error::AlreadyExists { path: at.to_string(), source: "it is there".into() })
}

fn broken<T>() -> Result<T> {
    Err(Error::Generic { store: "faulty", source: "the connection broke".into() })
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap()
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, at: &Path, bytes: PutPayload, how: PutOptions) -> Result<PutResult> {
        self.counter.object("create", at, length(bytes.content_length()));
        let fault = self.faults.next(Call::Create, at.as_ref());
        match fault {
            Some(Fault::Refused) => return refused(at),
            Some(Fault::Lost) => return broken(),
            Some(Fault::SaysExists) => return exists(at),
            Some(Fault::Taken) => {
                self.objects.put_opts(at, "another\n".into(), how).await?;
                return exists(at);
            }
            Some(Fault::LandsLate) => {
                self.held.late.lock().unwrap().push((at.clone(), bytes));
                return broken();
            }
            Some(Fault::Stalls) => self.held.released.acquire().await.unwrap().forget(),
            Some(Fault::StallsRefused) => {
                self.held.released.acquire().await.unwrap().forget();
                return refused(at);
            }
            _ => {}
        }
        let done = self.objects.put_opts(at, bytes, how).await;
        if fault == Some(Fault::ReplyLost) { broken() } else { done }
    }
    async fn get_opts(&self, at: &Path, how: GetOptions) -> Result<GetResult> {
        let call = if how.head { "head" } else { "get" };
        let got = match self.faults.next(Call::Get, at.as_ref()) {
            Some(Fault::NotFound) => self.objects.get_opts(&Path::from("missing"), how).await,
            Some(Fault::Stalls) => {
                self.held.released.acquire().await.unwrap().forget();
                self.objects.get_opts(at, how).await
            }
            Some(_) => broken(),
            None => self.objects.get_opts(at, how).await,
        };
        let bytes = got.as_ref().map_or(0, |got| got.range.end - got.range.start);
        self.counter.object(call, at, bytes);
        self.counter.hold().await;
        got
    }
    fn delete_stream(&self, paths: Paths) -> Paths {
        let store = self.clone();
        let deleted = stream::once(async move {
            let paths: Vec<_> = paths.collect().await;
            store.counter.other("delete", "", length(paths.len()));
            let objects = store.objects.clone();
            let refuse = move |path: Result<Path>| match path {
                Ok(at) if store.faults.next(Call::Delete, at.as_ref()).is_some() => broken(),
                path => path,
            };
            objects.delete_stream(stream::iter(paths).map(refuse).boxed())
        });
        deleted.flatten().boxed()
    }
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        if self.list_fails(prefix) {
            return stream::iter([broken()]).boxed();
        }
        self.objects.list(prefix)
    }
    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        if self.list_fails(prefix) {
            return broken();
        }
        self.objects.list_with_delimiter(prefix).await
    }
    async fn put_multipart_opts(&self, at: &Path, how: PutMultipartOptions) -> Result<Parts> {
        self.counter.object("upload", at, 0);
        self.objects.put_multipart_opts(at, how).await
    }
    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.counter.other("copy", from.as_ref(), 0);
        self.objects.copy_opts(from, to, how).await
    }
}

impl std::fmt::Display for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("faulty")
    }
}
