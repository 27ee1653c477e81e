//! Writing one large object piece by piece.
//!
//! Owns: the parts of an upload and their memory. Must not know: the content.
//!
//! 1. Nothing is visible under the key before [`Upload::finish`], and afterwards the whole object
//!    is.
//! 2. Fewer than 8 MiB go as one create. A small or empty upload is never one in parts.
//! 3. Memory is at most 24 MiB, in addition to the bytes of one write: 8 MiB collected, and two
//!    parts of 8 MiB in flight. On stores without uploads in parts it is 256 MiB.
//! 4. An upload that is not finished is aborted, at the latest by its drop, as far as possible.
//! 5. A last step that was refused when it was repeated is checked: the first may have worked. So
//!    is a last step whose answer is not its reply.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use tokio::task::JoinSet;

use super::count::CountedCreate;
use crate::numbers::{grouped, size, to_u64};
use crate::store::classify::is_wrong_reply;
use crate::store::error::{StoreError, StoreErrorKind, WriteError};
use crate::store::operation::Attempts;
use crate::store::{Backend, Inner, Store};
use crate::telemetry::{self, Direction};

/// The size of each part but the last, in bytes. S3 requires 5 MiB or more, R2 equal parts.
pub const PART_BYTES: usize = 8 * 1024 * 1024;

/// The most parts of one upload, so the largest object has 80,000 MiB. S3 accepts no more parts.
pub const UPLOAD_PARTS_MAX: usize = 10_000;

/// The most bytes of an upload to a store without uploads in parts, which are held in memory.
pub const UPLOAD_BUFFERED_BYTES_MAX: usize = 256 * 1024 * 1024;

/// The number of parts that are in flight.
const PARTS_IN_FLIGHT_MAX: usize = 2;

/// Writes up to this size are joined, so that many small ones do not become many small pieces.
const JOIN_BYTES_MAX: usize = 64 * 1024;

/// A large object being written; see [`Store::start_upload`].
///
/// Dropped without [`Upload::finish`], it leaves no object and aborts in the background.
pub struct Upload {
    inner: Arc<Inner>,
    store: Arc<dyn ObjectStore>,
    key: String,
    path: Path,
    pieces: Pieces,
    parts: Parts,
    tasks: JoinSet<Result<(), StoreError>>,
    parts_started: usize,
    bytes: u64,
    failed: Option<WriteError>,
}

enum Parts {
    /// Not begun: everything that was written is still collected.
    Unstarted,
    /// The store has no uploads in parts.
    Unsupported,
    Started(Box<dyn MultipartUpload>),
    Over,
}

impl Store {
    /// Starts to write the object `key` piece by piece. Nothing is requested yet.
    ///
    /// The key must be unique. An existing object of that name is noticed and not overwritten. Of
    /// two uploads that finish concurrently the later may win, since stores have no exclusive form.
    ///
    /// # Errors
    /// [`WriteError::NotWritten`] if the key is invalid or a local folder cannot be created.
    pub async fn start_upload(&self, key: &str) -> Result<Upload, WriteError> {
        let path = self.inner.path(key).map_err(WriteError::NotWritten)?;
        let store = self.inner.for_write(key).await.map_err(WriteError::NotWritten)?;
        Ok(Upload {
            inner: Arc::clone(&self.inner),
            store,
            key: key.to_owned(),
            path,
            pieces: Pieces::default(),
            parts: Parts::Unstarted,
            tasks: JoinSet::new(),
            parts_started: 0,
            bytes: 0,
            failed: None,
        })
    }
}

impl Upload {
    /// Adds `bytes` at the end. Waits while two parts are in flight.
    ///
    /// A call that is dropped before it has returned ends the upload. The added part of `bytes` is
    /// then unknown, so every further call fails, and no object is left.
    ///
    /// # Errors
    /// [`WriteError::NotWritten`]. The upload is then over and every further call fails alike.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), WriteError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let length = bytes.len();
        let dropped = "a write was dropped before its end: upload the object again".to_owned();
        self.failed = Some(self.not_written(StoreErrorKind::Unavailable, dropped));
        let result = self.add(bytes).await;
        self.failed = result.as_ref().err().cloned();
        if result.is_err() {
            self.abort_parts().await;
        } else {
            self.inner.operations.has_uploaded(length);
        }
        result
    }

    /// Makes the object durable under its key. If the call is dropped before it has returned, the
    /// whole object exists or none.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub async fn finish(self) -> Result<(), WriteError> {
        let inner = Arc::clone(&self.inner);
        let counted = CountedCreate::begin(&inner.counts, self.bytes);
        counted.end(self.finish_uncounted().await)
    }

    async fn finish_uncounted(mut self) -> Result<(), WriteError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        if !matches!(self.parts, Parts::Started(_)) {
            let payload = self.pieces.take_all();
            let (store, key, path) = (&self.store, &self.key, &self.path);
            return self.inner.create_at(store, key, path, payload).await;
        }
        match self.send_rest().await {
            Ok(()) => {}
            Err(error) => {
                self.abort_parts().await;
                return Err(error);
            }
        }
        let Parts::Started(mut upload) = std::mem::replace(&mut self.parts, Parts::Over) else {
            return Ok(());
        };
        let (inner, store, bytes) = (&self.inner, self.store.as_ref(), self.bytes);
        let (key, path) = (&self.key, &self.path);
        let action = "finish writing";
        // In a folder the last step creates. Elsewhere a conflict proves nothing about the object.
        let is_folder = matches!(inner.backend.as_ref(), Backend::Folder(_));
        let completed = async {
            match upload.complete().await {
                Ok(_) => Ok(()),
                Err(error) if is_complete(store, path, bytes, &error).await => Ok(()),
                Err(object_store::Error::AlreadyExists { .. }) if is_folder => {
                    Err(WriteError::AlreadyExists)
                }
                Err(error) => Err(inner.context.fate(action, key, &error)),
            }
        };
        let fate = match inner.run_operation(action, key, completed).await {
            Ok(fate) => fate,
            Err(abandoned) => Err(inner.context.abandoned_write(action, key, &abandoned)),
        };
        if matches!(fate, Err(WriteError::NotWritten(_))) {
            abort(inner, key, upload).await;
        }
        fate
    }

    /// Returns the number of bytes in memory, including those in flight.
    pub(crate) fn bytes_held(&self) -> usize {
        let in_flight = self.tasks.len() * PART_BYTES;
        self.pieces.len + in_flight
    }

    /// Returns whether the bytes so far are sent in parts: not before more than one part was
    /// written.
    pub(crate) fn is_in_parts(&self) -> bool {
        matches!(self.parts, Parts::Started(_))
    }

    /// Ends the upload and removes the parts that were sent, as far as the store permits. No object
    /// is left.
    pub async fn abort(mut self) {
        self.abort_parts().await;
    }

    async fn add(&mut self, bytes: Bytes) -> Result<(), WriteError> {
        self.bytes += to_u64(bytes.len());
        self.pieces.push(bytes);
        if matches!(self.parts, Parts::Unstarted) && self.pieces.len > PART_BYTES {
            self.start_parts().await?;
        }
        match self.parts {
            Parts::Started(_) => {
                // `finish` sends the last part, so it is never empty.
                while self.pieces.len > PART_BYTES {
                    let payload = self.pieces.take(PART_BYTES);
                    self.send_part(payload).await?;
                }
                Ok(())
            }
            _ if self.pieces.len > UPLOAD_BUFFERED_BYTES_MAX => {
                let reason = format!(
                    "this store takes an object only in one piece, of at most \
                     {} here",
                    size(to_u64(UPLOAD_BUFFERED_BYTES_MAX))
                );
                Err(self.not_written(StoreErrorKind::Unsupported, reason))
            }
            _ => Ok(()),
        }
    }

    async fn start_parts(&mut self) -> Result<(), WriteError> {
        let action = "start writing";
        let started = async {
            match self.store.put_multipart(&self.path).await {
                Ok(upload) => Ok(Parts::Started(upload)),
                Err(object_store::Error::NotImplemented { .. }) => Ok(Parts::Unsupported),
                Err(error) => Err(self.inner.context.read_error(action, &self.key, &error)),
            }
        };
        let started = self.inner.run_certain(action, &self.key, started).await;
        self.parts = started.map_err(WriteError::NotWritten)?;
        Ok(())
    }

    async fn send_part(&mut self, payload: PutPayload) -> Result<(), WriteError> {
        if self.parts_started >= UPLOAD_PARTS_MAX {
            let reason = format!(
                "the object is larger than {} parts of {}",
                grouped(to_u64(UPLOAD_PARTS_MAX)),
                size(to_u64(PART_BYTES))
            );
            return Err(self.not_written(StoreErrorKind::Invalid, reason));
        }
        while self.tasks.len() >= PARTS_IN_FLIGHT_MAX {
            self.wait_for_part().await?;
        }
        let Parts::Started(upload) = &mut self.parts else {
            return Err(self.not_written(StoreErrorKind::Other, "the upload is over".to_owned()));
        };
        let bytes = to_u64(payload.content_length());
        let part = upload.put_part(payload);
        let (inner, key) = (Arc::clone(&self.inner), self.key.clone());
        self.tasks.spawn(async move {
            let action = "write a part of";
            let written = async {
                part.await.map_err(|error| inner.context.read_error(action, &key, &error))
            };
            inner.run_certain(action, &key, written).await?;
            telemetry::bytes_moved(inner.kind, Direction::Write, bytes);
            Ok(())
        });
        self.parts_started += 1;
        Ok(())
    }

    /// Waits for one part. Nothing is visible until all are sent, so failures are certain.
    async fn wait_for_part(&mut self) -> Result<(), WriteError> {
        match self.tasks.join_next().await {
            None | Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(error))) => Err(WriteError::NotWritten(error)),
            Some(Err(_)) => {
                let reason = "writing a part was stopped".to_owned();
                Err(self.not_written(StoreErrorKind::Unavailable, reason))
            }
        }
    }

    async fn send_rest(&mut self) -> Result<(), WriteError> {
        let payload = self.pieces.take_all();
        self.send_part(payload).await?;
        while !self.tasks.is_empty() {
            self.wait_for_part().await?;
        }
        // Completing overwrites on every store, so an existing object is noticed before.
        self.inner.look_absent(&self.store, &self.key, &self.path).await
    }

    async fn abort_parts(&mut self) {
        self.pieces = Pieces::default();
        self.tasks.shutdown().await;
        if let Parts::Started(upload) = std::mem::replace(&mut self.parts, Parts::Over) {
            abort(&self.inner, &self.key, upload).await;
        }
    }

    fn not_written(&self, kind: StoreErrorKind, reason: String) -> WriteError {
        let error: StoreError = self.inner.context.error(kind, "write", &self.key, reason);
        WriteError::NotWritten(error)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Parts::Started(upload) = std::mem::replace(&mut self.parts, Parts::Over) else {
            return;
        };
        let (inner, key) = (Arc::clone(&self.inner), self.key.clone());
        let mut tasks = std::mem::take(&mut self.tasks);
        // Without a runtime there is no task to ask the store. Buckets have rules for that.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                tasks.shutdown().await;
                abort(&inner, &key, upload).await;
            });
        }
    }
}

/// Returns whether the whole object exists although the last step failed.
///
/// A last step that was repeated after a lost answer finds no upload any more. Some servers (Ceph)
/// leave out the object's tag. No other writer creates the key.
async fn is_complete(
    store: &dyn ObjectStore,
    path: &Path,
    bytes: u64,
    error: &object_store::Error,
) -> bool {
    let is_in_doubt = Attempts::of_current().were_several() || is_wrong_reply(error);
    is_in_doubt && store.head(path).await.is_ok_and(|found| found.size == bytes)
}

/// Removes the parts that were sent, as far as the store permits.
async fn abort(inner: &Inner, key: &str, mut upload: Box<dyn MultipartUpload>) {
    let action = "abort writing";
    let aborted = async {
        upload.abort().await.map_err(|error| inner.context.read_error(action, key, &error))
    };
    if let Err(error) = inner.run_certain(action, key, aborted).await {
        tracing::warn!(object = key, %error, "cannot abort an upload: its parts may stay");
    }
}

/// Bytes collected for the next part: large pieces unchanged, small ones joined.
#[derive(Default)]
struct Pieces {
    whole: std::collections::VecDeque<Bytes>,
    joined: BytesMut,
    len: usize,
}

impl Pieces {
    fn push(&mut self, bytes: Bytes) {
        self.len += bytes.len();
        if bytes.len() <= JOIN_BYTES_MAX {
            self.joined.extend_from_slice(&bytes);
            if self.joined.len() >= PART_BYTES / 8 {
                self.close_joined();
            }
        } else {
            self.close_joined();
            self.whole.push_back(bytes);
        }
    }

    fn close_joined(&mut self) {
        if !self.joined.is_empty() {
            self.whole.push_back(self.joined.split().freeze());
        }
    }

    /// Takes the first `count` bytes, or all if there are fewer.
    fn take(&mut self, count: usize) -> PutPayload {
        self.close_joined();
        let mut wanted = count.min(self.len);
        self.len -= wanted;
        let mut taken = Vec::new();
        while wanted > 0 {
            let Some(mut piece) = self.whole.pop_front() else {
                break;
            };
            if piece.len() > wanted {
                self.whole.push_front(piece.split_off(wanted));
            }
            wanted -= piece.len();
            taken.push(piece);
        }
        PutPayload::from_iter(taken)
    }

    fn take_all(&mut self) -> PutPayload {
        self.take(self.len)
    }
}
