//! Reports that a log does not exist, and the logs below its name. A driver.
//!
//! 1. A log exists when its folder has an object of it, whatever else lies there.
//! 2. The store is asked only where a listing shows nothing, so an existing log costs no request.

use std::collections::VecDeque;

use crate::decide::log_state::LogState;
use crate::drive::catalog::Catalog;
use crate::error::{Error, NoLog};
use crate::format::names::{LogName, ObjectName};
use crate::limits::{BELOW_LISTS_MAX, BELOW_LOGS_MAX, BELOW_PAGE_ENTRIES};
use crate::ports::{EntryKind, ListPage, ListedObject, Listing, Sizes, Store};

impl<S: Store> Catalog<S> {
    /// Fails if the state shows no object of the log, and there is none.
    pub(crate) fn check_exists(&self, state: &LogState) -> Result<(), Error> {
        let shows_some =
            state.manifest.is_some() || state.listed().next().is_some() || !state.others.is_empty();
        if shows_some { Ok(()) } else { self.check_is_there() }
    }

    /// Fails if there is no object of the log, where no batch and no manifest was listed.
    pub(crate) fn check_is_there(&self) -> Result<(), Error> {
        // A mirror of a log without events has its mark only.
        if self.is_mirror() || self.was_mirror() {
            return Ok(());
        }
        let mut search =
            Search { store: &self.store, folders: VecDeque::new(), lists_left: BELOW_LISTS_MAX };
        if search.has_segments(&self.name)? {
            return Ok(());
        }
        if search.search_in(&self.name)? == Seen::Log {
            return Ok(());
        }
        let (mut below, mut more) = (Vec::new(), false);
        while let Some(folder) = search.folders.pop_front() {
            if search.lists_left == 0 || below.len() == BELOW_LOGS_MAX {
                more = true;
                break;
            }
            // A caller without access to that folder may still read the log that was meant.
            match search.search_in(&folder).unwrap_or(Seen::Other) {
                Seen::Log => below.push(folder.as_str().to_owned()),
                Seen::Other => {}
            }
        }
        below.sort_unstable();
        Err(Error::NoLog(NoLog { name: self.name.as_str().to_owned(), below, more }))
    }
}

/// A bounded search for logs, breadth first.
struct Search<'a, S> {
    store: &'a S,
    folders: VecDeque<LogName>,
    lists_left: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Log,
    Other,
}

impl<S: Store> Search<'_, S> {
    /// Returns true if there is a segment or an index.
    fn has_segments(&mut self, log: &LogName) -> Result<bool, Error> {
        let segments = log.segments();
        let listing = self.store.list(&segments, None, Sizes::Unused);
        loop {
            let page = next(&listing, &segments)?;
            if page.objects.iter().any(|entry| is_object(log, entry)) {
                return Ok(true);
            }
            if page.objects.is_empty() || !page.more {
                return Ok(false);
            }
        }
    }

    /// Searches a folder for an object of a log. If there is none, queues the folders in it.
    fn search_in(&mut self, log: &LogName) -> Result<Seen, Error> {
        let folder = log.folder();
        let listing = self.store.list(&folder, None, Sizes::Unused);
        let mut folders = Vec::new();
        while self.lists_left > 0 {
            self.lists_left -= 1;
            let page = next(&listing, &folder)?;
            if page.objects.iter().any(|entry| is_object(log, entry)) {
                return Ok(Seen::Log);
            }
            let found = page.objects.iter().filter(|entry| entry.kind == EntryKind::Folder);
            folders.extend(found.filter_map(|entry| LogName::of_folder(&entry.key)));
            if page.objects.is_empty() || !page.more {
                break;
            }
        }
        self.folders.extend(folders);
        Ok(Seen::Other)
    }
}

fn next(listing: &impl Listing, prefix: &str) -> Result<ListPage, Error> {
    let page = listing.next(BELOW_PAGE_ENTRIES);
    page.map_err(|error| Error::store("list", prefix, &error))
}

fn is_object(log: &LogName, entry: &ListedObject) -> bool {
    entry.kind == EntryKind::Object && log.object(&entry.key).and_then(ObjectName::parse).is_some()
}
