//! The object stores that a host provides to a log: local folders, S3, Google, Azure, WebDAV and
//! memory.
//!
//! Owns: locations, credentials, retries (one layer, the library's) and the fates of writes.
//! Must not know: the engine that runs a log's logic, its contract, or the meaning of the objects.
//!
//! 1. Nothing here overwrites an object: every write is a create, and a create-if-absent wherever
//!    the store has one.
//! 2. A write ends in one of three fates: durable, not written, unknown. "Not written" is certain.
//! 3. Where create-if-absent matters, a store is trusted only if it is known or proven to honour
//!    it.
//! 4. Listings are sorted by key and read fresh from the store; nothing is cached.
//! 5. An object is read whole, or the read fails. A short answer is never a silent end.
//! 6. Memory is bounded: each read, read-ahead and upload by the limits of its file.
//! 7. No secret stands in an error, a `Debug` output or a log line.
//! 8. Every operation ends within the store's timeout. Only the library repeats requests.
//! 9. In a local folder no link below the root is followed, and only regular files are objects.
//! 10. An answer from the network means nothing until it was checked against its request.

mod backend;
mod classify;
mod config;
pub mod doctor;
mod encryption;
mod error;
mod key;
mod operation;
mod outcome;
#[cfg(feature = "plugins")]
mod place;
mod read;
#[cfg(feature = "network")]
mod reply;
mod write;

#[cfg(test)]
#[cfg(all(feature = "azure", feature = "gcs", feature = "s3", feature = "webdav"))]
#[expect(clippy::as_conversions, reason = "of small numbers, in tests")]
mod tests;

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use object_store::ObjectStore;
use object_store::list::PaginatedListStore;
use object_store::memory::InMemory;
use object_store::path::Path;
use tokio::sync::OnceCell;

use backend::local::LocalFolder;
#[cfg(feature = "network")]
use backend::remote::{self, RemoteStore};
use classify::Context;
use config::environment::{Environment, process_environment};
use config::opening::Opening;
use config::redact::Redactor;
use config::root::{RootKind, Service};
use encryption::Asked;
use operation::Operations;

pub use config::location::Location;
pub use config::location_error::{LOCATION_FORMS, LocationError};
pub use config::open_error::{OpenError, SettingName};
pub use config::options::{
    OptionError, RETRY_MAX_LIMIT, StoreOptions, TIMEOUT_DEFAULT, TIMEOUT_LIMIT, TIMEOUT_MIN,
};
pub use config::redact::hide_secrets;
#[cfg(feature = "plugins")]
pub(crate) use config::redact::{cut_before, is_begun};
pub use config::root::Root;
#[doc(inline)]
pub use error::{DeleteFailure, StoreError, StoreErrorKind, WriteError};
pub use operation::Waiting;
#[cfg(feature = "plugins")]
pub(crate) use place::Place;
pub use read::listing::Listing;
pub use read::ordered::{AHEAD_BYTES_MAX, OBJECTS_AHEAD_MAX, OrderedRead};
pub(crate) use read::ordered::{SHARE_AHEAD_BYTES, SHARES_AHEAD_MAX};
pub use read::part::ObjectPart;
pub use read::tree::TreeListing;
#[doc(inline)]
pub use stratalog_store_rules::error::OrderedReadError;
#[doc(inline)]
pub use stratalog_store_rules::limits::{GET_BYTES_MAX, LIST_LIMIT_MAX};
#[doc(inline)]
pub use stratalog_store_rules::objects::{Chunk, EntryKind, ListPage, ListedObject, ObjectRange};
pub(crate) use write::count::{Space, WriteCount};
pub use write::create::PendingCreate;
pub use write::upload::{PART_BYTES, UPLOAD_BUFFERED_BYTES_MAX, UPLOAD_PARTS_MAX, Upload};

/// Classifies stores by their support of create-if-absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConditionalCreate {
    /// Known to honour it: of N racing creates of one key, one succeeds.
    Honoured,
    /// Accepts the condition but may ignore it. It is probed before the first exclusive create.
    Unproven,
    /// Known to have none. A create then checks first and writes unconditionally.
    Absent,
}

/// An object store, confined to one root. It is cheap to clone, and clones share their findings.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// A store that may be in use elsewhere.
pub(crate) struct WeakStore(Weak<Inner>);

impl WeakStore {
    pub(crate) fn upgrade(&self) -> Option<Store> {
        self.0.upgrade().map(|inner| Store { inner })
    }
}

/// The state that all clones of a [`Store`] share.
#[derive(Clone)]
struct Inner {
    backend: Arc<Backend>,
    /// Stands before every key in the backend: empty, or segments each ended by a slash.
    prefix: String,
    context: Arc<Context>,
    conditional: ConditionalCreate,
    sole_compactor: bool,
    honours_exclusive: Arc<OnceCell<bool>>,
    /// Reads never wait, so reading ahead would only cost.
    is_in_process: bool,
    /// The kind of store, for metrics.
    kind: &'static str,
    operations: Arc<Operations>,
    /// The encryption that every object must have.
    encryption: Option<Asked>,
    /// The counts of all that is written.
    counts: Vec<Arc<WriteCount>>,
}

enum Backend {
    Folder(LocalFolder),
    Objects { store: Arc<dyn ObjectStore>, pages: Option<Arc<dyn PaginatedListStore>> },
}

impl Store {
    /// Opens a store on `root` without touching it. No request is made and no folder created.
    ///
    /// Options take precedence over the environment's `AWS_*`, `GOOGLE_*` and `AZURE_*` variables.
    /// A memory root yields a new, empty store each time.
    ///
    /// # Errors
    /// [`OpenError`] if an option is unknown, wrong or without effect, if credentials are missing
    /// or unusable, or if settings contradict each other. Fix the input.
    pub fn open(root: &Root, options: &StoreOptions) -> Result<Self, OpenError> {
        Self::open_in(root, options, &process_environment())
    }

    /// Opens a store with the given environment in place of the process's.
    fn open_in(
        root: &Root,
        options: &StoreOptions,
        environment: &Environment,
    ) -> Result<Self, OpenError> {
        let text = root.to_string();
        let opening = Opening { root: &text, options, environment };
        match &root.0 {
            RootKind::Memory => {
                options.refuse_all("memory")?;
                Ok(Self::memory())
            }
            RootKind::Folder(path) => {
                options.refuse_all("a local folder")?;
                let absolute = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                Ok(Self::build(
                    ("folder", Backend::Folder(LocalFolder::new(absolute))),
                    String::new(),
                    Context::new(text, Redactor::default()),
                    ConditionalCreate::Honoured,
                    None,
                    options,
                ))
            }
            #[cfg(feature = "s3")]
            RootKind::Bucket { service: Service::S3, authority, prefix, .. } => {
                let remote = remote::s3::open(authority, &opening)?;
                Ok(Self::on_network(remote, prefix, ConditionalCreate::Unproven, &opening))
            }
            #[cfg(not(feature = "s3"))]
            RootKind::Bucket { service: Service::S3, .. } => Err(opening.left_out("S3", "s3")),
            #[cfg(feature = "gcs")]
            RootKind::Bucket { service: Service::Google, authority, prefix, .. } => {
                let remote = remote::google::open(authority, &opening)?;
                Ok(Self::on_network(remote, prefix, ConditionalCreate::Unproven, &opening))
            }
            #[cfg(not(feature = "gcs"))]
            RootKind::Bucket { service: Service::Google, .. } => {
                Err(opening.left_out("Google Cloud Storage", "gcs"))
            }
            #[cfg(feature = "azure")]
            RootKind::Bucket { service: Service::Azure, scheme, authority, prefix } => {
                let remote = remote::azure::open(scheme, authority, &opening)?;
                Ok(Self::on_network(remote, prefix, ConditionalCreate::Unproven, &opening))
            }
            #[cfg(not(feature = "azure"))]
            RootKind::Bucket { service: Service::Azure, .. } => {
                Err(opening.left_out("Azure Blob Storage", "azure"))
            }
            #[cfg(feature = "webdav")]
            RootKind::WebDav { base, prefix } => {
                let remote = remote::webdav::open(base, &opening)?;
                Ok(Self::on_network(remote, prefix, ConditionalCreate::Absent, &opening))
            }
            #[cfg(not(feature = "webdav"))]
            RootKind::WebDav { .. } => Err(opening.left_out("WebDAV", "webdav")),
        }
    }

    /// Makes the store of a client. `prefix` stands before every key.
    #[cfg(feature = "network")]
    fn on_network(
        remote: RemoteStore,
        prefix: &str,
        conditional: ConditionalCreate,
        opening: &Opening<'_>,
    ) -> Self {
        let RemoteStore { kind, store, pages, redactor, settings, encryption } = remote;
        let context = Context::new(opening.root, redactor).with_settings(settings);
        Self::build(
            (kind, Backend::Objects { store, pages }),
            prefix.to_owned(),
            context.with_proxy(config::proxy::named(opening)),
            conditional,
            encryption,
            opening.options,
        )
    }

    /// Creates a new, empty store in memory. It ends with its last clone.
    pub fn memory() -> Self {
        let store = Arc::new(InMemory::new());
        let mut inner = Self::inner_of(store, "memory".to_owned(), ConditionalCreate::Honoured);
        (inner.is_in_process, inner.kind) = (true, "memory");
        Self { inner: Arc::new(inner) }
    }

    /// Wraps an embedder's own store. `description` names it in messages and holds no secret.
    ///
    /// `conditional` states the known support of create-if-absent. With
    /// [`ConditionalCreate::Unproven`] it is probed when it first matters.
    ///
    /// The given store is responsible for retries. An operation is abandoned after
    /// [`TIMEOUT_DEFAULT`], see [`Store::with_timeout`].
    pub fn from_object_store(
        store: Arc<dyn ObjectStore>,
        description: impl Into<String>,
        conditional: ConditionalCreate,
    ) -> Self {
        Self { inner: Arc::new(Self::inner_of(store, description.into(), conditional)) }
    }

    /// Declares that at most one compactor ever runs on this root; see
    /// [`StoreOptions::with_sole_compactor`]. Earlier findings about the store are kept.
    pub fn with_sole_compactor(self, sole_compactor: bool) -> Self {
        let inner = Inner { sole_compactor, ..Inner::clone(&self.inner) };
        Self { inner: Arc::new(inner) }
    }

    /// Limits how long one operation may take, 1 s to 240 s; see [`StoreOptions::with_timeout`].
    pub fn with_timeout(self, timeout: Duration) -> Self {
        let operations = Arc::new(Operations::new(config::options::timeout_in_bounds(timeout)));
        let inner = Inner { operations, ..Inner::clone(&self.inner) };
        Self { inner: Arc::new(inner) }
    }

    /// Returns the store's name for messages. It holds no secret.
    pub fn description(&self) -> &str {
        &self.inner.context.description
    }

    /// Returns whether the root exists: for a local folder, whether the folder exists now.
    ///
    /// Any other root counts as existing, without a request. A missing bucket is reported as
    /// [`StoreErrorKind::NotFound`] by the first read. A missing folder lists as empty, since a new
    /// log has nothing yet. Calls on a log report that the log does not exist.
    ///
    /// # Errors
    /// [`StoreError`] if the folder cannot be examined, or is a file.
    pub async fn root_exists(&self) -> Result<bool, StoreError> {
        match self.inner.backend.as_ref() {
            Backend::Folder(folder) => folder.exists().await,
            Backend::Objects { .. } => Ok(true),
        }
    }

    pub(crate) fn downgrade(&self) -> WeakStore {
        WeakStore(Arc::downgrade(&self.inner))
    }

    fn build(
        (kind, backend): (&'static str, Backend),
        prefix: String,
        context: Context,
        conditional: ConditionalCreate,
        encryption: Option<Asked>,
        options: &StoreOptions,
    ) -> Self {
        let inner = Inner {
            backend: Arc::new(backend),
            prefix,
            context: Arc::new(context),
            conditional,
            sole_compactor: options.sole_compactor,
            honours_exclusive: Arc::default(),
            is_in_process: false,
            kind,
            operations: Arc::new(Operations::new(options.timeout)),
            encryption,
            counts: Vec::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    fn inner_of(
        store: Arc<dyn ObjectStore>,
        description: String,
        conditional: ConditionalCreate,
    ) -> Inner {
        Inner {
            backend: Arc::new(Backend::Objects { store, pages: None }),
            prefix: String::new(),
            context: Arc::new(Context::new(description, Redactor::default())),
            conditional,
            sole_compactor: false,
            honours_exclusive: Arc::default(),
            is_in_process: false,
            kind: "custom",
            operations: Arc::new(Operations::new(TIMEOUT_DEFAULT)),
            encryption: None,
            counts: Vec::new(),
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.description()).finish()
    }
}

impl Inner {
    fn path(&self, key: &str) -> Result<Path, StoreError> {
        key::path_of(&self.prefix, key)
    }

    /// Returns the library's store for reading. A missing local folder is an error.
    async fn for_read(&self) -> Result<Arc<dyn ObjectStore>, StoreError> {
        match self.backend.as_ref() {
            Backend::Folder(folder) => folder.for_read().await,
            Backend::Objects { store, .. } => Ok(Arc::clone(store)),
        }
    }

    /// Returns the library's store for writing `key`. Creates a missing local folder, and removes
    /// files that killed processes have left in the key's folder.
    async fn for_write(&self, key: &str) -> Result<Arc<dyn ObjectStore>, StoreError> {
        match self.backend.as_ref() {
            Backend::Folder(folder) => {
                let store = folder.for_write().await?;
                folder.sweep_once(key).await;
                Ok(store)
            }
            Backend::Objects { store, .. } => Ok(Arc::clone(store)),
        }
    }
}
