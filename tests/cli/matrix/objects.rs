//! The objects of a row's store, past the log.

use std::sync::Arc;

use bytes::Bytes;
use stratalog::store::Store;
use tokio::runtime::Runtime;

pub(super) struct Objects {
    pub(super) store: Store,
    pub(super) runtime: Arc<Runtime>,
}

impl Objects {
    /// Returns the keys of a log's objects whose names begin so, in order.
    pub(super) fn keys(&self, log: &str, begin: &str) -> Vec<String> {
        let folder = format!("{log}/");
        let page = self.runtime.block_on(self.store.list(&folder, None, 10_000));
        let objects = page.unwrap().objects;
        let begin = format!("{log}/{begin}");
        let keys = objects.into_iter().map(|object| object.key);
        keys.filter(|key| key.starts_with(&begin)).collect()
    }

    pub(super) fn get(&self, key: &str) -> Vec<u8> {
        self.runtime.block_on(self.store.get(key, None)).unwrap().to_vec()
    }

    pub(super) fn put(&self, key: &str, bytes: Vec<u8>) {
        let created = self.store.create(key, Bytes::from(bytes), false);
        self.runtime.block_on(created).unwrap();
    }

    pub(super) fn delete(&self, key: &str) {
        assert_eq!(self.runtime.block_on(self.store.delete(vec![key.to_owned()])), []);
    }

    /// Changes the bytes of an object.
    pub(super) fn alter(&self, key: &str, change: impl Fn(&mut Vec<u8>)) {
        let mut bytes = self.get(key);
        change(&mut bytes);
        self.delete(key);
        self.put(key, bytes);
    }
}
