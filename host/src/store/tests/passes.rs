//! Listings as passes of several pages: the work of the store, failures, and independence.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt as _;
use object_store::list::{PaginatedListOptions, PaginatedListResult, PaginatedListStore};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{Error, ListResult, ObjectMeta, Result};

use super::{Fake, TempFolder, stores};
use crate::store::backend::local::Work;
use crate::store::read::listing::Stage;
use crate::store::{Backend, ConditionalCreate, Inner, Listing, Store, StoreErrorKind as Kind};

fn key(number: usize) -> String {
    format!("log/b_{number:04}")
}

/// Makes files of one byte.
fn make_files(temp: &TempFolder, count: usize) {
    std::fs::create_dir_all(temp.0.join("log")).unwrap();
    (0..count).for_each(|number| std::fs::write(temp.0.join(key(number)), "x").unwrap());
}

async fn next(listing: &mut Listing, limit: usize) -> Vec<String> {
    let page = listing.next(limit).await.unwrap();
    page.objects.into_iter().map(|object| object.key).collect()
}

/// Returns the keys that are left, in pages.
async fn rest(listing: &mut Listing, limit: usize) -> Vec<String> {
    let mut found = Vec::new();
    loop {
        let page = listing.next(limit).await.unwrap();
        found.extend(page.objects.into_iter().map(|object| object.key));
        if !page.more {
            return found;
        }
    }
}

fn work(listing: &Listing) -> Work {
    match &listing.stage {
        Stage::Folder(listing) => listing.work(),
        _ => panic!("no folder is listed"),
    }
}

#[tokio::test]
async fn folder_is_scanned_once_for_all_pages() {
    let temp = TempFolder::new();
    make_files(&temp, 1_000);
    for (with_sizes, examined) in [(true, 999), (false, 0)] {
        let mut listing = temp.store().listing("log/b_", None, with_sizes);
        let mut found = Vec::new();
        while found.len() < 999 {
            let page = listing.next(37).await.unwrap();
            assert!(page.objects.iter().all(|object| !with_sizes || object.size == 1));
            found.extend(page.objects.into_iter().map(|object| object.key));
        }
        assert_eq!(work(&listing), Work { scans: 1, examined });
        assert!(listing.bytes_held() > 0);
        found.extend(rest(&mut listing, 37).await);
        assert_eq!(found, (0..1_000).map(key).collect::<Vec<_>>());
        assert_eq!(listing.bytes_held(), 0, "it keeps what it no longer needs");
    }
}

#[tokio::test]
async fn store_without_pages_is_asked_once_for_all_pages() {
    let fake = Fake::new();
    let lists = Arc::clone(&fake.lists);
    let store = fake.store(ConditionalCreate::Honoured);
    for number in 0..50 {
        store.create(&key(number), Bytes::new(), false).await.unwrap();
    }
    let mut listing = store.listing("log/b_", None, true);
    let first = next(&mut listing, 7).await;
    let held = listing.bytes_held();
    assert_eq!(first.len(), 7);
    next(&mut listing, 7).await;
    assert!(0 < listing.bytes_held() && listing.bytes_held() < held);
    assert_eq!(rest(&mut listing, 7).await.len(), 36);
    assert_eq!((lists.load(Ordering::Relaxed), listing.bytes_held()), (1, 0));
}

#[tokio::test]
async fn listing_is_independent_of_others_and_ends_permanently() {
    let (_folder, stores) = stores();
    for (name, store) in stores {
        for number in 0..20 {
            store.create(&key(number), Bytes::new(), false).await.unwrap();
        }
        let mut one = store.listing("log/b_", None, true);
        let first = next(&mut one, 4).await;
        store.delete(vec![key(0)]).await;
        store.create("log/b_00001", Bytes::new(), false).await.unwrap();
        // This one began later and sees the changes.
        let mut other = store.listing("log/b_", None, false);
        let mut dropped = store.listing("log/b_", None, false);
        next(&mut dropped, 3).await;
        drop(dropped);
        assert_eq!(next(&mut other, 3).await, ["log/b_00001", "log/b_0001", "log/b_0002"]);
        let mut found = first;
        found.extend(next(&mut one, 3).await);
        assert_eq!(next(&mut other, 100).await, (3..20).map(key).collect::<Vec<_>>(), "{name}");
        found.extend(rest(&mut one, 3).await);
        assert_eq!(found, (0..20).map(key).collect::<Vec<_>>(), "{name}");
        store.create("log/b_9999", Bytes::new(), false).await.unwrap();
        for listing in [&mut one, &mut other] {
            let page = listing.next(10).await.unwrap();
            assert!(page.objects.is_empty() && !page.more, "{name}");
        }
        store.delete(vec!["log/b_00001".to_owned(), "log/b_9999".to_owned()]).await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn page_of_a_folder_that_failed_is_returned_by_the_next_call() {
    let temp = TempFolder::new();
    make_files(&temp, 10);
    let store = temp.store();
    let mut listing = store.listing("log/b_", None, true);
    let mut new = store.listing("log/b_", None, true);
    assert_eq!(next(&mut listing, 3).await, [key(0), key(1), key(2)]);
    // No link is followed, so this folder cannot be listed.
    std::fs::rename(temp.0.join("log"), temp.0.join("away")).unwrap();
    std::os::unix::fs::symlink(temp.0.join("away"), temp.0.join("log")).unwrap();
    for failing in [&mut listing, &mut new] {
        for _ in 0..2 {
            assert_eq!(failing.next(4).await.unwrap_err().kind, Kind::Invalid);
        }
    }
    std::fs::remove_file(temp.0.join("log")).unwrap();
    std::fs::rename(temp.0.join("away"), temp.0.join("log")).unwrap();
    // A file that vanished is left out, and the page is filled.
    std::fs::remove_file(temp.0.join(key(3))).unwrap();
    assert_eq!(next(&mut listing, 4).await, [key(4), key(5), key(6), key(7)]);
    assert_eq!(work(&listing).scans, 1);
    assert_eq!(rest(&mut listing, 4).await, [key(8), key(9)]);
    assert_eq!(rest(&mut new, 4).await.len(), 9);
}

#[tokio::test]
async fn names_beyond_the_limit_are_an_error_that_says_so() {
    let (folder, stores) = stores();
    make_files(&folder, 20);
    for (name, store) in stores {
        for number in 0..20 {
            store.create(&key(number), Bytes::new(), false).await.ok();
        }
        let mut listing = store.listing("log/b_", None, true);
        listing.limit_bytes(100);
        let error = listing.next(1).await.unwrap_err();
        let words = ["list", "log", "need more than 100 bytes of memory; allow more"];
        assert!(words.iter().all(|word| error.message.contains(word)), "{name}: {error}");
        listing.limit_bytes(100_000);
        assert_eq!(rest(&mut listing, 7).await.len(), 20, "{name}");
    }
}

/// A store that lists by pages of at most 3, continues by token, and fails on demand.
#[derive(Default)]
struct Paged {
    keys: Vec<String>,
    /// The start and the token of each request.
    requests: Mutex<Vec<(Option<String>, Option<String>)>>,
    fails_at: AtomicUsize,
    /// Requests that never end, counted from the next.
    hangs: AtomicUsize,
}

#[async_trait]
impl PaginatedListStore for Paged {
    async fn list_paginated(
        &self,
        prefix: Option<&str>,
        options: PaginatedListOptions,
    ) -> Result<PaginatedListResult> {
        let number = {
            let mut requests = self.requests.lock().unwrap();
            requests.push((options.offset.clone(), options.page_token.clone()));
            requests.len()
        };
        if number == self.fails_at.load(Ordering::Relaxed) {
            return Err(Error::Generic { store: "paged", source: "it failed".into() });
        }
        if self.hangs.swap(0, Ordering::Relaxed) > 0 {
            std::future::pending::<()>().await;
        }
        let after = options.page_token.or(options.offset).unwrap_or_default();
        let mut keys = self.keys.iter().filter(|key| **key > after);
        let max = options.max_keys.unwrap().min(3);
        let objects = keys.by_ref().filter(|key| key.starts_with(prefix.unwrap())).take(max);
        let objects: Vec<_> = objects.map(|key| meta(key)).collect();
        let last = objects.last().map(|last: &ObjectMeta| last.location.to_string());
        let page_token = keys.next().and(last);
        let result =
            ListResult { common_prefixes: Vec::new(), objects, extensions: Default::default() };
        Ok(PaginatedListResult { result, page_token })
    }
}

fn meta(key: &str) -> ObjectMeta {
    let location = Path::parse(key).unwrap();
    let last_modified = chrono::DateTime::UNIX_EPOCH;
    ObjectMeta { location, last_modified, size: 1, e_tag: None, version: None }
}

fn paged(count: usize) -> (Store, Arc<Paged>) {
    let paged = Arc::new(Paged { keys: (0..count).map(key).collect(), ..Paged::default() });
    let pages: Arc<dyn PaginatedListStore> = Arc::clone(&paged) as _;
    let memory = Store::memory();
    let backend = Backend::Objects { store: Arc::new(InMemory::new()), pages: Some(pages) };
    let inner = Inner { backend: Arc::new(backend), ..Inner::clone(&memory.inner) };
    (Store { inner: Arc::new(inner) }, paged)
}

fn requests(paged: &Paged) -> Vec<(Option<String>, Option<String>)> {
    std::mem::take(&mut *paged.requests.lock().unwrap())
}

#[tokio::test]
async fn pages_of_a_store_are_continued_by_its_token() {
    let (store, paged) = paged(20);
    let start = key(1);
    let mut listing = store.listing("log/b_", Some(&start), true);
    assert_eq!(next(&mut listing, 4).await, (2..6).map(key).collect::<Vec<_>>());
    assert_eq!(next(&mut listing, 3).await, (6..9).map(key).collect::<Vec<_>>());
    let expected = [None, Some(key(4)), Some(key(5))];
    let expected: Vec<_> = expected.map(|token| (Some(start.clone()), token)).into();
    assert_eq!(requests(&paged), expected);
    assert_eq!(rest(&mut listing, 100).await, (9..20).map(key).collect::<Vec<_>>());
    // Three keys for each request, and two for the last.
    assert_eq!(requests(&paged).len(), 4);
}

#[tokio::test]
async fn page_that_failed_or_was_cancelled_is_asked_for_by_key() {
    for is_cancelled in [false, true] {
        let (store, paged) = paged(20);
        let mut listing = store.listing("log/b_", None, true);
        assert_eq!(next(&mut listing, 4).await, (0..4).map(key).collect::<Vec<_>>());
        requests(&paged);
        if is_cancelled {
            paged.hangs.store(1, Ordering::Relaxed);
            assert!(listing.next(5).now_or_never().is_none());
        } else {
            // The second of two requests.
            paged.fails_at.store(2, Ordering::Relaxed);
            assert!(listing.next(5).await.is_err());
        }
        paged.fails_at.store(0, Ordering::Relaxed);
        requests(&paged);
        // The token may be what failed.
        assert_eq!(next(&mut listing, 3).await, (4..7).map(key).collect::<Vec<_>>());
        assert_eq!(requests(&paged), [(Some(key(3)), None)]);
        assert_eq!(rest(&mut listing, 5).await, (7..20).map(key).collect::<Vec<_>>());
    }
}
