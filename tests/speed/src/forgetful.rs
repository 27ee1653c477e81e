//! A store that forgets, so that the way to it is measured.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::path::Path as Key;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// A store that forgets: the measured part is the way to it, not the memory it would keep. On
/// request it keeps what was put, and still shows none of it.
#[derive(Debug, Default)]
pub(crate) struct Forgetful {
    kept: Option<Mutex<Vec<(String, Bytes)>>>,
}

impl Forgetful {
    pub(crate) fn that_keeps() -> Self {
        Self { kept: Some(Mutex::default()) }
    }

    /// Takes the keys and bytes of all objects, in the order of their puts.
    pub(crate) fn take(&self) -> Vec<(String, Bytes)> {
        let kept = self.kept.as_ref().map(|kept| kept.lock());
        kept.map(|kept| std::mem::take(&mut *kept.unwrap_or_else(PoisonError::into_inner)))
            .unwrap_or_default()
    }
}

impl fmt::Display for Forgetful {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("forgetful")
    }
}

#[async_trait]
impl ObjectStore for Forgetful {
    async fn put_opts(&self, at: &Key, bytes: PutPayload, _: PutOptions) -> Result<PutResult> {
        if let Some(kept) = &self.kept {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push((at.to_string(), bytes.into()));
        }
        Ok(PutResult { e_tag: None, version: None, extensions: Default::default() })
    }
    async fn put_multipart_opts(
        &self,
        _: &Key,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(object_store::Error::NotImplemented {
            operation: "put_multipart".to_owned(),
            implementer: self.to_string(),
        })
    }
    async fn get_opts(&self, at: &Key, _: GetOptions) -> Result<GetResult> {
        let source = "forgotten".into();
        Err(object_store::Error::NotFound { path: at.to_string(), source })
    }
    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Key>>,
    ) -> BoxStream<'static, Result<Key>> {
        locations
    }
    fn list(&self, _: Option<&Key>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::empty().boxed()
    }
    async fn list_with_delimiter(&self, _: Option<&Key>) -> Result<ListResult> {
        Ok(ListResult {
            common_prefixes: Vec::new(),
            objects: Vec::new(),
            extensions: Default::default(),
        })
    }
    async fn copy_opts(&self, at: &Key, _: &Key, _: CopyOptions) -> Result<()> {
        self.get_opts(at, GetOptions::default()).await.map(|_| ())
    }
}
