//! The ledger of a quota: what a listing has found, and what this run has written since.
//!
//! 1. Nothing that this run has accepted or begun to write is left out. A write that ends during a
//!    listing may count twice until the next one, and one in doubt until it is repeated.
//! 2. A call that is refused has found no room in a listing that is at most a second old, that
//!    began after the last delete of this run, and during which this run wrote nothing. If it
//!    writes during several listings one after the other, the last one is believed.
//! 3. A delete counts as room only once a listing has shown it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use stratalog_store_rules::limits::LIST_LIMIT_MAX;

use super::{Quota, QuotaUsage, Resource};
use crate::error::{Error, Result};
use crate::numbers::{count, grouped, size};
use crate::plugin::limits::LimitHit;
use crate::sandbox::memory::Memory;
use crate::store::{EntryKind, Space, Store, WriteCount};

/// The time for which a listing without room is believed.
pub(super) const FULL_FOR: Duration = Duration::from_secs(1);

/// The most listings before a call is refused.
const LISTINGS_MAX: u32 = 4;

/// The space of upkeep beyond twice the quota, for a log that is nearly empty.
const UPKEEP_SPACE: Space = Space { objects: 16, bytes: 64 * 1024 };

/// The bytes of upkeep for each object: a line of an index.
const UPKEEP_BYTES_PER_OBJECT: u64 = 256;

/// The space that one log has used of its quota. Counts for one run.
#[derive(Debug)]
pub(in crate::plugin) struct Ledger {
    quota: Quota,
    label: Arc<str>,
    /// The store for listings, and the prefix of the log's objects in it.
    store: Store,
    prefix: String,
    memory: Memory,
    /// The count of all that the run writes to the log.
    count: Arc<WriteCount>,
    state: Mutex<State>,
    /// Held by the one listing at a time.
    listing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// Accepted and not begun to be written, for objects that the plugin creates.
    reserved: Space,
    writers: Vec<Weak<Pending>>,
    pub(super) found: Option<Found>,
    /// The space that the first listing found.
    first: Space,
    bytes_refused: bool,
    objects_refused: bool,
}

/// The result of a listing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    space: Space,
    /// The writes of this run that had ended when the listing began, and its deletes.
    ended: Space,
    deletes: u64,
    /// True if this run wrote during the listing, so that objects may count twice.
    is_doubtful: bool,
    pub(super) at: Instant,
    /// The space up to which appends need no other listing.
    until: Space,
}

/// The events of one writer. Its batches consist of them, so they have the same bytes.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) accepted_bytes: AtomicU64,
    /// The count of its batches alone.
    pub(super) batches: Arc<WriteCount>,
}

impl Pending {
    /// Returns the space of the events that were accepted, and are neither being written nor
    /// confirmed.
    pub(super) fn space(&self) -> Space {
        let accepted = self.accepted_bytes.load(Ordering::Relaxed);
        let bytes = accepted.saturating_sub(self.batches.writes().settled_bytes);
        Space { objects: u64::from(bytes > 0), bytes }
    }
}

/// A use of the quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::plugin) enum Use {
    /// Events.
    Append,
    /// Objects of compactions and trims.
    Upkeep,
    /// Named positions.
    Commit,
}

/// The answer to a request for space.
enum Answer {
    Granted,
    /// The log must be listed first.
    List,
    Refused(Resource),
}

impl Ledger {
    pub(in crate::plugin) fn new(
        quota: Quota,
        (label, log): (Arc<str>, &str),
        store: &Store,
        memory: &Memory,
    ) -> Arc<Self> {
        Arc::new(Self {
            quota,
            label,
            store: store.clone(),
            prefix: format!("{log}/"),
            memory: memory.clone(),
            count: Arc::default(),
            state: Mutex::default(),
            listing: tokio::sync::Mutex::default(),
        })
    }

    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// Returns the store, which counts nothing here.
    pub(in crate::plugin) fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the store, which counts what is written through it.
    pub(in crate::plugin) fn counting_store(&self) -> Store {
        self.store.counting(&self.count)
    }

    /// Counts the events of another writer from now on, after a first listing.
    pub(super) async fn add_writer(&self) -> Result<Arc<Pending>> {
        self.list_if(|state| state.found.is_none()).await?;
        let pending = Arc::<Pending>::default();
        let mut state = self.lock();
        state.writers.retain(|writer| writer.strong_count() > 0);
        state.writers.push(Arc::downgrade(&pending));
        Ok(pending)
    }

    /// Returns true if the space was granted, and false if the log must be listed first: see
    /// [`Ledger::grant`]. `taken` then adds it to what is accepted.
    pub(super) fn grant_now(
        &self,
        wanted: Space,
        purpose: Use,
        taken: impl FnOnce(&mut State),
    ) -> Result<bool> {
        let mut state = self.lock();
        match self.answer(&mut state, wanted, purpose, false) {
            Answer::Granted => taken(&mut state),
            Answer::List => return Ok(false),
            Answer::Refused(resource) => return Err(self.refusal(&mut state, resource, wanted)),
        }
        Ok(true)
    }

    /// Grants the space, after a listing if one is due.
    pub(super) async fn grant(
        &self,
        wanted: Space,
        purpose: Use,
        taken: impl FnOnce(&mut State),
    ) -> Result<()> {
        let is_due =
            |state: &mut State| matches!(self.answer(state, wanted, purpose, false), Answer::List);
        let mut listings = 0;
        loop {
            let is_listed = self.list_if(is_due).await?;
            listings += u32::from(is_listed);
            {
                let mut state = self.lock();
                if listings >= LISTINGS_MAX
                    && let Some(found) = &mut state.found
                {
                    found.is_doubtful = false;
                }
                match self.answer(&mut state, wanted, purpose, is_listed) {
                    Answer::Granted => {
                        taken(&mut state);
                        return Ok(());
                    }
                    // A listing became due since, or the last one is in doubt.
                    Answer::List => {}
                    Answer::Refused(resource) => {
                        return Err(self.refusal(&mut state, resource, wanted));
                    }
                }
            }
            // If that takes longer, the next listing is in doubt, too.
            tokio::time::timeout(FULL_FOR, self.count.wait_for_creates()).await.ok();
        }
    }

    /// Checks that there is room for a named position.
    pub(in crate::plugin) async fn check_commit(&self) -> Result<()> {
        self.grant(Space { objects: 1, bytes: 0 }, Use::Commit, |_| {}).await
    }

    /// Returns the space that is used; none before the first listing.
    pub(in crate::plugin) fn usage(&self) -> Option<QuotaUsage> {
        let state = self.lock();
        let used = self.used(&state, &state.found?);
        Some(QuotaUsage { quota: self.quota, bytes: used.bytes, objects: used.objects })
    }

    /// Returns the limits that were reached.
    pub(in crate::plugin) fn hits(&self) -> Vec<LimitHit> {
        let state = self.lock();
        let hits =
            [(state.bytes_refused, Resource::Bytes), (state.objects_refused, Resource::Objects)];
        let hits = hits.into_iter().filter(|(is_hit, _)| *is_hit);
        hits.map(|(_, resource)| self.quota.hit(resource)).collect()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, state: &mut State, wanted: Space, purpose: Use, is_fresh: bool) -> Answer {
        let Some(found) = state.found else { return Answer::List };
        let used = self.used(state, &found);
        let after = used.and(wanted);
        let limit = self.limit(purpose, state.first, used);
        if let Some(resource) = exceeded(after, limit) {
            let writes = self.count.writes();
            let is_old = found.at.elapsed() >= FULL_FOR || found.deletes != writes.deletes;
            return match found.is_doubtful || is_old && !is_fresh {
                true => Answer::List,
                false => Answer::Refused(resource),
            };
        }
        if purpose == Use::Append && exceeded(after, found.until).is_some() {
            if !is_fresh {
                return Answer::List;
            }
            let until = self.until(after);
            state.found = Some(Found { until, ..found });
        }
        Answer::Granted
    }

    /// Returns the most space for a use.
    fn limit(&self, purpose: Use, first: Space, used: Space) -> Space {
        let Quota { bytes_max, objects_max } = self.quota;
        let quota = Space { objects: objects_max.unwrap_or(u64::MAX), bytes: bytes_max };
        if purpose == Use::Append {
            return quota;
        }
        let most = Space {
            objects: quota.objects.max(first.objects),
            bytes: quota.bytes.max(first.bytes),
        };
        // A position has no line in an index. With room for one, each would make room for more.
        let lines = if purpose == Use::Upkeep { used.objects } else { 0 };
        let bytes = UPKEEP_BYTES_PER_OBJECT.saturating_mul(lines);
        most.and(most).and(UPKEEP_SPACE).and(Space { objects: 0, bytes })
    }

    /// Returns the space up to which appends need no other listing than the one just made.
    fn until(&self, used: Space) -> Space {
        let next = |used: u64, max: u64| {
            let step = (max.saturating_sub(used) / 4).max(max / 16).max(1);
            used.saturating_add(step)
        };
        let objects_max = self.quota.objects_max;
        Space {
            objects: objects_max.map_or(u64::MAX, |max| next(used.objects, max)),
            bytes: next(used.bytes, self.quota.bytes_max),
        }
    }

    fn used(&self, state: &State, found: &Found) -> Space {
        let written = self.count.writes().begun.without(found.ended);
        let writers = state.writers.iter().filter_map(Weak::upgrade);
        let pending = writers.map(|writer| writer.space()).fold(state.reserved, Space::and);
        found.space.and(written).and(pending)
    }

    /// Lists the log if `is_due`, also after the listing of another caller. Returns true if it has.
    async fn list_if(&self, is_due: impl Fn(&mut State) -> bool) -> Result<bool> {
        let _one = self.listing.lock().await;
        if !is_due(&mut self.lock()) {
            return Ok(false);
        }
        let before = self.count.writes();
        let space = self.listed().await?;
        let mut state = self.lock();
        let is_first = state.found.is_none();
        let found = Found {
            space,
            ended: before.ended,
            deletes: before.deletes,
            is_doubtful: self.count.writes().begun != before.ended,
            at: Instant::now(),
            until: space,
        };
        if is_first {
            state.first = space;
        }
        let until = self.until(self.used(&state, &found));
        state.found = Some(Found { until, ..found });
        Ok(true)
    }

    /// Adds up the objects that lie in the store now.
    async fn listed(&self) -> Result<Space> {
        let mut counted = self.memory.borrow(0)?;
        let mut listing = self.store.listing(&self.prefix, None, true);
        let mut space = Space::default();
        loop {
            listing.limit_bytes(self.memory.room());
            let page = listing.next(LIST_LIMIT_MAX).await.map_err(Error::of_store)?;
            counted.resize(listing.bytes_held())?;
            for entry in &page.objects {
                if matches!(entry.kind, EntryKind::Object | EntryKind::Unfinished) {
                    space = space.and(Space { objects: 1, bytes: entry.size });
                }
            }
            if !page.more {
                return Ok(space);
            }
        }
    }

    fn refusal(&self, state: &mut State, resource: Resource, wanted: Space) -> Error {
        match resource {
            Resource::Bytes => state.bytes_refused = true,
            Resource::Objects => state.objects_refused = true,
        }
        let used = state.found.map_or(state.first, |found| self.used(state, &found));
        let (used, wanted, more) = match resource {
            Resource::Bytes => (size(used.bytes).to_string(), wanted.bytes, size(wanted.bytes)),
            Resource::Objects => {
                let used = count(used.objects, "object", "objects").to_string();
                (used, wanted.objects, grouped(wanted.objects))
            }
        };
        let needs = match wanted {
            0 => String::new(),
            _ => format!(", and the call needs {more} more"),
        };
        let (label, hit) = (&self.label, self.quota.hit(resource));
        let remedy = resource.remedy();
        Error::LimitReached(format!("the log {label} has {used}{needs}: {hit}, or {remedy}"))
    }
}

/// Returns the resource of which there is more than the limit.
fn exceeded(space: Space, limit: Space) -> Option<Resource> {
    if space.bytes > limit.bytes {
        Some(Resource::Bytes)
    } else {
        (space.objects > limit.objects).then_some(Resource::Objects)
    }
}

impl State {
    pub(super) fn reserve(&mut self, space: Space) {
        self.reserved = self.reserved.and(space);
    }

    pub(super) fn release(&mut self, space: Space) {
        self.reserved = self.reserved.without(space);
    }
}
