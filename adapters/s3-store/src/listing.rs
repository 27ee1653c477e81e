//! Listing a prefix, page by page.
//!
//! 1. A page that failed changes nothing: the next call returns it.
//! 2. Keys are in order from page to page, and none is returned twice.
//! 3. A call ends at the time limit of the settings, even if the server never fails.
//! 4. An object whose key no call accepts is left out, such as the mark of an empty folder.

use std::collections::VecDeque;
use std::rc::Rc;

use stratalog_store_exports::store::Listing;
use stratalog_store_rules::error::{StoreError, StoreErrorKind};
use stratalog_store_rules::key::{self, Prefix};
use stratalog_store_rules::objects::{EntryKind, ListPage, ListedObject};

use crate::engine::Engine;
use crate::exchange::Transport;
use crate::failure::Doing;
use crate::reply::listing::{self, Page};
use crate::request::{Method, Request};

/// The most keys of one request: the limit of S3.
const PAGE_KEYS_MAX: usize = 1_000;

/// A listing of the entries of a prefix.
pub struct BucketListing<T: Transport> {
    engine: Rc<Engine<T>>,
    prefix: String,
    /// Only later keys are listed.
    start_after: Option<String>,
    place: Place,
    /// The last key that the server has listed.
    last: Option<String>,
    ready: VecDeque<ListedObject>,
}

/// The place of the next page.
enum Place {
    First,
    At(String),
    End,
}

impl<T: Transport> BucketListing<T> {
    /// Prepares a listing, and requests nothing.
    pub fn new(engine: Rc<Engine<T>>, prefix: String, start_after: Option<String>) -> Self {
        let (last, ready) = (None, VecDeque::new());
        Self { engine, prefix, start_after, place: Place::First, last, ready }
    }

    fn request(&self, limit: usize) -> Request {
        let root = &self.engine.settings().prefix;
        let prefix = format!("{root}{}", self.prefix);
        let request = Request::bucket(Method::Get)
            .query("list-type", "2")
            .query("delimiter", "/")
            .query("max-keys", limit.min(PAGE_KEYS_MAX).to_string());
        let start_after = self.start_after.as_ref().map(|key| format!("{root}{key}"));
        let request = match (&self.place, start_after) {
            (Place::At(token), _) => request.query("continuation-token", token),
            // Some servers list nothing behind a key that sorts before the prefix.
            (_, Some(key)) if key > prefix => request.query("start-after", key),
            _ => request,
        };
        if prefix.is_empty() { request } else { request.query("prefix", prefix) }
    }

    /// Returns the failure of a server that lists page after page, and nothing on them.
    fn without_an_entry(&self) -> StoreError {
        let settings = self.engine.settings();
        let doing = Doing { settings, action: "list", key: &self.prefix };
        let reason = format!(
            "the server has listed only empty pages for {} s; try again, or use another server",
            settings.timeout.as_secs()
        );
        doing.error(StoreErrorKind::Unavailable, reason)
    }

    /// Gets the next page of the server.
    fn fetch(&mut self, limit: usize) -> Result<(), StoreError> {
        let engine = Rc::clone(&self.engine);
        let settings = engine.settings();
        let doing = Doing { settings, action: "list", key: &self.prefix };
        let end = engine.start(self.request(limit)).end();
        let answer = match &end.result {
            Ok(answer) if answer.is_success() => answer,
            _ => return Err(doing.failed(&end)),
        };
        let token = match &self.place {
            Place::At(token) => Some(token.as_str()),
            Place::First | Place::End => None,
        };
        let whole = format!("{}{}", settings.prefix, self.prefix);
        let page = listing::read(&whole, token, answer).map_err(|wrong| doing.wrong(&wrong))?;
        let Page { entries, token } = page;
        if let (Some(last), Some(first)) = (&self.last, entries.first())
            && first.key <= *last
        {
            let reason = "the server lists keys out of order; use another server";
            return Err(doing.error(StoreErrorKind::Unsupported, reason));
        }
        self.last = entries.last().map(|entry| entry.key.clone()).or(self.last.take());
        self.place = token.map_or(Place::End, Place::At);
        let root = settings.prefix.len();
        let below = entries.into_iter().filter_map(|entry| {
            let key = entry.key.get(root..)?.to_owned();
            Some(ListedObject { key, ..entry })
        });
        let after = self.start_after.as_deref();
        let wanted = below.filter(|entry| {
            is_valid(entry) && after.is_none_or(|after| entry.key.as_str() > after)
        });
        self.ready.extend(wanted);
        Ok(())
    }
}

fn is_valid(entry: &ListedObject) -> bool {
    let key = match entry.kind {
        EntryKind::Folder => entry.key.strip_suffix('/').unwrap_or(&entry.key),
        _ => &entry.key,
    };
    key::check(key).is_ok()
}

impl<T: Transport> Listing for BucketListing<T> {
    fn next(&mut self, limit: usize) -> Result<ListPage, StoreError> {
        Prefix::parse(&self.prefix)?;
        let deadline = self.engine.deadline();
        // A page with more behind it must not be empty.
        while self.ready.is_empty() && !matches!(self.place, Place::End) {
            self.fetch(limit)?;
            if self.ready.is_empty() && self.engine.is_past(deadline) {
                return Err(self.without_an_entry());
            }
        }
        let objects = self.ready.drain(..limit.min(self.ready.len())).collect();
        let more = !self.ready.is_empty() || !matches!(self.place, Place::End);
        Ok(ListPage { objects, more })
    }
}
