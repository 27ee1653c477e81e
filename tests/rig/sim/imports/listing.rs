//! The listings of the component.

use stratalog_guest::ports::{Listing as _, Sizes};
use wasmtime::component::Resource;

use super::{State, at, keep};
use crate::pages::PageListing;
use crate::sim::component::bindings::stratalog::log::object_store as wit;

impl wit::HostListing for State {
    async fn new(
        &mut self,
        prefix: String,
        after: Option<String>,
        with_sizes: bool,
    ) -> wasmtime::Result<Resource<wit::Listing>> {
        let sizes = if with_sizes { Sizes::Used } else { Sizes::Unused };
        self.ask(move |actor| {
            let listing = PageListing::new(actor.view, &prefix, after.as_deref(), sizes);
            keep(&mut actor.listings, listing)
        })
        .await
    }

    async fn next(
        &mut self,
        listing: Resource<wit::Listing>,
        limit: u32,
    ) -> wasmtime::Result<Result<wit::ListPage, wit::StoreError>> {
        let page = self
            .ask(move |actor| at(&mut actor.listings, listing.rep()).as_ref().unwrap().next(limit));
        let page = page.await?.map_err(wit::StoreError::from);
        Ok(page.map(|page| {
            let objects = page.objects.into_iter();
            // A world has only objects.
            let kind = wit::EntryKind::Object;
            let objects = objects.map(|o| wit::ListedObject { key: o.key, size: o.size, kind });
            wit::ListPage { objects: objects.collect(), more: page.more }
        }))
    }

    async fn drop(&mut self, listing: Resource<wit::Listing>) -> wasmtime::Result<()> {
        self.ask(move |actor| *at(&mut actor.listings, listing.rep()) = None).await
    }
}
