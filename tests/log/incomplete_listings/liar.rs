//! A store in memory whose listings omit existing objects.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use rig::altered::{Alter, Altered};
use rig::memory::Memory;
use rig::pages::Pages;
use stratalog_guest::ports::{ListPage, ListedObject};

/// Returns true if a key is left out of a listing.
pub type Hides = fn(&str) -> bool;

/// Listings that leave out some keys, from one listing on and for N of them.
#[derive(Clone)]
pub struct Liar {
    hides: Hides,
    /// The number of honest listings, and of the false ones after them.
    honest: Rc<Cell<u64>>,
    pub lies: Rc<Cell<u64>>,
    /// An object that is always listed.
    shown: Option<ListedObject>,
    /// Keys that are never listed.
    hidden: Rc<BTreeSet<String>>,
    /// A part of the names of objects that are confirmed and not kept.
    forgets: Option<&'static str>,
}

impl Liar {
    pub fn new(memory: &Memory, hides: Hides, honest: u64, lies: u64) -> Altered<Self> {
        let (honest, lies) = (Rc::new(Cell::new(honest)), Rc::new(Cell::new(lies)));
        Altered::new(memory, Self { hides, honest, lies, ..Self::honest() })
    }

    fn honest() -> Self {
        Self {
            hides: |_| false,
            honest: Rc::default(),
            lies: Rc::default(),
            shown: None,
            hidden: Rc::default(),
            forgets: None,
        }
    }

    /// Makes a store that never lists the present objects in `hides`, but all new ones.
    pub fn frozen(memory: &Memory, hides: Hides) -> Altered<Self> {
        let hidden = memory.objects().into_keys().filter(|key| hides(key));
        let hidden = Rc::new(hidden.collect());
        Altered::new(memory, Self { hidden, ..Self::honest() })
    }

    /// Makes a store that always lists an object, even if it is not there.
    pub fn showing(memory: &Memory, key: &str) -> Altered<Self> {
        let page = memory.page(key, None, 1).unwrap();
        let shown = page.objects.first().cloned();
        Altered::new(memory, Self { shown, ..Self::honest() })
    }

    /// Makes a store that confirms some objects, and does not keep them.
    pub fn forgetting(memory: &Memory, forgets: &'static str) -> Altered<Self> {
        Altered::new(memory, Self { forgets: Some(forgets), ..Self::honest() })
    }

    fn lies_now(&self) -> bool {
        if self.honest.get() > 0 {
            self.honest.set(self.honest.get() - 1);
            return false;
        }
        let lies = self.lies.get();
        self.lies.set(lies.saturating_sub(1));
        lies > 0
    }
}

impl Alter for Liar {
    fn forgets(&self, key: &str) -> bool {
        self.forgets.is_some_and(|part| key.contains(part))
    }

    fn listed(&self, prefix: &str, after: Option<&str>, page: &mut ListPage) {
        if self.lies_now() {
            page.objects.retain(|object| !(self.hides)(&object.key));
        }
        page.objects.retain(|object| !self.hidden.contains(&object.key));
        let missing = self.shown.iter().filter(|shown| {
            shown.key.starts_with(prefix) && after.is_none_or(|after| *shown.key > *after)
        });
        page.objects.extend(missing.cloned());
        page.objects.sort_by(|one, other| one.key.cmp(&other.key));
        page.objects.dedup();
    }
}
