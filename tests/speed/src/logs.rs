//! Logs to measure with.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt};
use stratalog::store::{ConditionalCreate, Store};
use stratalog::{Host, LogOptions, ReadOptions};

use crate::forgetful::Forgetful;
use crate::lab::Lab;

/// Bytes of an event without its LF, as in most journals.
pub(crate) const EVENT_BYTES: usize = 200;
pub(crate) const MIB: usize = 1024 * 1024;

/// Fetches that a program of moderate effort has in flight.
const FETCHES: usize = 16;

pub(crate) fn event() -> Vec<u8> {
    vec![b'x'; EVENT_BYTES]
}

/// Returns about this many bytes of events, each ended by LF.
pub(crate) fn packet(bytes: usize) -> Bytes {
    Bytes::from([&event()[..], b"\n"].concat().repeat(bytes / (EVENT_BYTES + 1)))
}

/// Returns the object store for the library.
pub(crate) fn store(objects: Arc<dyn ObjectStore>) -> Store {
    Store::from_object_store(objects, "the store", ConditionalCreate::Honoured)
}

/// Fills the log `log` with batches of about this many bytes.
pub(crate) async fn fill(host: &Host, store: &Store, batches: usize, bytes: usize) {
    let log = host.open(store, "log", LogOptions::new()).await.expect("a log");
    let packet = packet(bytes);
    for _ in 0..batches {
        log.append_lines(packet.clone()).await.expect("an append");
        log.flush().await.expect("a flush");
    }
    log.close().await.expect("a close");
}

/// Returns the keys of its objects.
pub(crate) async fn keys(objects: &dyn ObjectStore) -> Vec<Key> {
    let listed = objects.list_with_delimiter(Some(&Key::from("log"))).await.expect("a list");
    let mut keys: Vec<_> = listed.objects.into_iter().map(|object| object.location).collect();
    keys.sort();
    keys
}

/// Returns the bytes of all events.
pub(crate) async fn read(host: &Host, store: &Store) -> usize {
    let mut reader = host.read_with(store, "log", ReadOptions::new()).await.expect("a reader");
    let mut bytes = 0;
    while let Some(page) = reader.next().await.expect("a page") {
        bytes += page.lines.len();
    }
    bytes
}

/// Fetches ranges of objects, some concurrently, and copies their bytes out in order.
pub(crate) async fn fetch(
    objects: &dyn ObjectStore,
    ranges: &[(Key, std::ops::Range<u64>)],
) -> usize {
    let fetches = stream::iter(ranges).map(|(key, range)| objects.get_range(key, range.clone()));
    let mut fetches = fetches.buffered(FETCHES);
    let mut bytes = 0;
    while let Some(fetched) = fetches.next().await {
        bytes += std::hint::black_box(fetched.expect("a get").to_vec()).len();
    }
    bytes
}

/// The objects of a log of live batches, each of one event.
pub(crate) struct Batches(Vec<(String, Bytes)>);

impl Batches {
    /// Makes this many.
    pub(crate) fn new(lab: &Lab, count: usize) -> Self {
        let kept = Arc::new(Forgetful::that_keeps());
        lab.runtime.block_on(fill(&lab.host, &store(kept.clone()), count, EVENT_BYTES + 1));
        let objects = kept.take();
        assert_eq!(objects.len(), count);
        Self(objects)
    }

    /// Writes the first of them into the folder `log` of this folder.
    pub(crate) fn write(&self, count: usize, folder: &Path) {
        fs::create_dir_all(folder.join("log")).expect("a folder");
        for (key, bytes) in self.0.iter().take(count) {
            fs::write(folder.join(key), bytes).expect("a file");
        }
        crate::usage::sync();
    }
}
