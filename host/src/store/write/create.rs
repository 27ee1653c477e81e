//! Creating objects, and determining the fate of each create.
//!
//! Owns: creates on stores with and without create-if-absent, and pending creates.
//! Must not know: the meaning of the objects, or how often the caller retries.
//!
//! 1. A create never overwrites. Where the store has create-if-absent, it is always used.
//! 2. An exclusive create happens only on stores proven to honour create-if-absent, or where the
//!    user has declared that there is no second one to race with.
//! 3. "Already exists" means durable there. A mere conflict answer is checked first.
//! 4. A started create runs to its end, even if its caller stops waiting.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use tokio::sync::watch;
use tracing::Instrument as _;

use super::count::CountedCreate;
use crate::numbers::to_u64;
use crate::store::classify::is_mere_conflict;
use crate::store::error::{StoreError, StoreErrorKind, WriteError};
use crate::store::{ConditionalCreate, Inner, Store};
use crate::telemetry::{self, Direction};

impl Store {
    /// Creates the object `key`. On success it is durable.
    ///
    /// An existing object is never overwritten. Without `exclusive` that rests on the store's
    /// create-if-absent. A store without it is checked before the write, so two racing creates of
    /// one key may both succeed there: use keys that are unique.
    ///
    /// With `exclusive`, exactly one of all racing creates succeeds. The first one on an unproven
    /// store probes it with a few small objects next to `key` (see [`Store::honours_exclusive`]).
    ///
    /// # Errors
    /// * [`WriteError::AlreadyExists`]: perhaps by the caller's own earlier attempt, since the
    ///   library retries requests.
    /// * [`WriteError::NotWritten`]: see [`StoreErrorKind`]; `Unsupported` if the create is
    ///   exclusive and the store does not support that.
    /// * [`WriteError::Unknown`]: retry with the same key and bytes.
    pub async fn create(&self, key: &str, bytes: Bytes, exclusive: bool) -> Result<(), WriteError> {
        let payload = PutPayload::from(bytes);
        self.inner.create(key, payload, exclusive).await
    }

    /// Ensures that exclusive creates of keys that begin with `folder` will be honoured.
    ///
    /// Costly work that ends in an exclusive create then does not begin in vain. See
    /// [`Store::honours_exclusive`].
    ///
    /// # Errors
    /// [`StoreErrorKind::Unsupported`] if they will not be honoured, unless the user has declared a
    /// sole compactor. Other kinds if the question stays open.
    pub async fn ensure_exclusive(&self, folder: &str) -> Result<(), StoreError> {
        if self.inner.sole_compactor {
            return Ok(());
        }
        match self.inner.require_exclusive(folder, folder).await {
            Ok(()) => Ok(()),
            Err(WriteError::NotWritten(error) | WriteError::Unknown(error)) => Err(error),
            Err(WriteError::AlreadyExists) => {
                let why = "the probe's random name is taken; try again";
                Err(self.inner.context.error(StoreErrorKind::Unavailable, "probe", folder, why))
            }
        }
    }

    /// Starts a [`Store::create`] and returns without waiting. A create that must wait continues in
    /// the background.
    ///
    /// Dropping the handle lets the create run to its end. Outside a tokio runtime nothing is
    /// started and the handle reports that.
    pub fn start_create(&self, key: &str, bytes: Bytes, exclusive: bool) -> PendingCreate {
        self.start_create_with(key, bytes.into(), exclusive, (), || {})
    }

    /// As [`Store::start_create`]. `guard` is dropped when the create has ended and no longer holds
    /// its bytes. `ended` is called once the outcome is known, unless it is known on return.
    pub(crate) fn start_create_with(
        &self,
        key: &str,
        payload: PutPayload,
        exclusive: bool,
        guard: impl Send + 'static,
        ended: impl FnOnce() + Send + 'static,
    ) -> PendingCreate {
        let (sender, outcome) = watch::channel(None);
        let pending = PendingCreate {
            stopped: self.inner.context.error(
                StoreErrorKind::Unavailable,
                "create",
                key,
                "the create was stopped before its outcome was known",
            ),
            outcome,
        };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            let error = StoreError::new(
                StoreErrorKind::Other,
                "cannot create an object outside of a tokio runtime",
            );
            sender.send_replace(Some(Err(WriteError::NotWritten(error))));
            return pending;
        };
        let (store, key) = (self.clone(), key.to_owned());
        let create = async move {
            let fate = store.inner.create(&key, payload, exclusive).await;
            drop(guard);
            sender.send_replace(Some(fate));
        };
        // A panic of the store leaves an unknown fate, and does not reach the caller.
        let mut create = Box::pin(AssertUnwindSafe(create).catch_unwind());
        // A store that need not wait finishes immediately. A task for each object would cost more.
        if create.as_mut().now_or_never().is_none() {
            let create = async move {
                create.await.ok();
                ended();
            };
            runtime.spawn(create.in_current_span());
        }
        pending
    }
}

/// A create in progress, started by [`Store::start_create`].
#[derive(Debug)]
pub struct PendingCreate {
    stopped: StoreError,
    outcome: watch::Receiver<Option<Result<(), WriteError>>>,
}

impl PendingCreate {
    /// Returns the fate of the create, or none while it is in progress. Never blocks. Once there is
    /// a fate, every further call returns the same.
    pub fn poll(&mut self) -> Option<Result<(), WriteError>> {
        // Checked before the fate, so that a fate sent in between is not taken for a stop.
        let is_over = self.outcome.has_changed().is_err();
        let fate = self.outcome.borrow().clone();
        match fate {
            None if is_over => Some(Err(self.unknown())),
            fate => fate,
        }
    }

    /// Waits for the fate of the create. May be called again and then returns the same.
    ///
    /// # Errors
    /// As [`Store::create`]; [`WriteError::Unknown`] also if the runtime shut down in the meantime.
    pub async fn wait(&mut self) -> Result<(), WriteError> {
        let fate = match self.outcome.wait_for(Option::is_some).await {
            Ok(fate) => fate.clone(),
            Err(_) => None,
        };
        fate.unwrap_or_else(|| Err(self.unknown()))
    }

    fn unknown(&self) -> WriteError {
        WriteError::Unknown(self.stopped.clone())
    }
}

impl Inner {
    pub(crate) async fn create(
        &self,
        key: &str,
        payload: PutPayload,
        exclusive: bool,
    ) -> Result<(), WriteError> {
        let counted = CountedCreate::begin(&self.counts, to_u64(payload.content_length()));
        counted.end(self.create_uncounted(key, payload, exclusive).await)
    }

    async fn create_uncounted(
        &self,
        key: &str,
        payload: PutPayload,
        exclusive: bool,
    ) -> Result<(), WriteError> {
        let path = self.path(key).map_err(WriteError::NotWritten)?;
        let store = self.for_write(key).await.map_err(WriteError::NotWritten)?;
        if exclusive {
            self.check_exclusive(&store, key, &path).await?;
        }
        self.create_at(&store, key, &path, payload).await
    }

    /// Passes if the following create is exclusive, or the user vouches for it.
    async fn check_exclusive(
        &self,
        store: &Arc<dyn ObjectStore>,
        key: &str,
        path: &Path,
    ) -> Result<(), WriteError> {
        if self.conditional == ConditionalCreate::Honoured {
            return Ok(());
        }
        if self.sole_compactor {
            // Where the condition is honoured after all, the create itself still uses it.
            return self.look_absent(store, key, path).await;
        }
        let folder = key.rfind('/').and_then(|slash| key.get(..=slash));
        self.require_exclusive(folder.unwrap_or_default(), key).await
    }

    /// Passes if the store honours exclusive creates. Probes it near `folder` if that is unknown.
    async fn require_exclusive(&self, folder: &str, key: &str) -> Result<(), WriteError> {
        if self.probe_exclusive(folder).await? {
            return Ok(());
        }
        let error = self.context.error(
            StoreErrorKind::Unsupported,
            "create",
            key,
            "this store does not honour create-if-absent, so two compactors could overwrite each \
             other; use another store, or promise with --sole-compactor that there is only one",
        );
        Err(WriteError::NotWritten(error))
    }

    /// Creates an object as safely as the store can.
    pub(crate) async fn create_at(
        &self,
        store: &Arc<dyn ObjectStore>,
        key: &str,
        path: &Path,
        payload: PutPayload,
    ) -> Result<(), WriteError> {
        let bytes = to_u64(payload.content_length());
        let work = self.create_within(store, key, path, payload);
        match self.run_operation("create", key, work).await {
            Ok(fate) => {
                if fate.is_ok() {
                    telemetry::bytes_moved(self.kind, Direction::Write, bytes);
                }
                fate
            }
            Err(abandoned) => Err(self.context.abandoned_write("create", key, &abandoned)),
        }
    }

    async fn create_within(
        &self,
        store: &Arc<dyn ObjectStore>,
        key: &str,
        path: &Path,
        payload: PutPayload,
    ) -> Result<(), WriteError> {
        match put(store, path, payload.clone(), PutMode::Create).await {
            Err(object_store::Error::NotImplemented { .. }) => {
                self.create_plainly(store, key, path, payload).await
            }
            done => self.conclude_put(store, key, path, done).await,
        }
    }

    /// Returns the fate of a put. An object that already exists is read: it may be the put's own.
    async fn conclude_put(
        &self,
        store: &Arc<dyn ObjectStore>,
        key: &str,
        path: &Path,
        done: object_store::Result<()>,
    ) -> Result<(), WriteError> {
        let Err(error) = done else { return Ok(()) };
        match self.context.write_error(key, &error) {
            WriteError::AlreadyExists => self.confirm_existing(store, key, path, &error).await,
            fate => Err(fate),
        }
    }

    /// Creates an object on a store without create-if-absent: checks, then writes.
    async fn create_plainly(
        &self,
        store: &Arc<dyn ObjectStore>,
        key: &str,
        path: &Path,
        payload: PutPayload,
    ) -> Result<(), WriteError> {
        match self.check_absent(store, key, path).await {
            // An earlier attempt broke off, and only its beginning exists.
            Err(WriteError::AlreadyExists) if self.is_torn(store, key, path, &payload).await? => {}
            absent => absent?,
        }
        let done = put(store, path, payload, PutMode::Overwrite).await;
        self.conclude_put(store, key, path, done).await
    }

    /// Returns whether the object at `path` is only the beginning of the bytes to create.
    ///
    /// Stores without create-if-absent may keep the result of a write that broke off. Taken for the
    /// writer's own earlier success, the object would be lost. It is therefore written again, with
    /// the same bytes. An object with any other content belongs to another writer.
    async fn is_torn(
        &self,
        store: &Arc<dyn ObjectStore>,
        key: &str,
        path: &Path,
        payload: &PutPayload,
    ) -> Result<bool, WriteError> {
        let found = async { store.get(path).await?.bytes().await };
        let found = found
            .await
            .map_err(|error| WriteError::Unknown(self.context.read_error("check", key, &error)))?;
        let wanted = payload.iter().flatten();
        Ok(found.len() < payload.content_length() && found.iter().eq(wanted.take(found.len())))
    }

    /// As [`Inner::check_absent`], as an operation of its own.
    pub(crate) async fn look_absent(
        &self,
        store: &Arc<dyn ObjectStore>,
        key: &str,
        path: &Path,
    ) -> Result<(), WriteError> {
        let action = "check before creating";
        match self.run_operation(action, key, self.check_absent(store, key, path)).await {
            Ok(looked) => looked,
            Err(abandoned) => {
                Err(WriteError::NotWritten(self.context.abandoned(action, key, &abandoned)))
            }
        }
    }

    /// Fails unless there is no object at `path`.
    async fn check_absent(
        &self,
        store: &Arc<dyn ObjectStore>,
        key: &str,
        path: &Path,
    ) -> Result<(), WriteError> {
        match store.head(path).await {
            Ok(_) => Err(WriteError::AlreadyExists),
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => {
                let error = self.context.read_error("check before creating", key, &error);
                Err(WriteError::NotWritten(error))
            }
        }
    }

    /// Confirms that the object of an "already exists" does exist.
    pub(crate) async fn confirm_existing(
        &self,
        store: &Arc<dyn ObjectStore>,
        key: &str,
        path: &Path,
        error: &object_store::Error,
    ) -> Result<(), WriteError> {
        if is_mere_conflict(error) && store.head(path).await.is_err() {
            let error = self.context.error(
                StoreErrorKind::Unavailable,
                "create",
                key,
                "the server reports that the object already exists, but does not have it; try \
                 again",
            );
            return Err(WriteError::Unknown(error));
        }
        Err(WriteError::AlreadyExists)
    }
}

/// Puts one object: the three lines that end every create.
pub(crate) async fn put(
    store: &Arc<dyn ObjectStore>,
    path: &Path,
    payload: PutPayload,
    mode: PutMode,
) -> Result<(), object_store::Error> {
    let options = PutOptions::from(mode);
    store.put_opts(path, payload, options).await.map(drop)
}
