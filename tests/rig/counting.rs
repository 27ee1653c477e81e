//! A store in memory that records every request. Clones are one store.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::memory::InMemory;
use object_store::{path::Path, *};

/// A recorded request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The operation, and the kind of object: `get segment`.
    pub what: String,
    /// The object's key; empty for a bulk delete.
    pub key: String,
    /// Bytes created or got; for a bulk delete, the number of keys.
    pub amount: u64,
}

#[derive(Clone, Debug, Default)]
pub struct Counting {
    store: Arc<InMemory>,
    requests: Arc<Mutex<Vec<Request>>>,
    gate: Arc<Gate>,
}

/// Holds gets, to count the concurrent ones.
#[derive(Debug, Default)]
struct Gate {
    holds: AtomicBool,
    waiting: AtomicUsize,
    most: AtomicUsize,
}

/// The number of turns that a held get gives to all others before it assumes that no more come.
const TURNS: usize = 2_000;

impl Counting {
    /// Returns the requests since the last call.
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }

    /// Returns the number of requests of each kind since the last call.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for request in self.requests() {
            *counts.entry(request.what).or_default() += 1;
        }
        counts
    }

    /// Makes each get wait, from now on, until no more come.
    pub fn hold_gets(&self) {
        self.gate.holds.store(true, SeqCst);
    }

    /// Returns the largest number of gets that have waited concurrently.
    pub fn most_at_once(&self) -> usize {
        self.gate.most.load(SeqCst)
    }

    fn note(&self, what: &str, key: &str, amount: u64) {
        let request = Request { what: what.to_owned(), key: key.to_owned(), amount };
        self.requests.lock().unwrap().push(request);
    }
}

impl Gate {
    async fn pass(&self) {
        if !self.holds.load(SeqCst) {
            return;
        }
        let waiting = self.waiting.fetch_add(1, SeqCst) + 1;
        self.most.fetch_max(waiting, SeqCst);
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        self.waiting.fetch_sub(1, SeqCst);
    }
}

/// Returns the kind of an object, by its key.
fn kind(key: &Path) -> &'static str {
    let name = key.filename().unwrap_or_default();
    match name.split('_').next().unwrap_or_default() {
        "batch" => "batch",
        "manifest" => "manifest",
        "segment" if name.ends_with(".index") => "index",
        "segment" => "segment",
        "generation" => "marker",
        _ => "other",
    }
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap()
}

#[async_trait]
impl ObjectStore for Counting {
    async fn put_opts(&self, at: &Path, bytes: PutPayload, how: PutOptions) -> Result<PutResult> {
        let what = format!("create {}", kind(at));
        self.note(&what, at.as_ref(), length(bytes.content_length()));
        self.store.put_opts(at, bytes, how).await
    }
    async fn get_opts(&self, at: &Path, how: GetOptions) -> Result<GetResult> {
        let what = if how.head { "head" } else { "get" };
        let got = self.store.get_opts(at, how).await;
        if matches!(got, Err(object_store::Error::NotFound { .. })) {
            self.note(&format!("{what} {}", kind(at)), at.as_ref(), 0);
        }
        let got = got?;
        let amount = got.range.end - got.range.start;
        self.note(&format!("{what} {}", kind(at)), at.as_ref(), amount);
        self.gate.pass().await;
        Ok(got)
    }
    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let this = self.clone();
        let deleted = stream::once(async move {
            let paths: Vec<_> = paths.collect().await;
            this.note("delete", "", length(paths.len()));
            this.store.delete_stream(stream::iter(paths).boxed())
        });
        deleted.flatten().boxed()
    }
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.note("list", prefix.map_or("", AsRef::as_ref), 0);
        self.store.list(prefix)
    }
    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.note("list", prefix.map_or("", AsRef::as_ref), 0);
        self.store.list_with_delimiter(prefix).await
    }
    async fn put_multipart_opts(
        &self,
        at: &Path,
        how: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.note(&format!("upload {}", kind(at)), at.as_ref(), 0);
        self.store.put_multipart_opts(at, how).await
    }
    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.note("copy", from.as_ref(), 0);
        self.store.copy_opts(from, to, how).await
    }
}

impl std::fmt::Display for Counting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("counting")
    }
}
