//! Listing a folder with everything below it.
//!
//! Owns: order and paging across folders. Must not know: the meaning of the keys.
//!
//! 1. Entries are sorted by key, bytewise, without repeats, in pages. What is kept does not grow
//!    with the number of folders or of objects, except on stores that return a folder in one
//!    answer: then the names of the open folders are kept.
//! 2. On stores that list sorted, k objects cost a request for each 1000, whatever their folders.
//!    On any other store each folder is listed by itself.
//! 3. No link is followed.
//! 4. A page that failed or was cancelled changes nothing: the next call returns it.

use std::fmt;
use std::mem;
use std::vec;

use object_store::list::{PaginatedListOptions, PaginatedListStore};
use stratalog_store_rules::limits::LIST_LIMIT_MAX;
use stratalog_store_rules::objects::{EntryKind, ListPage, ListedObject};

use super::listing::{Listing, REQUEST_OBJECTS_MAX};
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::{Backend, Store};

/// A listing of a folder and of all folders below it. Made by [`Store::tree`].
pub struct TreeListing {
    store: Store,
    /// The listing of the folder itself, for its checks and its errors.
    base: Listing,
    with_sizes: bool,
    stage: Stage,
    /// The entries of the next page so far.
    entries: Vec<ListedObject>,
    denied: Option<Vec<StoreError>>,
}

/// The source of the next entries.
enum Stage {
    /// One listing of all keys.
    Keys(Keys),
    /// A listing of each folder: of the innermost one, and of those around it.
    Folders(Vec<Level>),
}

/// The place in a listing of all keys.
#[derive(Clone, Default)]
struct Keys {
    /// The last key.
    after: Option<String>,
    /// The key that a request began behind, and the token that continues it.
    token: Option<(Option<String>, String)>,
    ended: bool,
}

/// A folder that is being listed.
struct Level {
    listing: Listing,
    entries: vec::IntoIter<ListedObject>,
    more: bool,
}

impl Store {
    /// Prepares a listing of everything below `folder`, without a request. `folder` ends with a
    /// slash, or is empty for the root.
    ///
    /// Stores that list sorted (S3, Google, Azure) are asked once for each 1,000 objects, whatever
    /// their folders. Any other store is asked for each folder: then the folder is an entry, too,
    /// before those in it. Without `with_sizes`, the sizes of objects may be left out.
    pub fn tree(&self, folder: &str, with_sizes: bool) -> TreeListing {
        let base = self.listing(folder, None, with_sizes);
        let stage = match self.inner.backend.as_ref() {
            Backend::Objects { pages: Some(_), .. } => Stage::Keys(Keys::default()),
            Backend::Objects { .. } | Backend::Folder(_) => {
                Stage::Folders(vec![Level::new(self, folder, with_sizes)])
            }
        };
        let (store, entries) = (self.clone(), Vec::new());
        TreeListing { store, base, with_sizes, stage, entries, denied: None }
    }
}

#[cfg(test)]
impl Store {
    /// Makes a store that lists by pages, and has nothing else.
    pub(crate) fn of_pages(pages: std::sync::Arc<dyn PaginatedListStore>) -> Self {
        let memory = Self::memory();
        let store = std::sync::Arc::new(object_store::memory::InMemory::new());
        let backend = Backend::Objects { store, pages: Some(pages) };
        let backend = std::sync::Arc::new(backend);
        let inner = crate::store::Inner { backend, ..crate::store::Inner::clone(&memory.inner) };
        Self { inner: std::sync::Arc::new(inner) }
    }
}

impl Level {
    fn new(store: &Store, folder: &str, with_sizes: bool) -> Self {
        let listing = store.listing(folder, None, with_sizes);
        Self { listing, entries: Vec::new().into_iter(), more: true }
    }
}

impl TreeListing {
    /// From now on, leaves out folders that the caller may not list, instead of failing:
    /// [`TreeListing::take_denied`] returns the reasons. The folder of the listing itself is never
    /// left out, and neither is anything on a store that is asked for all keys in one listing.
    pub fn skip_denied(&mut self) {
        self.denied.get_or_insert_default();
    }

    /// Returns the reasons for the folders that were left out since the last call.
    pub fn take_denied(&mut self) -> Vec<StoreError> {
        self.denied.as_mut().map(mem::take).unwrap_or_default()
    }

    /// Returns the next entries, at most `limit`. A limit outside of 1 to 10,000 is taken as the
    /// nearest of these. After the last page, each page is empty.
    ///
    /// A listing is no snapshot. Cancel safe: the next call returns the page that a dropped or
    /// failed call would have returned.
    ///
    /// # Errors
    /// As [`Listing::next`].
    pub async fn next(&mut self, limit: usize) -> Result<ListPage, StoreError> {
        let limit = limit.clamp(1, LIST_LIMIT_MAX);
        let more = match &mut self.stage {
            Stage::Keys(_) => self.next_keys(limit).await?,
            Stage::Folders(_) => self.next_in_folders(limit).await?,
        };
        Ok(ListPage { objects: mem::take(&mut self.entries), more })
    }

    /// Collects a page of a listing of all keys. Returns false at the end.
    async fn next_keys(&mut self, limit: usize) -> Result<bool, StoreError> {
        let inner = self.store.inner.clone();
        let Backend::Objects { pages: Some(pages), .. } = inner.backend.as_ref() else {
            return Ok(false);
        };
        while self.entries.is_empty() {
            let Stage::Keys(keys) = &mut self.stage else { return Ok(false) };
            if keys.ended {
                return Ok(false);
            }
            // A request that fails is made again by key.
            let from = Keys { token: keys.token.take(), ..keys.clone() };
            let request = one_request(&self.store, &self.base, pages.as_ref(), from, limit);
            let prefix = self.base.prefix().to_owned();
            let (entries, reached) = inner.run_certain("list", &prefix, request).await?;
            (self.entries, self.stage) = (entries, Stage::Keys(reached));
        }
        Ok(matches!(&self.stage, Stage::Keys(keys) if !keys.ended))
    }

    /// Collects a page of listings of folders. Returns false at the end.
    async fn next_in_folders(&mut self, limit: usize) -> Result<bool, StoreError> {
        let Stage::Folders(open) = &mut self.stage else { return Ok(false) };
        while self.entries.len() < limit
            && let Some(level) = open.last_mut()
        {
            if let Some(entry) = level.entries.next() {
                let below = (entry.kind == EntryKind::Folder)
                    .then(|| Level::new(&self.store, &entry.key, self.with_sizes));
                self.entries.push(entry);
                open.extend(below);
                continue;
            }
            if !level.more {
                open.pop();
                continue;
            }
            match level.listing.next(REQUEST_OBJECTS_MAX).await {
                Ok(page) => {
                    level.more = page.more;
                    level.entries = page.objects.into_iter();
                }
                Err(error) => match &mut self.denied {
                    Some(denied)
                        if error.kind == StoreErrorKind::PermissionDenied && open.len() > 1 =>
                    {
                        denied.push(error);
                        open.pop();
                    }
                    _ => return Err(error),
                },
            }
        }
        Ok(!open.is_empty())
    }
}

/// Makes one request for keys. Returns their entries, and the place behind them.
async fn one_request(
    store: &Store,
    base: &Listing,
    pages: &dyn PaginatedListStore,
    mut keys: Keys,
    limit: usize,
) -> Result<(Vec<ListedObject>, Keys), StoreError> {
    let (root, folder) = (store.inner.prefix.as_str(), base.prefix());
    let (start, token) = match keys.token.take() {
        Some((start, token)) => (start, Some(token)),
        None => (keys.after.clone(), None),
    };
    let options = PaginatedListOptions {
        offset: start.as_deref().map(|after| format!("{root}{after}")),
        max_keys: Some(limit.min(REQUEST_OBJECTS_MAX)),
        page_token: token,
        ..PaginatedListOptions::default()
    };
    let prefix = format!("{root}{folder}");
    let request = pages.list_paginated(Some(&prefix), options);
    let answer =
        request.await.map_err(|error| store.inner.context.read_error("list", folder, &error))?;
    let mut entries: Vec<ListedObject> = Vec::with_capacity(answer.result.objects.len());
    for object in answer.result.objects {
        let location = object.location.as_ref();
        let key = location.strip_prefix(root).filter(|key| key.starts_with(folder));
        let Some(key) = key else {
            match base.is_mark_of_folder(folder, location) {
                true => continue,
                false => return Err(base.outside(folder, location)),
            }
        };
        let last = entries.last().map(|entry| &entry.key).or(keys.after.as_ref());
        if let Some(last) = last.filter(|last| key <= last.as_str()) {
            // An object that is named as a folder, slash included: the library removes the slash.
            match format!("{key}/") > *last {
                true => continue,
                false => return Err(base.out_of_order(key)),
            }
        }
        let key = key.to_owned();
        entries.push(ListedObject { key, size: object.size, kind: EntryKind::Object });
    }
    if let Some(last) = entries.last() {
        keys.after = Some(last.key.clone());
    }
    keys.token = answer.page_token.filter(|token| !token.is_empty()).map(|token| (start, token));
    keys.ended = keys.token.is_none();
    if entries.len() > limit {
        // A server that ignores the page size.
        entries.truncate(limit);
        keys = Keys { after: entries.last().map(|last| last.key.clone()), ..Keys::default() };
    }
    Ok((entries, keys))
}

impl fmt::Debug for TreeListing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TreeListing").field("folder", &self.base.prefix()).finish_non_exhaustive()
    }
}
