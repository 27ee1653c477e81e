//! A store in memory that fails on request, and counts what it is asked.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use tokio::sync::Semaphore;

/// What happens to the next request of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The create is refused: surely not written.
    CreateRefused,
    /// The create is not done, and nobody can know.
    CreateLost,
    /// The create is done and its reply is lost.
    ReplyLost,
    /// The create's reply is lost, and it is done when `land` is called.
    LandsLate,
    /// The create waits until `release` is called.
    Stalls,
    GetFails,
    ListFails,
    DeleteFails,
}

/// The store; clones are one.
#[derive(Clone)]
pub struct Faulty(Arc<State>);

struct State {
    objects: InMemory,
    /// With how many requests of their kind go well before.
    faults: Mutex<VecDeque<(Fault, usize)>>,
    late: Mutex<Vec<(Path, PutPayload)>>,
    gate: Semaphore,
    requests: Mutex<Vec<String>>,
}

impl Faulty {
    #[expect(clippy::new_without_default, reason = "a fresh store is not a default")]
    pub fn new() -> Self {
        Self(Arc::new(State {
            objects: InMemory::new(),
            faults: Mutex::default(),
            late: Mutex::default(),
            gate: Semaphore::new(0),
            requests: Mutex::default(),
        }))
    }

    /// Lets the next requests of its kind fail.
    pub fn arm(&self, faults: impl IntoIterator<Item = Fault>) {
        self.0.faults.lock().unwrap().extend(faults.into_iter().map(|fault| (fault, 0)));
    }

    /// Lets a request of its kind fail after some have gone well.
    pub fn arm_after(&self, fault: Fault, well: usize) {
        self.0.faults.lock().unwrap().push_back((fault, well));
    }

    /// Does the creates that were to land late, where nobody was faster.
    pub async fn land(&self) {
        let late = std::mem::take(&mut *self.0.late.lock().unwrap());
        for (path, payload) in late {
            let options = PutOptions::from(object_store::PutMode::Create);
            self.0.objects.put_opts(&path, payload, options).await.ok();
        }
    }

    /// Lets a stalled create go on.
    pub fn release(&self) {
        self.0.gate.add_permits(1);
    }

    /// The requests since the last call, each as its kind and key.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.requests.lock().unwrap())
    }

    /// The objects without faults.
    pub fn objects(&self) -> &InMemory {
        &self.0.objects
    }

    fn next(&self, request: &str, key: &str, kinds: &[Fault]) -> Option<Fault> {
        self.0.requests.lock().unwrap().push(format!("{request} {key}"));
        let mut faults = self.0.faults.lock().unwrap();
        let next = faults.iter().position(|(fault, _)| kinds.contains(fault))?;
        match &mut faults[next].1 {
            0 => faults.remove(next).map(|(fault, _)| fault),
            well => {
                *well -= 1;
                None
            }
        }
    }
}

fn broken() -> Error {
    Error::Generic { store: "faulty", source: "the connection broke".into() }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, at: &Path, bytes: PutPayload, how: PutOptions) -> Result<PutResult> {
        use Fault::{CreateLost, CreateRefused, LandsLate, ReplyLost, Stalls};
        let kinds = [CreateRefused, CreateLost, ReplyLost, LandsLate, Stalls];
        match self.next("create", at.as_ref(), &kinds) {
            Some(CreateRefused) => {
                let (path, source) = (at.to_string(), "the policy says no".into());
                return Err(Error::PermissionDenied { path, source });
            }
            Some(CreateLost) => return Err(broken()),
            Some(ReplyLost) => {
                self.0.objects.put_opts(at, bytes, how).await?;
                return Err(broken());
            }
            Some(LandsLate) => {
                self.0.late.lock().unwrap().push((at.clone(), bytes));
                return Err(broken());
            }
            Some(Stalls) => self.0.gate.acquire().await.unwrap().forget(),
            _ => {}
        }
        self.0.objects.put_opts(at, bytes, how).await
    }
    async fn put_multipart_opts(
        &self,
        at: &Path,
        how: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.0.objects.put_multipart_opts(at, how).await
    }
    async fn get_opts(&self, at: &Path, how: GetOptions) -> Result<GetResult> {
        match self.next("get", at.as_ref(), &[Fault::GetFails]) {
            Some(_) => Err(broken()),
            None => self.0.objects.get_opts(at, how).await,
        }
    }
    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        let delete = move |location: Result<Path>| {
            let store = store.clone();
            async move {
                let at = location?;
                match store.next("delete", at.as_ref(), &[Fault::DeleteFails]) {
                    Some(_) => Err(broken()),
                    None => store.0.objects.delete(&at).await.map(|()| at),
                }
            }
        };
        locations.then(delete).boxed()
    }
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.next("list", prefix.map_or("", AsRef::as_ref), &[Fault::ListFails]) {
            Some(_) => stream::once(async { Err(broken()) }).boxed(),
            None => self.0.objects.list(prefix),
        }
    }
    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        match self.next("list", prefix.map_or("", AsRef::as_ref), &[Fault::ListFails]) {
            Some(_) => Err(broken()),
            None => self.0.objects.list_with_delimiter(prefix).await,
        }
    }
    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.0.objects.copy_opts(from, to, how).await
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty")
    }
}
