//! The poll of a follower: one list request that shows if a load would find anything new.
//!
//! 1. A poll never decides anything but to load, so it is safe whatever it shows.
//! 2. The keys of batches precede those of manifests, so one page shows the newest batches and the
//!    current manifest. An event that was acknowledged before the poll is in a batch that the last
//!    load did not list, or a later manifest took its batch away.
//! 3. In a log of many live batches a poll covers the newest ones. Of writers whose clocks agree,
//!    these include whatever is new. A load every few polls finds the rest.

use super::{Catalog, Scope};
use crate::decide::list_pages::Pages;
use crate::decide::log_state;
use crate::error::Error;
use crate::format::listed::ListedBatch;
use crate::format::names::{BatchName, BatchTime, Digest, LogName, ObjectName};
use crate::format::numbers::{to_u64, to_usize};
use crate::limits::{FULL_LOAD_POLLS_MAX, FULL_LOAD_POLLS_MIN, POLL_BATCHES, POLL_PAGE_OBJECTS};
use crate::mutants::{self, Mutant};
use crate::ports::{Listing, Sizes, Store};

/// The newest batches of the last load.
#[derive(Clone, Debug)]
pub(super) struct Polled {
    /// The most batches that a poll covers, unless more have one time.
    batches_max: usize,
    /// The time of the oldest batch that a poll covers. None if it covers all.
    since: Option<BatchTime>,
    /// The digest of the batches that a poll covers.
    digest: Digest,
    /// The number of batches that the last load has listed.
    listed: usize,
}

/// The facts of the last load that a poll needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastLoad {
    /// The time of the oldest batch that a poll covers. None if it covers all.
    pub since: Option<u64>,
    /// The digest of the batches that a poll covers.
    pub digest: u64,
    /// The number of batches that were listed.
    pub listed: u64,
}

impl Default for Polled {
    fn default() -> Self {
        Self { batches_max: POLL_BATCHES, since: None, digest: digest(Vec::new()), listed: 0 }
    }
}

impl Polled {
    /// Records what a load has listed, in the order of names.
    pub(super) fn record(&mut self, listed: &[ListedBatch]) {
        self.listed = listed.len();
        let first = listed.len().saturating_sub(self.batches_max);
        self.since = match first {
            0 => None,
            first => listed.get(first).map(|batch| batch.name.time),
        };
        let newest = listed.iter().rev().map(|batch| batch.name);
        let is_covered = |name: &BatchName| self.since.is_none_or(|since| name.time >= since);
        self.digest = digest(newest.take_while(is_covered).collect());
    }

    /// The number of polls up to the next load. None if polls cover all live batches.
    fn polls_before_load(&self) -> Option<usize> {
        self.since?;
        let requests = self.listed / to_usize(POLL_PAGE_OBJECTS.into());
        Some(requests.clamp(FULL_LOAD_POLLS_MIN, FULL_LOAD_POLLS_MAX))
    }

    /// A key before those of the batches that a poll covers, and after those of the others.
    fn start_after(&self, log: &LogName) -> String {
        let batches = log.batches();
        match self.since {
            Some(since) => format!("{batches}{:019}", since.micros()),
            None => batches,
        }
    }
}

/// Returns the digest of the names of batches, whatever their order.
fn digest(mut batches: Vec<BatchName>) -> Digest {
    batches.sort_unstable();
    let names: Vec<String> = batches.iter().map(BatchName::to_string).collect();
    Digest::of(names.join("\n").as_bytes())
}

impl<S: Store> Catalog<S> {
    /// Returns what polls need of the last load.
    pub(crate) fn last_load(&self) -> LastLoad {
        let Polled { since, digest, listed, .. } = &self.polled;
        let since = since.map(BatchTime::micros);
        LastLoad { since, digest: digest.0, listed: to_u64(*listed) }
    }

    /// Polls from now on for what is new since that load. Returns false if there was none such.
    pub(crate) fn continue_from(&mut self, load: LastLoad) -> bool {
        let since = load.since.map(BatchTime::new);
        if since == Some(None) {
            return false;
        }
        self.polled = Polled {
            since: since.flatten(),
            digest: Digest(load.digest),
            listed: to_usize(load.listed),
            ..Polled::default()
        };
        true
    }

    /// Returns true if the next load depends on what earlier ones have not found.
    pub(crate) fn has_doubts(&self) -> bool {
        !self.doubts.is_empty() || !self.forgotten.is_empty()
    }

    /// Returns the number of polls up to the next load. None if polls cover all live batches.
    pub(crate) fn polls_before_load(&self) -> Option<usize> {
        self.polled.polls_before_load()
    }

    /// Lists the newest batches and the manifests. Returns true if they are not those of the last
    /// load.
    pub(crate) fn has_news(&mut self) -> Result<bool, Error> {
        let (folder, start_after) = (self.name.folder(), self.polled.start_after(&self.name));
        let listing = self.store.list(&folder, Some(&start_after), Sizes::Unused);
        let mut pages = Pages::new(&folder, Some(start_after));
        let (mut batches, mut highest) = (Vec::new(), None);
        // A store may end a page early. What comes behind the manifests is not needed.
        let is_cut = loop {
            let page = listing.next(POLL_PAGE_OBJECTS);
            let page = page.map_err(|error| Error::store("list", &folder, &error))?;
            let has_more = pages.take(&page)?;
            self.take_page(&page, &mut |object, _| match object {
                ObjectName::Batch(name) => batches.push(name),
                ObjectName::Manifest(generation) => highest = highest.max(Some(generation)),
                _ => {}
            })?;
            let last = page.objects.last().map_or("", |object| &object.key);
            if !has_more || self.is_behind_manifests(last) {
                break false;
            }
            if page.objects.len() >= to_usize(POLL_PAGE_OBJECTS.into()) {
                if last.starts_with(&self.name.batches()) {
                    return Ok(true);
                }
                break true;
            }
        };
        if digest(batches) != self.polled.digest {
            return Ok(true);
        }
        if mutants::is(Mutant::PollBatchesOnly) {
            return Ok(false);
        }
        if is_cut {
            // Objects that are not the log's fill the page.
            highest = log_state::manifests(&self.list_others(Scope::Read)?).max();
        }
        Ok(highest.unwrap_or_default() != self.seen)
    }

    fn is_behind_manifests(&self, key: &str) -> bool {
        let manifests = self.name.manifests();
        key > manifests.as_str() && !key.starts_with(&manifests)
    }

    /// Makes polls cover this many batches.
    #[cfg(test)]
    pub(crate) fn poll_batches(&mut self, batches: usize) {
        self.polled.batches_max = batches;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_between_polls_take_no_more_requests_than_the_polls() {
        let polls = |listed| {
            let since = Some(BatchTime::default());
            Polled { since, listed, ..Polled::default() }.polls_before_load()
        };
        let found = [501, 8_999, 9_000, 30_000, 1_000_000].map(polls);
        assert_eq!(found, [8, 8, 9, 30, 64].map(Some));
        assert_eq!(Polled { listed: 500, ..Polled::default() }.polls_before_load(), None);
    }
}
