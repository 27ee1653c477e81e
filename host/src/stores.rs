//! The stores that logs of a host share, by their roots.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::{Store, WeakStore};

/// The stores in use, by their roots.
#[derive(Default)]
pub(crate) struct Stores(Mutex<HashMap<String, WeakStore>>);

impl Stores {
    /// Returns the store of a root, if it is in use.
    pub(crate) fn kept(&self, root: &str) -> Option<Store> {
        self.lock().get(root).and_then(WeakStore::upgrade)
    }

    /// Keeps a store, unless another one was kept meanwhile. Returns the one that is kept.
    pub(crate) fn keep(&self, root: String, store: Store) -> Store {
        let mut stores = self.lock();
        if let Some(kept) = stores.get(&root).and_then(WeakStore::upgrade) {
            return kept;
        }
        stores.retain(|_, store| store.upgrade().is_some());
        stores.insert(root, store.downgrade());
        store
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, WeakStore>> {
        // The map is whole between any two statements.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
