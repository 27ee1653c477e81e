//! Listings of everything below a folder.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::list::{PaginatedListOptions, PaginatedListResult, PaginatedListStore};
use object_store::path::Path;
use object_store::{ListResult, ObjectMeta, Result};

use super::stores;
use crate::store::{EntryKind, Store, StoreErrorKind, TreeListing};

async fn rest(listing: &mut TreeListing, limit: usize) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    loop {
        let page = listing.next(limit).await.unwrap();
        assert!(page.objects.len() <= limit);
        let objects = page.objects.into_iter().filter(|entry| entry.kind == EntryKind::Object);
        found.extend(objects.map(|entry| (entry.key, entry.size)));
        if !page.more {
            assert!(listing.next(limit).await.unwrap().objects.is_empty());
            return found;
        }
    }
}

#[tokio::test]
async fn tree_is_sorted_by_key_across_folders() {
    let (_folder, stores) = stores();
    let keys = ["a.b/x", "a/b/c/d", "a/b/c/e", "a/b.c", "a/z", "a0/y", "b", "c/d"];
    for (name, store) in stores {
        for key in keys {
            store.create(key, Bytes::from(key), false).await.unwrap();
        }
        for limit in [1, 2, 100] {
            let mut expected = keys.map(|key| (key.to_owned(), key.len() as u64)).to_vec();
            expected.sort();
            assert_eq!(rest(&mut store.tree("", true), limit).await, expected, "{name}");
            expected.retain(|(key, _)| key.starts_with("a/"));
            assert_eq!(rest(&mut store.tree("a/", true), limit).await, expected, "{name}");
        }
        assert_eq!(rest(&mut store.tree("none/", true), 7).await, []);
    }
}

/// A store that answers each listing with these keys.
struct Answering(Vec<&'static str>);

#[async_trait]
impl PaginatedListStore for Answering {
    async fn list_paginated(
        &self,
        _: Option<&str>,
        _: PaginatedListOptions,
    ) -> Result<PaginatedListResult> {
        let objects = self.0.iter().map(|key| ObjectMeta {
            location: Path::parse(key).unwrap(),
            last_modified: chrono::DateTime::UNIX_EPOCH,
            size: 1,
            e_tag: None,
            version: None,
        });
        let objects = objects.collect();
        let result =
            ListResult { common_prefixes: Vec::new(), objects, extensions: Default::default() };
        Ok(PaginatedListResult { result, page_token: None })
    }
}

#[tokio::test]
async fn tree_refuses_keys_that_are_out_of_order_or_outside() {
    let listed = |keys: &[&'static str]| Store::of_pages(Arc::new(Answering(keys.to_vec())));
    let refused = listed(&["a/b", "a/a"]).tree("", true).next(9).await.unwrap_err();
    assert_eq!(refused.kind, StoreErrorKind::Unsupported, "{refused}");
    let refused = listed(&["b/a"]).tree("a/", true).next(9).await.unwrap_err();
    assert!(refused.message.contains("outside the requested prefix"), "{refused}");
    // `a/b/` was between `a/b.c` and `a/b/c`, and the library has removed its slash.
    let store = listed(&["a/b.c", "a/b", "a/b/c"]);
    let keys = rest(&mut store.tree("", true), 9).await;
    assert_eq!(keys.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["a/b.c", "a/b/c"]);
    // A server that ignores the page size.
    let store = listed(&["a", "b", "c"]);
    let mut listing = store.tree("", true);
    let page = listing.next(2).await.unwrap();
    assert_eq!((page.objects.len(), page.more), (2, true));
}
