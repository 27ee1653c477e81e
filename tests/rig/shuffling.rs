//! A store whose creates end in another order than they began.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::{path::Path, *};

/// A store in memory that delays each create by up to ten milliseconds. Of thirteen creates, one
/// loses its reply and one is refused.
#[derive(Debug, Default)]
pub struct Shuffling {
    objects: InMemory,
    creates: AtomicU64,
    lines: Mutex<BTreeSet<String>>,
}

impl Shuffling {
    /// Returns true if an object that was created has this line.
    pub fn has_line(&self, line: &str) -> bool {
        self.lines.lock().unwrap().contains(line)
    }
}

fn broken<T>() -> Result<T> {
    Err(Error::Generic { store: "shuffling", source: "the connection broke".into() })
}

#[async_trait]
impl ObjectStore for Shuffling {
    async fn put_opts(&self, at: &Path, bytes: PutPayload, how: PutOptions) -> Result<PutResult> {
        let create = self.creates.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(create * 7 % 11)).await;
        if create % 13 == 9 {
            let source = "the policy says no".into();
            return Err(Error::PermissionDenied { path: at.to_string(), source });
        }
        let whole: Vec<u8> = bytes.iter().flat_map(|bytes| bytes.to_vec()).collect();
        let done = self.objects.put_opts(at, bytes, how).await?;
        let lines = String::from_utf8(whole).unwrap();
        self.lines.lock().unwrap().extend(lines.lines().map(str::to_owned));
        if create % 13 == 5 { broken() } else { Ok(done) }
    }
    async fn get_opts(&self, at: &Path, how: GetOptions) -> Result<GetResult> {
        self.objects.get_opts(at, how).await
    }
    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.objects.delete_stream(paths)
    }
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.objects.list(prefix)
    }
    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.objects.list_with_delimiter(prefix).await
    }
    async fn put_multipart_opts(
        &self,
        at: &Path,
        how: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.objects.put_multipart_opts(at, how).await
    }
    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.objects.copy_opts(from, to, how).await
    }
}

impl fmt::Display for Shuffling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("shuffling")
    }
}
