//! The listings of a component.
//!
//! 1. Each page is granted on its own, as a call on the store. So the rights and rates of a plugin
//!    hold for each page.
//! 2. The keys that the host keeps for later pages count toward the memory limit.

use wasmtime::component::Resource;

use super::ObjectStoreView;
use super::access::{Access, Target};
use crate::numbers::to_usize;
use crate::sandbox::bindings::stratalog::log::object_store as wit;
use crate::sandbox::memory::{Borrowed, Memory};
use crate::store::{EntryKind, Listing};

/// The bytes that a listing takes besides its prefix and the keys.
const LISTING_BYTES: usize = 512;

#[expect(unreachable_pub, reason = "the bindings name it in public")]
/// A listing, and the request for it.
pub struct ListingSlot {
    prefix: String,
    start_after: Option<String>,
    with_sizes: bool,
    /// None before the first page that was granted.
    begun: Option<Listing>,
    counted: Borrowed,
    /// The part of the count that does not depend on the keys.
    fixed_bytes: usize,
}

impl ListingSlot {
    fn begin(&mut self, target: &Target) -> Result<&mut Listing, wit::StoreError> {
        let listing = match self.begun.take() {
            Some(listing) => listing,
            None => {
                let after = self.start_after.as_deref();
                let after = after.map(|key| target.other_key(key)).transpose()?;
                target.store.listing(&target.key, after.as_deref(), self.with_sizes)
            }
        };
        Ok(self.begun.insert(listing))
    }
}

impl wit::HostListing for ObjectStoreView<'_> {
    async fn new(
        &mut self,
        prefix: String,
        start_after: Option<String>,
        with_sizes: bool,
    ) -> wasmtime::Result<Resource<ListingSlot>> {
        // Once begun, the listing has copies of both.
        let keys = prefix.len() + start_after.as_ref().map_or(0, String::len);
        let fixed_bytes = LISTING_BYTES + 2 * keys;
        let counted = self.in_flight.memory.borrow(fixed_bytes)?;
        let begun = None;
        let slot = ListingSlot { prefix, start_after, with_sizes, begun, counted, fixed_bytes };
        Ok(self.table.push(slot)?)
    }

    async fn next(
        &mut self,
        listing: Resource<ListingSlot>,
        limit: u32,
    ) -> wasmtime::Result<Result<wit::ListPage, wit::StoreError>> {
        let slot = self.table.get_mut(&listing)?;
        let target = match self.access.resolve(&slot.prefix, Access::List, 0) {
            Ok(target) => target,
            Err(error) => return Ok(Err(error)),
        };
        let room = room(&self.in_flight.memory);
        let listing = match slot.begin(&target) {
            Ok(listing) => listing,
            Err(error) => return Ok(Err(error)),
        };
        listing.limit_bytes(room);
        let start = self.in_flight.meter.now();
        let page = listing.next(to_usize(limit.into())).await;
        self.in_flight.meter.waited_since(start);
        let held = listing.bytes_held();
        slot.counted.resize(slot.fixed_bytes + held)?;
        let bytes = page
            .as_ref()
            .map_or(0, |page| page.objects.iter().map(|entry| entry.key.len()).sum::<usize>());
        let page = match target.read(bytes, page) {
            Ok(page) => page,
            Err(error) => return Ok(Err(error)),
        };
        self.in_flight.meter.got(bytes);
        let shown = page.objects.into_iter().filter(|entry| target.shows(entry.kind));
        let objects = shown.map(|object| wit::ListedObject {
            key: target.known_key(object.key),
            size: object.size,
            kind: entry_kind(object.kind),
        });
        Ok(Ok(wit::ListPage { objects: objects.collect(), more: page.more }))
    }

    async fn drop(&mut self, listing: Resource<ListingSlot>) -> wasmtime::Result<()> {
        self.table.delete(listing)?;
        Ok(())
    }
}

/// Returns the bytes that may still be counted.
fn room(memory: &Memory) -> usize {
    let plugin = memory.of_the_plugin().map_or(usize::MAX, Memory::room);
    memory.room().min(plugin)
}

fn entry_kind(kind: EntryKind) -> wit::EntryKind {
    match kind {
        EntryKind::Object => wit::EntryKind::Object,
        EntryKind::Folder => wit::EntryKind::Folder,
        EntryKind::Unfinished => wit::EntryKind::Unfinished,
        EntryKind::Link => wit::EntryKind::Link,
        EntryKind::Special => wit::EntryKind::Special,
    }
}
