//! A store that waits in every call, so that its user can be cancelled at each of them.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::{path::Path, *};
use tokio::task::yield_now;

/// Passes every call on, and waits once before and once after it.
#[derive(Debug)]
pub struct Hesitant(pub Arc<dyn ObjectStore>);

type Parts = Box<dyn MultipartUpload>;

/// Waits before each item and before the end.
fn hesitating<T: Send + 'static>(items: BoxStream<'static, T>) -> BoxStream<'static, T> {
    let wait = || stream::once(yield_now()).filter_map(|()| async { None::<T> });
    wait()
        .chain(items.then(|item| async {
            yield_now().await;
            item
        }))
        .chain(wait())
        .boxed()
}

#[async_trait]
impl ObjectStore for Hesitant {
    async fn put_opts(&self, at: &Path, bytes: PutPayload, how: PutOptions) -> Result<PutResult> {
        yield_now().await;
        let done = self.0.put_opts(at, bytes, how).await;
        yield_now().await;
        done
    }
    async fn get_opts(&self, at: &Path, how: GetOptions) -> Result<GetResult> {
        yield_now().await;
        let got = self.0.get_opts(at, how).await;
        yield_now().await;
        let mut got = got?;
        got.payload = match got.payload {
            GetResultPayload::Stream(bytes) => GetResultPayload::Stream(hesitating(bytes)),
            other => other,
        };
        Ok(got)
    }
    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        hesitating(self.0.delete_stream(paths))
    }
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        hesitating(self.0.list(prefix))
    }
    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        yield_now().await;
        let listed = self.0.list_with_delimiter(prefix).await;
        yield_now().await;
        listed
    }
    async fn put_multipart_opts(&self, at: &Path, how: PutMultipartOptions) -> Result<Parts> {
        yield_now().await;
        let upload = self.0.put_multipart_opts(at, how).await?;
        yield_now().await;
        Ok(Box::new(HesitantParts(upload)))
    }
    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        yield_now().await;
        self.0.copy_opts(from, to, how).await
    }
}

#[derive(Debug)]
struct HesitantParts(Parts);

#[async_trait]
impl MultipartUpload for HesitantParts {
    fn put_part(&mut self, part: PutPayload) -> UploadPart {
        let put = self.0.put_part(part);
        Box::pin(async move {
            yield_now().await;
            put.await
        })
    }
    async fn complete(&mut self) -> Result<PutResult> {
        yield_now().await;
        self.0.complete().await
    }
    async fn abort(&mut self) -> Result<()> {
        yield_now().await;
        self.0.abort().await
    }
}

impl fmt::Display for Hesitant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hesitant")
    }
}
