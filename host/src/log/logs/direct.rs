//! The search for the logs directly in a folder.

use std::collections::VecDeque;
use std::mem;

use futures::FutureExt as _;
use futures::future::join_all;

use super::{ListedLog, PAGE_ENTRIES, Step};
use crate::error::{Error, Result};
use crate::sandbox::calls::Calls;
use crate::sandbox::instance::Instance;
use crate::store::{EntryKind, ListPage, ListedObject, Listing, Store, StoreError, StoreErrorKind};

/// The folders whose beginnings are listed concurrently.
const CONCURRENT: usize = 16;

pub(super) struct Direct {
    calls: Calls<bool>,
    store: Store,
    /// The key of the folder that is searched.
    folder: String,
    skip_denied: bool,
    listing: Listing,
    is_listed: bool,
    /// The keys of the folders in it that are not listed yet.
    folders: VecDeque<String>,
    /// The folders that were listed, and were not passed on yet.
    listed: VecDeque<Candidate>,
    /// The key of the candidate that the component is looking at.
    passed: Option<String>,
}

/// A folder that may be a log.
struct Candidate {
    key: String,
    listing: Listing,
    page: Result<ListPage, StoreError>,
}

impl Direct {
    pub(super) fn new(instance: Instance, store: &Store, folder: &str, skip_denied: bool) -> Self {
        Self {
            calls: Calls::new(instance),
            store: store.clone(),
            folder: folder.to_owned(),
            skip_denied,
            listing: store.listing(folder, None, false),
            is_listed: false,
            folders: VecDeque::new(),
            listed: VecDeque::new(),
            passed: None,
        }
    }

    /// Does the next of these: looks at a candidate, lists candidates, lists the folder.
    pub(super) async fn step(&mut self) -> Result<Step> {
        if self.passed.is_some() || !self.listed.is_empty() {
            return self.look().await;
        }
        if !self.folders.is_empty() {
            let wanted = self.folders.iter().take(CONCURRENT);
            let listings = wanted.map(|key| async {
                let mut listing = self.store.listing(key, None, false);
                let page = listing.next(PAGE_ENTRIES).await;
                Candidate { key: key.clone(), listing, page }
            });
            let listed = join_all(listings).await;
            self.folders.drain(..listed.len());
            self.listed.extend(listed);
            return Ok(Step::default());
        }
        if self.is_listed {
            return Ok(Step { ended: true, ..Step::default() });
        }
        let page = self.listing.next(PAGE_ENTRIES).await.map_err(Error::of_store)?;
        self.is_listed = !page.more;
        let folders = page.objects.iter().filter(|entry| entry.kind == EntryKind::Folder);
        self.folders.extend(folders.map(|entry| entry.key.clone()));
        // The folder itself may be a log. No more of it need be listed for that.
        self.listed.push_back(Candidate {
            key: self.folder.clone(),
            listing: self.store.listing(&self.folder, None, false),
            page: Ok(ListPage { objects: page.objects, more: false }),
        });
        Ok(Step::default())
    }

    /// Passes the entries of a candidate on, or lists more of them.
    async fn look(&mut self) -> Result<Step> {
        let mut entries = Vec::new();
        if self.passed.is_none()
            && let Some(candidate) = self.listed.front_mut()
        {
            match &mut candidate.page {
                Ok(page) => entries = objects(mem::take(&mut page.objects)),
                Err(error)
                    if self.skip_denied && error.kind == StoreErrorKind::PermissionDenied =>
                {
                    let denied = vec![error.clone()];
                    self.listed.pop_front();
                    return Ok(Step { denied, ..Step::default() });
                }
                Err(_) => {
                    // Fails again unless the cause has passed.
                    let page =
                        candidate.listing.next(PAGE_ENTRIES).await.map_err(Error::of_store)?;
                    candidate.page = Ok(page);
                    return Ok(Step::default());
                }
            }
            self.passed = Some(candidate.key.clone());
        }
        let key = self.passed.clone().unwrap_or_default();
        let has_log = self
            .calls
            .end_or_make(move |instance| {
                async move { instance.has_log(&key, entries).await }.boxed()
            })
            .await;
        self.passed = None;
        let Some(candidate) = self.listed.front_mut() else { return Ok(Step::default()) };
        let mut logs = Vec::new();
        if has_log? {
            let name = candidate.key.strip_suffix('/').unwrap_or("").to_owned();
            logs.push(ListedLog { name, counts: None });
            self.listed.pop_front();
        } else if let Ok(ListPage { more: true, .. }) = &candidate.page {
            candidate.page =
                Ok(candidate.listing.next(PAGE_ENTRIES).await.map_err(Error::of_store)?);
        } else {
            self.listed.pop_front();
        }
        Ok(Step { logs, ..Step::default() })
    }
}

/// Returns the objects among entries, for what is in a folder has no effect on its being a log.
fn objects(mut entries: Vec<ListedObject>) -> Vec<ListedObject> {
    entries.retain(|entry| entry.kind == EntryKind::Object);
    entries
}
