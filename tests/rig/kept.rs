//! The world of a test as a keeper of many logs has it.

use stratalog::ReadOptions;
use stratalog::keep::{Keeper, Policy};

use crate::subject::World;

/// More than the objects of a test.
const KEYS_MAX: usize = 10_000;

impl World {
    /// Returns a keeper of all logs of the store.
    pub fn keeper(
        &self,
        policies: impl Fn(&str) -> Option<Policy> + Send + Sync + 'static,
    ) -> Keeper {
        Keeper::new(self.host(), &self.store, "", policies)
    }

    /// Returns the keys of the objects of all logs of which the names begin like this.
    pub fn keys_below(&self, prefix: &str) -> Vec<String> {
        let listed = self.runtime.block_on(self.store.list(prefix, None, KEYS_MAX)).unwrap();
        listed.objects.into_iter().map(|object| object.key).collect()
    }

    /// Changes the first byte of the first object of which the key begins like this.
    pub fn corrupt(&self, prefix: &str) {
        let key = self.keys_below(prefix).remove(0);
        let whole = self.object(&key);
        let mut characters = whole.chars();
        let first = if characters.next() == Some('x') { 'y' } else { 'x' };
        self.put(&key, &format!("{first}{}", characters.as_str()));
    }

    /// Reads some events of a log under a name, and commits.
    pub fn commit_after(&self, log: &str, name: &str, events: u64) {
        self.runtime.block_on(async {
            let options = ReadOptions::new().limit(events);
            let mut reader = self.host().read_named(&self.store, log, name, options).await.unwrap();
            while reader.next().await.unwrap().is_some() {}
            reader.commit().await.unwrap();
        });
    }
}
