//! Listing the objects directly in a folder, by the start of their keys.
//!
//! Owns: order, paging and the limit of a listing. Must not know: the meaning of the keys.
//!
//! 1. A page is sorted by key, bytewise, without repeats, and comes after the page before.
//! 2. Only entries directly in the prefix's folder are listed. For deeper objects their folder is
//!    listed. A key outside of the requested listing is an error.
//! 3. On stores that list sorted, a listing of k objects costs only the requests of its pages of
//!    1000, and none beyond the limit. Any other listing is collected and sorted once, for all of
//!    its pages.
//! 4. A page that failed or was cancelled changes nothing: the next call returns it.

use std::fmt;
use std::mem;
use std::sync::Arc;
use std::vec;

use chrono::{DateTime, Utc};
use object_store::ListResult;
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path;
use stratalog_store_rules::key::Prefix;
use stratalog_store_rules::limits::LIST_LIMIT_MAX;
use stratalog_store_rules::objects::{EntryKind, ListPage, ListedObject};

use crate::numbers::{size, to_u64};
use crate::store::backend::local::FolderListing;
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::{Backend, Inner, Store};

/// The most objects S3, Google and Azure all return for one request.
pub(super) const REQUEST_OBJECTS_MAX: usize = 1000;

/// A listing in progress. Made by [`Store::listing`].
///
/// It is one pass over the keys: stores that return all keys in one answer are asked once for all
/// pages.
pub struct Listing {
    inner: Arc<Inner>,
    prefix: String,
    with_sizes: bool,
    /// The most bytes that keys may take which the listing keeps for later pages.
    bytes_max: usize,
    /// The key behind which the next page begins.
    after: Option<String>,
    pub(in crate::store) stage: Stage,
}

/// The source of the next page.
pub(in crate::store) enum Stage {
    /// The store is asked for the keys behind `after`.
    Begin,
    /// A request that began behind the key `start` is continued.
    Token {
        start: Option<String>,
        token: String,
    },
    Folder(FolderListing),
    /// All entries that are left, and the bytes that they take.
    Collected {
        entries: vec::IntoIter<ListedObject>,
        bytes: usize,
    },
    Ended,
}

impl Store {
    /// Lists the entries that start with `prefix`, directly in its folder, sorted by key. They are
    /// objects, and entries of other kinds ([`EntryKind`]).
    ///
    /// Returns the first page of a [`Store::listing`] with sizes. The page has at most `limit`
    /// objects. A limit outside of 1 to 10,000 is taken as the nearest of these.
    ///
    /// # Errors
    /// As [`Listing::next`].
    pub async fn list(
        &self,
        prefix: &str,
        start_after: Option<&str>,
        limit: usize,
    ) -> Result<ListPage, StoreError> {
        self.listing(prefix, start_after, true).next(limit).await
    }

    /// Prepares a listing of the entries that start with `prefix`, without a request.
    ///
    /// `prefix` is a folder with its slash and perhaps the start of a name, as `logs/a_`. The
    /// listing starts after the key `start_after`. Without `with_sizes`, the sizes of objects may
    /// be left out, which saves work in a local folder.
    pub fn listing(&self, prefix: &str, start_after: Option<&str>, with_sizes: bool) -> Listing {
        // Not every server accepts a start outside of the prefix, so it is handled here.
        let (after, stage) = match start_after {
            Some(after) if after < prefix => (None, Stage::Begin),
            Some(after) if !after.starts_with(prefix) => (None, Stage::Ended),
            after => (after.map(str::to_owned), Stage::Begin),
        };
        let (inner, prefix) = (Arc::clone(&self.inner), prefix.to_owned());
        Listing { inner, prefix, with_sizes, bytes_max: usize::MAX, after, stage }
    }
}

impl Inner {
    /// Returns the time at which each object in `folder` was written according to the store, in the
    /// order of the store's listing.
    pub(crate) async fn written_times(
        &self,
        folder: &str,
    ) -> Result<Vec<(String, DateTime<Utc>)>, StoreError> {
        let path = self.path(folder)?;
        let listed = async {
            let store = self.for_read().await?;
            let found = store.list_with_delimiter(Some(&path)).await;
            found.map_err(|error| self.context.read_error("list", folder, &error))
        };
        let objects = self.run_certain("list", folder, listed).await?.objects.into_iter();
        let times = objects.filter_map(|object| {
            let key = object.location.as_ref().strip_prefix(self.prefix.as_str())?.to_owned();
            Some((key, object.last_modified))
        });
        Ok(times.collect())
    }
}

impl Listing {
    /// Returns the prefix of the keys.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Limits the bytes of keys that the listing keeps for later pages.
    pub(crate) fn limit_bytes(&mut self, bytes_max: usize) {
        self.bytes_max = bytes_max;
    }

    /// Returns the bytes of keys that the listing keeps for later pages.
    pub(crate) fn bytes_held(&self) -> usize {
        match &self.stage {
            Stage::Folder(listing) => listing.bytes_held(),
            Stage::Collected { bytes, .. } => *bytes,
            Stage::Begin | Stage::Token { .. } | Stage::Ended => 0,
        }
    }

    /// Returns the next entries, at most `limit`. A limit outside of 1 to 10,000 is taken as the
    /// nearest of these. After the last page, each page is empty.
    ///
    /// A listing is no snapshot: an object that is created or deleted after the request for the
    /// first page may or may not be in it. A missing folder lists as empty.
    ///
    /// Cancel safe: the next call returns the page that a dropped or failed call would have
    /// returned.
    ///
    /// # Errors
    /// `NotFound` if the bucket does not exist, `Invalid` if the prefix is impossible. Other errors
    /// are as their kind says.
    pub async fn next(&mut self, limit: usize) -> Result<ListPage, StoreError> {
        let limit = limit.clamp(1, LIST_LIMIT_MAX);
        let inner = Arc::clone(&self.inner);
        let prefix = self.prefix.clone();
        let (page, stage) = inner.run_certain("list", &prefix, self.page(limit)).await?;
        if let Some(last) = page.objects.last() {
            self.after = Some(last.key.clone());
        }
        self.stage = if page.more { stage } else { Stage::Ended };
        Ok(page)
    }

    async fn page(&mut self, limit: usize) -> Result<(ListPage, Stage), StoreError> {
        let split = Prefix::parse(&self.prefix)?;
        let folder = split.folder_with_slash();
        let begun = match &mut self.stage {
            Stage::Begin => None,
            Stage::Collected { .. } | Stage::Token { .. } => {
                // A failed request for a page begins again, by key.
                Some(mem::replace(&mut self.stage, Stage::Begin))
            }
            Stage::Folder(listing) => Some(Stage::Folder(listing.clone())),
            Stage::Ended => return Ok((ListPage::default(), Stage::Ended)),
        };
        match self.inner.backend.as_ref() {
            Backend::Folder(local) => {
                let after = self.after.as_deref();
                let listing = match begun {
                    Some(Stage::Folder(listing)) => listing,
                    _ => FolderListing::new(folder, split.name_start, after, self.with_sizes),
                };
                let (page, listing) = local.list(listing, limit, self.bytes_max).await?;
                Ok((page, Stage::Folder(listing)))
            }
            Backend::Objects { pages: Some(pages), .. } => {
                let (start, token) = match begun {
                    Some(Stage::Token { start, token }) => (start, Some(token)),
                    _ => (self.after.clone(), None),
                };
                let (page, token) =
                    self.by_pages(pages.as_ref(), start.as_deref(), token, limit).await?;
                let token = token.map(|token| Stage::Token { start, token });
                Ok((page, token.unwrap_or(Stage::Begin)))
            }
            Backend::Objects { .. } => {
                let (mut entries, bytes) = match begun {
                    Some(Stage::Collected { entries, bytes }) => (entries, bytes),
                    _ => self.whole_folder(split.folder).await?,
                };
                let objects: Vec<_> = entries.by_ref().take(limit).collect();
                let bytes = bytes - bytes_of(&objects);
                let more = !entries.as_slice().is_empty();
                Ok((ListPage { objects, more }, Stage::Collected { entries, bytes }))
            }
        }
    }

    /// Returns the next page, and the token that continues it if there is one.
    async fn by_pages(
        &self,
        store: &dyn PaginatedListStore,
        start: Option<&str>,
        mut token: Option<String>,
        limit: usize,
    ) -> Result<(ListPage, Option<String>), StoreError> {
        let root = &self.inner.prefix;
        let full_prefix = format!("{root}{}", self.prefix);
        let mut page = ListPage::default();
        loop {
            let wanted = limit.saturating_sub(page.objects.len());
            let options = PaginatedListOptions {
                offset: start.map(|after| format!("{root}{after}")),
                delimiter: Some("/".into()),
                max_keys: Some(wanted.min(REQUEST_OBJECTS_MAX)),
                page_token: token.take(),
                ..PaginatedListOptions::default()
            };
            let request = store.list_paginated(Some(full_prefix.as_str()), options);
            let answer = request
                .await
                .map_err(|error| self.inner.context.read_error("list", &self.prefix, &error))?;
            let entries = self.entries(&self.prefix, start, &answer.result)?;
            self.check_order(&answer.result)?;
            for object in entries {
                let last = page.objects.last().map(|last| &last.key).or(self.after.as_ref());
                if last.is_some_and(|last| *last >= object.key) {
                    return Err(self.out_of_order(&object.key));
                }
                page.objects.push(object);
            }
            token = answer.page_token.filter(|token| !token.is_empty());
            page.more = token.is_some();
            if page.objects.len() > limit {
                // A server that ignores the page size.
                page.objects.truncate(limit);
                page.more = true;
                token = None;
            }
            if !page.more || page.objects.len() >= limit {
                return Ok((page, token));
            }
        }
    }

    /// Returns all entries behind `after`, and the bytes that they take.
    async fn whole_folder(
        &self,
        folder: &str,
    ) -> Result<(vec::IntoIter<ListedObject>, usize), StoreError> {
        let failed = |error: &object_store::Error| {
            self.inner.context.read_error("list", &self.prefix, error)
        };
        let full = format!("{}{folder}", self.inner.prefix);
        let path = Path::parse(&full).map_err(|error| failed(&error.into()))?;
        let path = (!full.is_empty()).then_some(path);
        let store = self.inner.for_read().await?;
        let found = store.list_with_delimiter(path.as_ref()).await;
        let below = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let found = found.map_err(|error| failed(&error))?;
        let entries = self.entries(&below, self.after.as_deref(), &found)?;
        let bytes = bytes_of(&entries);
        if bytes > self.bytes_max {
            let reason = format!(
                "the keys need more than {} of memory; allow more, or remove objects",
                size(to_u64(self.bytes_max))
            );
            let context = &self.inner.context;
            return Err(context.error(StoreErrorKind::Other, "list", &self.prefix, reason));
        }
        Ok((entries.into_iter(), bytes))
    }

    /// Returns the entries of this listing in an answer, sorted. `asked` is the prefix that was
    /// requested from the store: every key begins with it. `start` is the key behind which the
    /// request began.
    fn entries(
        &self,
        asked: &str,
        start: Option<&str>,
        answer: &ListResult,
    ) -> Result<Vec<ListedObject>, StoreError> {
        let objects = answer.objects.iter().map(|object| {
            let key = object.location.as_ref().to_owned();
            ListedObject { key, size: object.size, kind: EntryKind::Object }
        });
        let folders = answer.common_prefixes.iter().map(|folder| {
            let key = format!("{folder}/");
            ListedObject { key, size: 0, kind: EntryKind::Folder }
        });
        let belonging = objects.chain(folders).map(|entry| self.belonging(asked, start, entry));
        let mut entries = belonging.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        entries.dedup_by(|a, b| a.key == b.key);
        Ok(entries)
    }

    /// Returns the entry with its key from the root, if it belongs to this listing.
    fn belonging(
        &self,
        asked: &str,
        start: Option<&str>,
        entry: ListedObject,
    ) -> Result<Option<ListedObject>, StoreError> {
        let key = entry.key.strip_prefix(self.inner.prefix.as_str());
        let Some(key) = key.filter(|key| key.starts_with(asked)) else {
            return match self.is_mark_of_folder(asked, &entry.key) {
                true => Ok(None),
                false => Err(self.outside(asked, &entry.key)),
            };
        };
        let Some(name) = key.strip_prefix(&*self.prefix) else { return Ok(None) };
        let is_next = start.is_none_or(|after| key > after);
        let is_direct = !name.strip_suffix('/').unwrap_or(name).contains('/');
        let is_itself = name.is_empty() && entry.kind == EntryKind::Folder;
        let is_listed = is_next && is_direct && !is_itself;
        Ok(is_listed.then(|| ListedObject { key: key.to_owned(), ..entry }))
    }

    /// Some consoles create an object named as the folder, slash included. The library removes the
    /// slash.
    pub(super) fn is_mark_of_folder(&self, asked: &str, location: &str) -> bool {
        let full = format!("{}{asked}", self.inner.prefix);
        full.strip_suffix('/') == Some(location)
    }

    pub(super) fn outside(&self, asked: &str, location: &str) -> StoreError {
        let reason = format!(
            "the store's answer is not the listing of {asked:?}: {location:?} is outside the \
             requested prefix; check the endpoint, and for a proxy before it"
        );
        self.inner.context.error(StoreErrorKind::Other, "list", &self.prefix, reason)
    }

    fn check_order(&self, answer: &ListResult) -> Result<(), StoreError> {
        let keys = || answer.objects.iter().map(|object| object.location.as_ref());
        match keys().zip(keys().skip(1)).find(|(key, next)| key >= next) {
            None => Ok(()),
            Some((_, late)) => {
                Err(self.out_of_order(late.strip_prefix(&*self.inner.prefix).unwrap_or(late)))
            }
        }
    }

    pub(super) fn out_of_order(&self, key: &str) -> StoreError {
        let reason =
            format!("the store does not list in order: {key:?} came too late; use another store");
        self.inner.context.error(StoreErrorKind::Unsupported, "list", &self.prefix, reason)
    }
}

/// Returns the bytes that entries take in memory.
fn bytes_of(entries: &[ListedObject]) -> usize {
    entries.iter().map(|entry| size_of::<ListedObject>() + entry.key.len()).sum()
}

impl fmt::Debug for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listing").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
