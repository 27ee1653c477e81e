//! Checks the named positions, as the last load has listed them.
//!
//! 1. Of each name, the newest that are kept are read. Each has the attempt of the one before.
//! 2. One that was deleted in the meantime is no damage: a later commit has passed it.

use super::{Finding, GarbageReason, Verifier};
use crate::drive::named;
use crate::error::{Damage, Error};
use crate::format::named_position::NamedPosition;
use crate::format::names::PositionObject;
use crate::limits::POSITIONS_KEPT;
use crate::ports::{EntryKind, Store};

impl<S: Store> Verifier<S> {
    /// Reads what is kept of each name, and reports the rest as garbage.
    pub(super) fn check_named(&mut self) -> Result<(), Error> {
        let listed: Vec<_> =
            self.catalog.positions().iter().map(|(o, e)| (o.clone(), *e)).collect();
        let newest_of = named::newest(listed.iter().map(|(object, _)| object));
        let mut findings = Vec::new();
        let mut before: Option<NamedPosition> = None;
        let (mut objects, mut read_bytes) = (0, 0_u64);
        for (object, (kind, bytes)) in listed {
            let newest = newest_of.get(&object.name).copied().unwrap_or_default();
            let key = self.catalog.name.key(&object);
            if kind != EntryKind::Object {
                let found = "something else; move it away";
                findings.push(Finding::Damaged(Damage::intruder(key, found)));
                continue;
            }
            if object.number.saturating_add(POSITIONS_KEPT) <= newest {
                let reason = GarbageReason::OldPosition;
                findings.push(Finding::Garbage { object: key, bytes, reason });
                continue;
            }
            let named = match named::get(&self.catalog.store, &self.catalog.name, object) {
                Ok(Some(named)) => named,
                Ok(None) => continue,
                Err(Error::Damaged(damage)) => {
                    findings.push(Finding::Damaged(damage));
                    continue;
                }
                Err(error) => return Err(error),
            };
            objects += 1;
            read_bytes = self.catalog.total([read_bytes, bytes])?;
            if let Some(before) = before.take().filter(|before| is_next(before, &named.object))
                && named.previous != Some(before.attempt)
            {
                let expected = format!("the attempt {} of the commit before", before.attempt);
                let found = named.previous.map_or("none".to_owned(), |found| found.to_string());
                findings.push(Finding::Damaged(Damage::new(key, expected, found)));
            }
            before = Some(named);
        }
        findings.into_iter().for_each(|finding| self.work.record(finding));
        let checked = &mut self.work.checked;
        (checked.objects, checked.objects_total) =
            (checked.objects + objects, checked.objects_total + objects);
        checked.bytes = self.catalog.total([checked.bytes, read_bytes])?;
        checked.bytes_total = self.catalog.total([checked.bytes_total, read_bytes])?;
        Ok(())
    }
}

/// Returns true if the object is the next number of a commit's name.
fn is_next(before: &NamedPosition, object: &PositionObject) -> bool {
    before.object.name == object.name && before.object.number + 1 == object.number
}
