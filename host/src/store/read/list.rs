//! Listing the objects directly in a folder, by the start of their keys.
//!
//! Owns: order, paging and the limit of a listing. Must not know: the meaning of the keys.
//!
//! 1. A page is sorted by key, bytewise, without repeats, and starts after `start_after`.
//! 2. Only entries directly in the prefix's folder are listed. For deeper objects their folder is
//!    listed. A key outside of the requested listing is an error.
//! 3. On stores that list sorted, a listing of k objects costs only the requests of its pages of
//!    1000, and none beyond the limit. Other listings are collected, sorted and cut.

use chrono::{DateTime, Utc};
use object_store::ListResult;
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path;

use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::key::Prefix;
use crate::store::{Backend, Inner, Store};

/// The most objects of one listing page: about 2 MiB of keys and sizes.
pub const LIST_LIMIT_MAX: usize = 10_000;

/// The most objects S3, Google and Azure all return for one request.
const REQUEST_OBJECTS_MAX: usize = 1000;

/// One entry of a listing: an object, or an entry of another kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    /// The entry's key, from the store's root. A folder's key ends with a slash.
    pub key: String,
    /// Its size in bytes; 0 for an entry that is neither an object nor unfinished.
    pub size: u64,
    /// The kind of the entry.
    pub kind: EntryKind,
}

/// Classifies the entry under a listed key. Object stores have objects and folders only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryKind {
    /// An object, which can be read.
    Object,
    /// A folder, or the common start of keys that continue after a slash.
    Folder,
    /// An unfinished file: of a write in progress, or left by a write that was killed.
    Unfinished,
    /// A symbolic link in a local folder. It is never followed.
    Link,
    /// A named pipe, a socket or a device in a local folder.
    Special,
}

/// A page of a listing, sorted by key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListPage {
    /// The entries, of every kind.
    pub objects: Vec<ListedObject>,
    /// True if there may be more after the last one. Then ask again, starting after it.
    pub more: bool,
}

impl Store {
    /// Lists the entries that start with `prefix`, directly in its folder, sorted by key. They are
    /// objects, and entries of other kinds ([`EntryKind`]).
    ///
    /// `prefix` is a folder with its slash and perhaps the start of a name, as `logs/a_`. The page
    /// starts after the key `start_after` and has at most `limit` objects. A limit outside of 1 to
    /// 10,000 is taken as the nearest of these.
    ///
    /// A listing is no snapshot: an object that is created or deleted during the call may or may
    /// not be in it. A missing folder lists as empty.
    ///
    /// # Errors
    /// `NotFound` if the bucket does not exist, `Invalid` if the prefix is impossible. Other errors
    /// are as their kind says.
    pub async fn list(
        &self,
        prefix: &str,
        start_after: Option<&str>,
        limit: usize,
    ) -> Result<ListPage, StoreError> {
        let split = Prefix::parse(prefix)?;
        let limit = limit.clamp(1, LIST_LIMIT_MAX);
        // Not every server accepts a start outside of the prefix, so it is handled here.
        let start_after = match start_after {
            Some(after) if after < prefix => None,
            Some(after) if !after.starts_with(prefix) => return Ok(ListPage::default()),
            other => other,
        };
        let listed = self.list_in(prefix, &split, start_after, limit);
        self.inner.run_certain("list", prefix, listed).await
    }

    async fn list_in(
        &self,
        prefix: &str,
        split: &Prefix<'_>,
        start_after: Option<&str>,
        limit: usize,
    ) -> Result<ListPage, StoreError> {
        match self.inner.backend.as_ref() {
            Backend::Folder(folder) => {
                let (objects, more) = folder
                    .list(
                        split.folder_with_slash(),
                        split.name_start.to_owned(),
                        start_after.map(str::to_owned),
                        limit,
                    )
                    .await?;
                Ok(ListPage { objects, more })
            }
            Backend::Objects { pages: Some(pages), .. } => {
                let listing = Listing { inner: &self.inner, prefix, start_after };
                listing.by_pages(pages.as_ref(), limit).await
            }
            Backend::Objects { .. } => {
                let listing = Listing { inner: &self.inner, prefix, start_after };
                listing.whole_folder(split.folder, limit).await
            }
        }
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

struct Listing<'a> {
    inner: &'a Inner,
    prefix: &'a str,
    start_after: Option<&'a str>,
}

impl Listing<'_> {
    async fn by_pages(
        &self,
        store: &dyn PaginatedListStore,
        limit: usize,
    ) -> Result<ListPage, StoreError> {
        let root = &self.inner.prefix;
        let full_prefix = format!("{root}{}", self.prefix);
        let mut page = ListPage::default();
        let mut token: Option<String> = None;
        loop {
            let wanted = limit.saturating_sub(page.objects.len());
            let options = PaginatedListOptions {
                offset: self.start_after.map(|after| format!("{root}{after}")),
                delimiter: Some("/".into()),
                max_keys: Some(wanted.min(REQUEST_OBJECTS_MAX)),
                page_token: token.take(),
                ..PaginatedListOptions::default()
            };
            let request = store.list_paginated(Some(full_prefix.as_str()), options);
            let answer = request
                .await
                .map_err(|error| self.inner.context.read_error("list", self.prefix, &error))?;
            let entries = self.entries(self.prefix, &answer.result)?;
            self.check_order(&answer.result)?;
            for object in entries {
                if page.objects.last().is_some_and(|last| last.key >= object.key) {
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
            }
            if !page.more || page.objects.len() >= limit {
                return Ok(page);
            }
        }
    }

    async fn whole_folder(&self, folder: &str, limit: usize) -> Result<ListPage, StoreError> {
        let failed =
            |error: &object_store::Error| self.inner.context.read_error("list", self.prefix, error);
        let full = format!("{}{folder}", self.inner.prefix);
        let path = Path::parse(&full).map_err(|error| failed(&error.into()))?;
        let path = (!full.is_empty()).then_some(path);
        let store = self.inner.for_read().await?;
        let found = store.list_with_delimiter(path.as_ref()).await;
        let below = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let mut objects = self.entries(&below, &found.map_err(|error| failed(&error))?)?;
        let more = objects.len() > limit;
        objects.truncate(limit);
        Ok(ListPage { objects, more })
    }

    /// Returns the entries of this listing in an answer, sorted. `asked` is the prefix that was
    /// requested from the store: every key begins with it.
    fn entries(&self, asked: &str, answer: &ListResult) -> Result<Vec<ListedObject>, StoreError> {
        let objects = answer.objects.iter().map(|object| {
            let key = object.location.as_ref().to_owned();
            ListedObject { key, size: object.size, kind: EntryKind::Object }
        });
        let folders = answer.common_prefixes.iter().map(|folder| {
            let key = format!("{folder}/");
            ListedObject { key, size: 0, kind: EntryKind::Folder }
        });
        let belonging = objects.chain(folders).map(|entry| self.belonging(asked, entry));
        let mut entries = belonging.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        entries.dedup_by(|a, b| a.key == b.key);
        Ok(entries)
    }

    /// Returns the entry with its key from the root, if it belongs to this listing.
    fn belonging(
        &self,
        asked: &str,
        entry: ListedObject,
    ) -> Result<Option<ListedObject>, StoreError> {
        let key = entry.key.strip_prefix(self.inner.prefix.as_str());
        let Some(key) = key.filter(|key| key.starts_with(asked)) else {
            return match self.is_mark_of_folder(asked, &entry.key) {
                true => Ok(None),
                false => Err(self.outside(asked, &entry.key)),
            };
        };
        let Some(name) = key.strip_prefix(self.prefix) else { return Ok(None) };
        let is_next = self.start_after.is_none_or(|after| key > after);
        let is_direct = !name.strip_suffix('/').unwrap_or(name).contains('/');
        let is_itself = name.is_empty() && entry.kind == EntryKind::Folder;
        let is_listed = is_next && is_direct && !is_itself;
        Ok(is_listed.then(|| ListedObject { key: key.to_owned(), ..entry }))
    }

    /// Some consoles create an object named as the folder, slash included. The library removes the
    /// slash.
    fn is_mark_of_folder(&self, asked: &str, location: &str) -> bool {
        let full = format!("{}{asked}", self.inner.prefix);
        full.strip_suffix('/') == Some(location)
    }

    fn outside(&self, asked: &str, location: &str) -> StoreError {
        let reason = format!(
            "the store's answer is not the listing of {asked:?}: {location:?} is outside the \
             requested prefix; check the endpoint, and for a proxy before it"
        );
        self.inner.context.error(StoreErrorKind::Other, "list", self.prefix, reason)
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

    fn out_of_order(&self, key: &str) -> StoreError {
        let reason =
            format!("the store does not list in order: {key:?} came too late; use another store");
        self.inner.context.error(StoreErrorKind::Unsupported, "list", self.prefix, reason)
    }
}
