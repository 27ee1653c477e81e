//! A store in memory that fails on request. Clones are one store.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::memory::InMemory;
use object_store::{path::Path, *};
use tokio::sync::Semaphore;

use crate::faults::{Fault::*, Faults};

#[derive(Clone, Debug)]
pub struct Faulty(pub Arc<InMemory>, pub Arc<Faults>, Arc<Late>);

#[derive(Debug)]
struct Late(Mutex<Vec<(Path, PutPayload)>>, Semaphore);

impl Faulty {
    pub fn empty() -> Self {
        let late = Late(Mutex::default(), Semaphore::new(0));
        Self(Arc::new(InMemory::new()), Arc::default(), Arc::new(late))
    }
    /// Completes the late creates, unless another create was faster.
    pub async fn land(&self) {
        let late = std::mem::take(&mut *self.2.0.lock().unwrap());
        for (at, bytes) in late {
            self.0.put_opts(&at, bytes, PutMode::Create.into()).await.ok();
        }
    }
    /// Lets a stalled create continue.
    pub fn release(&self) {
        self.2.1.add_permits(1);
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

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, at: &Path, bytes: PutPayload, how: PutOptions) -> Result<PutResult> {
        let kinds = [CreateRefused, CreateLost, ReplyLost, LandsLate, SaysExists, Taken, Stalls];
        let fault = self.1.next("create", at.as_ref(), &kinds);
        match fault {
            Some(CreateRefused) => return refused(at),
            Some(CreateLost) => return broken(),
            Some(SaysExists) => return exists(at),
            Some(Taken) => {
                self.0.put_opts(at, "another\n".into(), how).await?;
                return exists(at);
            }
            Some(LandsLate) => {
                self.2.0.lock().unwrap().push((at.clone(), bytes));
                return broken();
            }
            Some(Stalls) => self.2.1.acquire().await.unwrap().forget(),
            _ => {}
        }
        let done = self.0.put_opts(at, bytes, how).await;
        if fault == Some(ReplyLost) { broken() } else { done }
    }
    async fn get_opts(&self, at: &Path, how: GetOptions) -> Result<GetResult> {
        let fault = self.1.next("get", at.as_ref(), &[GetFails, GetMissing]);
        let at = if fault == Some(GetMissing) { &Path::from("missing") } else { at };
        if fault == Some(GetFails) { broken() } else { self.0.get_opts(at, how).await }
    }
    fn delete_stream(&self, paths: Paths) -> Paths {
        let store = self.clone();
        let refuse = move |path: Result<Path>| match path {
            Ok(at) if store.1.next("delete", at.as_ref(), &[DeleteFails]).is_some() => broken(),
            path => path,
        };
        self.0.delete_stream(paths.map(refuse).boxed())
    }
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let fault = self.1.next("list", prefix.map_or("", AsRef::as_ref), &[ListFails]);
        if fault.is_some() { stream::iter([broken()]).boxed() } else { self.0.list(prefix) }
    }
    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let fault = self.1.next("list", prefix.map_or("", AsRef::as_ref), &[ListFails]);
        if fault.is_some() { broken() } else { self.0.list_with_delimiter(prefix).await }
    }
    async fn put_multipart_opts(&self, at: &Path, how: PutMultipartOptions) -> Result<Parts> {
        self.0.put_multipart_opts(at, how).await
    }
    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.0.copy_opts(from, to, how).await
    }
}

impl std::fmt::Display for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("faulty")
    }
}
