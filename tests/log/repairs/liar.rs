//! A store in memory that gives some false answers.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use rig::altered::{Alter, Altered};
use rig::memory::Memory;
use stratalog_guest::ports::{EntryKind, ListPage, ListedObject, StoreError, StoreErrorKind};

/// The listing of an object. None: it is not listed.
pub type Shows = Rc<dyn Fn(ListedObject) -> Option<ListedObject>>;

/// The bytes of an object as a read returns them.
type Gives = Rc<dyn Fn(&mut Vec<u8>)>;

/// False answers: listings as `shows` says, for a number of them, and objects that are not found.
#[derive(Clone)]
pub struct Liar {
    shows: Shows,
    lies: Rc<Cell<u64>>,
    missing: Rc<dyn Fn(&str) -> bool>,
    intruders: Rc<dyn Fn(&str) -> bool>,
    /// The answers for objects with this name prefix, for the first N reads of each.
    wrong: Option<(&'static str, u64, Gives)>,
    reads: Rc<RefCell<BTreeMap<String, u64>>>,
}

impl Liar {
    pub fn listing(
        memory: &Memory,
        lies: u64,
        shows: impl Fn(ListedObject) -> Option<ListedObject> + 'static,
    ) -> Altered<Self> {
        Altered::new(memory, Self::shows(lies, shows))
    }

    /// Lists objects that are not found.
    pub fn missing(memory: &Memory, missing: impl Fn(&str) -> bool + 'static) -> Altered<Self> {
        Altered::new(memory, Self { missing: Rc::new(missing), ..Self::shows(0, Some) })
    }

    /// Gives something else for the first reads of each object whose name begins so.
    pub fn wrong(
        memory: &Memory,
        prefix: &'static str,
        reads: u64,
        gives: impl Fn(&mut Vec<u8>) + 'static,
    ) -> Altered<Self> {
        let wrong = Some((prefix, reads, Rc::new(gives) as Gives));
        Altered::new(memory, Self { wrong, ..Self::shows(0, Some) })
    }

    /// Has links in the place of objects.
    pub fn intruders(
        memory: &Memory,
        is_link: impl Fn(&str) -> bool + Clone + 'static,
    ) -> Altered<Self> {
        let intruders = Rc::new(is_link.clone());
        let shows = move |entry: ListedObject| {
            let kind = if is_link(&entry.key) { EntryKind::Link } else { entry.kind };
            Some(ListedObject { kind, ..entry })
        };
        Altered::new(memory, Self { intruders, ..Self::shows(u64::MAX, shows) })
    }

    fn shows(lies: u64, shows: impl Fn(ListedObject) -> Option<ListedObject> + 'static) -> Self {
        let honest = Rc::new(|_: &str| false);
        Self {
            shows: Rc::new(shows),
            lies: Rc::new(Cell::new(lies)),
            missing: honest.clone(),
            intruders: honest,
            wrong: None,
            reads: Rc::default(),
        }
    }
}

impl Alter for Liar {
    fn listed(&self, _: &str, _: Option<&str>, page: &mut ListPage) {
        if let Some(left) = self.lies.get().checked_sub(1) {
            self.lies.set(left);
            let objects = std::mem::take(&mut page.objects).into_iter();
            page.objects = objects.filter_map(|object| (self.shows)(object)).collect();
        }
    }

    fn refuses(&self, key: &str) -> Result<(), StoreError> {
        let kind = match ((self.missing)(key), (self.intruders)(key)) {
            (false, false) => return Ok(()),
            (true, _) => StoreErrorKind::NotFound,
            (false, true) => StoreErrorKind::NotAnObject,
        };
        Err(StoreError { kind, message: format!("{key}: {kind:?}") })
    }

    fn got(&self, key: &str, bytes: &mut Vec<u8>) {
        let Some((prefix, wrong, gives)) = &self.wrong else { return };
        if key["log/".len()..].starts_with(prefix) {
            let mut reads = self.reads.borrow_mut();
            let reads = reads.entry(key.to_owned()).or_default();
            *reads += 1;
            if *reads <= *wrong {
                gives(bytes);
            }
        }
    }
}
