//! Listing the objects directly in a folder, by the start of their keys.
//!
//! Owns: order, paging and the limit of a listing. Must not know: what the keys mean.
//!
//! 1. A page is sorted by key, bytewise, without repeats, and starts after `start_after`.
//! 2. Only objects directly in the prefix's folder are listed, deeper ones never.
//! 3. On stores that list sorted, a listing of k objects costs as few requests as its pages of
//!    1000 allow, and none beyond the limit. Others are collected, sorted and cut.

use chrono::{DateTime, Utc};
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path;

use super::error::{ReadError, StoreErrorKind};
use super::key::Prefix;
use super::{Backend, Inner, Store};

/// The most objects of one listing page; about 2 MiB of keys and sizes.
pub const LIST_LIMIT_MAX: usize = 10_000;

/// The most objects S3, Google and Azure all return for one request.
const REQUEST_OBJECTS_MAX: usize = 1000;

/// One object of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    /// The object's key, from the store's root.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
}

/// Some of the objects of a listing, sorted by key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListPage {
    /// The objects.
    pub objects: Vec<ListedObject>,
    /// Whether there may be more after the last one; if so, ask again starting after it.
    pub more: bool,
}

impl Store {
    /// Lists objects whose key starts with `prefix`, directly in its folder, sorted by key.
    ///
    /// `prefix` is a folder with its slash and perhaps the start of a name, as `logs/a_`. The page
    /// starts after the key `start_after` and has at most `limit` objects (1 to 10,000; taken as
    /// the nearest of these). A listing is no snapshot: an object created or deleted meanwhile may
    /// or may not be in it. A missing folder lists as empty.
    ///
    /// # Errors
    /// `NotFound` if the bucket does not exist, `Invalid` if the prefix cannot be, others as the
    /// kind says.
    pub async fn list(
        &self,
        prefix: &str,
        start_after: Option<&str>,
        limit: usize,
    ) -> Result<ListPage, ReadError> {
        let split = Prefix::parse(prefix)?;
        let limit = limit.clamp(1, LIST_LIMIT_MAX);
        // Not every server takes a start that lies outside the prefix, so it is settled here.
        let start_after = match start_after {
            Some(after) if after < prefix => None,
            Some(after) if !after.starts_with(prefix) => return Ok(ListPage::default()),
            other => other,
        };
        let listed = self.list_in(prefix, &split, start_after, limit);
        self.inner.look("list", prefix, listed).await
    }

    async fn list_in(
        &self,
        prefix: &str,
        split: &Prefix<'_>,
        start_after: Option<&str>,
        limit: usize,
    ) -> Result<ListPage, ReadError> {
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
    /// Returns when the store says that each object in `folder` was written, in the order in which
    /// it lists them.
    pub(super) async fn written_times(
        &self,
        folder: &str,
    ) -> Result<Vec<(String, DateTime<Utc>)>, ReadError> {
        let path = self.path(folder)?;
        let listed = async {
            let store = self.for_read().await?;
            let found = store.list_with_delimiter(Some(&path)).await;
            found.map_err(|error| self.context.read_error("list", folder, &error))
        };
        let objects = self.look("list", folder, listed).await?.objects.into_iter();
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
    ) -> Result<ListPage, ReadError> {
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
            for object in answer.result.objects {
                let Some(object) = self.listed(&object.location, object.size) else {
                    continue;
                };
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

    async fn whole_folder(&self, folder: &str, limit: usize) -> Result<ListPage, ReadError> {
        let failed =
            |error: &object_store::Error| self.inner.context.read_error("list", self.prefix, error);
        let full = format!("{}{folder}", self.inner.prefix);
        let path = Path::parse(&full).map_err(|error| failed(&error.into()))?;
        let path = (!full.is_empty()).then_some(path);
        let store = self.inner.for_read().await?;
        let found = match store.list_with_delimiter(path.as_ref()).await {
            Ok(found) => found.objects,
            Err(error) => return Err(failed(&error)),
        };
        let mut objects: Vec<ListedObject> =
            found.iter().filter_map(|object| self.listed(&object.location, object.size)).collect();
        objects.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        objects.dedup_by(|a, b| a.key == b.key);
        let more = objects.len() > limit;
        objects.truncate(limit);
        Ok(ListPage { objects, more })
    }

    /// Returns the object with its key from the root, if it belongs to this listing.
    fn listed(&self, location: &Path, size: u64) -> Option<ListedObject> {
        let key = location.as_ref().strip_prefix(self.inner.prefix.as_str())?;
        let name = key.strip_prefix(self.prefix)?;
        let is_next = self.start_after.is_none_or(|after| key > after);
        (is_next && !name.contains('/')).then(|| ListedObject { key: key.to_owned(), size })
    }

    fn out_of_order(&self, key: &str) -> ReadError {
        let reason = format!("this store does not list in order: {key:?} came too late");
        self.inner.context.error(StoreErrorKind::Unsupported, "list", self.prefix, reason)
    }
}
