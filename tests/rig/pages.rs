//! Listings of a store that answers page by page: each page is a call of its own.

use std::cell::RefCell;

use stratalog_guest::ports::{EntryKind, ListPage, Listing, Sizes, StoreError};

/// A size that no test expects: the caller said that it uses none.
const UNUSED_SIZE: u64 = u64::MAX;

/// A store that returns a page of the keys behind a key.
pub trait Pages {
    fn page(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<ListPage, StoreError>;
}

/// A listing that remembers the last key.
pub struct PageListing<S> {
    store: S,
    prefix: String,
    sizes: Sizes,
    /// The key behind which the next page begins; none after the last page.
    after: RefCell<Option<Option<String>>>,
}

impl<S> PageListing<S> {
    pub fn new(store: S, prefix: &str, start_after: Option<&str>, sizes: Sizes) -> Self {
        let after = RefCell::new(Some(start_after.map(str::to_owned)));
        Self { store, prefix: prefix.to_owned(), sizes, after }
    }
}

impl<S: Pages> Listing for PageListing<S> {
    fn next(&self, limit: u32) -> Result<ListPage, StoreError> {
        let Some(after) = self.after.borrow().clone() else {
            return Ok(ListPage { objects: Vec::new(), more: false });
        };
        let mut page = self.store.page(&self.prefix, after.as_deref(), limit)?;
        let last = page.objects.last().map(|last| last.key.clone());
        *self.after.borrow_mut() = page.more.then(|| last.or(after));
        if self.sizes == Sizes::Unused {
            let objects = page.objects.iter_mut().filter(|o| o.kind == EntryKind::Object);
            objects.for_each(|object| object.size = UNUSED_SIZE);
        }
        Ok(page)
    }
}
