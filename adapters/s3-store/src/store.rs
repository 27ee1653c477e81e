//! The store: the calls of the contract on the objects below the root.
//!
//! 1. The settings are read once, by the first call. If they cannot be used, each call fails.
//! 2. An exclusive create happens only on a server that is proven to honour it.

use std::ops::Range;
use std::rc::Rc;

use bytes::Bytes;
use stratalog_store_exports::store::{PendingCreate as _, Store};
use stratalog_store_rules::error::{DeleteFailure, Outcome, StoreError, WriteError};
use stratalog_store_rules::key;
use stratalog_store_rules::objects::ObjectRange;

use crate::create::Create;
use crate::delete;
use crate::engine::Engine;
use crate::listing::BucketListing;
use crate::opened::Opened;
use crate::probe::Probe;
use crate::read::{self, Fetch};
use crate::settings::Settings;
use crate::transport::Wasi;
use crate::upload::BucketUpload;

thread_local! {
    static SHARED: Rc<BucketStore> = Rc::new(BucketStore::new());
}

/// The objects below the root.
pub(crate) struct BucketStore {
    engine: Result<Rc<Engine<Wasi>>, StoreError>,
    probe: Probe,
}

impl BucketStore {
    fn new() -> Self {
        let settings = Settings::read(|name| std::env::var(name).ok());
        let engine = settings.map(|settings| {
            let transport = Wasi::new(settings.timeout);
            Rc::new(Engine::new(transport, settings))
        });
        Self { engine, probe: Probe::default() }
    }

    fn engine(&self) -> Result<&Rc<Engine<Wasi>>, StoreError> {
        self.engine.as_ref().map_err(Clone::clone)
    }

    fn open<S>(&self, open: impl FnOnce(&Rc<Engine<Wasi>>) -> S) -> Opened<S> {
        match &self.engine {
            Ok(engine) => Opened::Open(open(engine)),
            Err(error) => Opened::Failed(error.clone()),
        }
    }

    /// Passes if the create may begin.
    fn check(&self, key: &str, exclusive: bool) -> Result<(), StoreError> {
        key::check(key)?;
        let engine = self.engine()?;
        if exclusive { self.probe.ensure(engine, key) } else { Ok(()) }
    }
}

impl Store for BucketStore {
    type Create = Opened<Create<Wasi>>;
    type Listing = Opened<BucketListing<Wasi>>;
    type Read = Opened<Fetch<Wasi>>;
    type Upload = BucketUpload<Wasi>;

    fn shared() -> Rc<Self> {
        SHARED.with(Rc::clone)
    }

    fn create(&self, key: &str, pieces: &[Bytes], exclusive: bool) -> Outcome {
        self.check(key, exclusive).map_err(WriteError::NotWritten)?;
        let pieces = pieces.to_vec();
        self.open(|engine| Create::start(engine, key.to_owned(), pieces)).wait()
    }

    fn start_create(
        self: Rc<Self>,
        key: String,
        pieces: Vec<Bytes>,
        exclusive: bool,
    ) -> Self::Create {
        match self.check(&key, exclusive) {
            Ok(()) => self.open(|engine| Create::start(engine, key, pieces)),
            Err(error) => Opened::Failed(error),
        }
    }

    fn ensure_exclusive(&self, prefix: &str) -> Result<(), StoreError> {
        self.probe.ensure(self.engine()?, prefix)
    }

    fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Vec<u8>, StoreError> {
        read::get(self.engine()?, key, range)
    }

    fn list(
        self: Rc<Self>,
        prefix: String,
        start_after: Option<String>,
        _with_sizes: bool,
    ) -> Self::Listing {
        self.open(|engine| BucketListing::new(Rc::clone(engine), prefix, start_after))
    }

    fn delete(&self, keys: Vec<String>) -> Vec<DeleteFailure> {
        match &self.engine {
            Ok(engine) => delete::delete(engine, keys),
            Err(error) => {
                keys.into_iter().map(|key| DeleteFailure { key, error: error.clone() }).collect()
            }
        }
    }

    fn read(self: Rc<Self>, ranges: Vec<ObjectRange>) -> Self::Read {
        self.open(|engine| Fetch::new(Rc::clone(engine), ranges))
    }

    fn start_upload(self: Rc<Self>, key: String) -> Result<Self::Upload, WriteError> {
        let engine = self.engine().map_err(WriteError::NotWritten)?;
        BucketUpload::start(Rc::clone(engine), key)
    }
}
