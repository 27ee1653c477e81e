//! Reports damaged named positions. Nothing proves another position, and an older one would make a
//! reader handle events again. So they are left, with the way on.

use super::{Action, Step};
use crate::drive::catalog::Catalog;
use crate::drive::named;
use crate::error::Error;
use crate::format::names::PositionObject;
use crate::ports::{EntryKind, Store};

/// Reads the objects that the last load has listed, and returns a step for each that is damaged.
pub(super) fn steps<S: Store>(catalog: &Catalog<S>) -> Result<Vec<Step>, Error> {
    let listed = catalog.positions().iter();
    let objects = listed.filter(|(_, (kind, _))| *kind == EntryKind::Object);
    let objects: Vec<PositionObject> = objects.map(|(object, _)| object.clone()).collect();
    let newest_of = named::newest(objects.iter());
    let mut steps = Vec::new();
    for object in objects {
        let is_newest = newest_of.get(&object.name) == Some(&object.number);
        let name = object.name.as_str().to_owned();
        match named::get(&catalog.store, &catalog.name, object) {
            Err(Error::Damaged(damage)) => {
                let action = Action::Nothing(match is_newest {
                    true => format!(
                        "nothing shows which position it had: forget the name {name}, and begin \
                         under it where the reader was"
                    ),
                    false => "a later commit has passed it, and 16 commits delete it".to_owned(),
                });
                steps.push(Step { damage, action, events_lost: 0 });
            }
            got => drop(got?),
        }
    }
    Ok(steps)
}
