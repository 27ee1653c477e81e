//! The objects of named positions: gets and lists them.

use crate::decide::list_pages::Pages;
use crate::error::{Damage, Error};
use crate::format::named_position::NamedPosition;
use crate::format::names::{LogName, PositionName, PositionObject};
use crate::format::ordered::Map;
use crate::limits::LIST_PAGE_OBJECTS;
use crate::ports::{EntryKind, ListedObject, Listing, Sizes, Store, StoreError, StoreErrorKind};

/// Gets a commit. None if it does not exist.
pub(crate) fn get<S: Store>(
    store: &S,
    log: &LogName,
    object: PositionObject,
) -> Result<Option<NamedPosition>, Error> {
    let key = log.key(&object);
    match store.get(&key) {
        Ok(bytes) => NamedPosition::decode(object, &bytes).map(Some).map_err(|error| match error {
            Error::Damaged(damage) => damage.of(log),
            error => error,
        }),
        Err(StoreError { kind: StoreErrorKind::NotFound, .. }) => Ok(None),
        Err(error) => Err(Error::store("read", &key, &error)),
    }
}

/// Lists the commits under a name, or under all, in the order of their names and numbers.
pub(crate) fn list<S: Store>(
    store: &S,
    log: &LogName,
    name: Option<&PositionName>,
) -> Result<Vec<PositionObject>, Error> {
    let prefix = log.positions(name);
    let listing = store.list(&prefix, None, Sizes::Unused);
    let mut pages = Pages::new(&prefix, None);
    let mut found = Vec::new();
    loop {
        let page = listing.next(LIST_PAGE_OBJECTS);
        let page = page.map_err(|error| Error::store("list", &prefix, &error))?;
        let has_more = pages.take(&page)?;
        for ListedObject { key, kind, .. } in &page.objects {
            let own = log.object(key.strip_suffix('/').unwrap_or(key));
            let Some(object) = own.and_then(PositionObject::parse) else { continue };
            if *kind != EntryKind::Object {
                let found = "something else; move it away";
                return Err(Error::Damaged(Damage::intruder(key.clone(), found)));
            }
            found.push(object);
        }
        if !has_more {
            // A name may be the beginning of another, so the keys are in another order.
            found.sort_unstable();
            return Ok(found);
        }
    }
}

/// Returns the highest number of each name among objects in the order of their names and numbers.
pub(crate) fn newest<'a>(
    objects: impl Iterator<Item = &'a PositionObject>,
) -> Map<PositionName, u64> {
    let mut newest = Map::new();
    for object in objects {
        newest.insert(object.name.clone(), object.number);
    }
    newest
}

pub(super) fn not_shown(key: &str) -> Error {
    let message = format!(
        "cannot write {key}: the store reports that the object already exists, but does not return \
         it; try again"
    );
    Error::StoreFailed { message, transient: true }
}
