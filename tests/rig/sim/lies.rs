//! Listings that omit existing objects.
//!
//! An actor that is lied to may fail or do less. No actor may lose an event by it.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::sim::random::Random;

/// The omission of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    Everything,
    Manifests,
    /// All keys behind some key.
    Tail,
    /// One key.
    One,
    /// The keys stored last: the listing is of some time ago.
    Newest,
    /// All but the batches, the first generation, and the keys made by actors that are lied to.
    Frozen,
}

/// The store's knowledge apart from the keys of a listing.
pub struct Known<'o> {
    /// Every key that was ever stored, in the order of storing.
    pub landed: &'o [Rc<str>],
    /// Keys made by actors that may be lied to.
    pub made: &'o BTreeSet<Rc<str>>,
}

impl Lie {
    pub fn any(random: &mut Random) -> Self {
        random.pick(&[
            Self::Everything,
            Self::Manifests,
            Self::Tail,
            Self::One,
            Self::Newest,
            Self::Frozen,
        ])
    }

    /// True if the lie may omit a batch of a writer and show a later one. A compaction then gives
    /// the later one its place first, because nothing indicates that there is another. No event is
    /// lost, but the order by which the world judges positions is. Batches are therefore not listed
    /// like that.
    pub fn breaks_order(self) -> bool {
        matches!(self, Self::One | Self::Newest)
    }

    /// Removes keys from a listing. Returns true if any was removed.
    pub fn tell(
        self,
        random: &mut Random,
        objects: &mut Vec<(Rc<str>, u64)>,
        known: &Known<'_>,
    ) -> bool {
        let before = objects.len();
        match self {
            Self::Everything => objects.clear(),
            Self::Manifests => objects.retain(|(key, _)| !key.contains("/manifest_")),
            Self::Tail => objects.truncate(random.index(before.max(1))),
            Self::One if before > 0 => _ = objects.remove(random.index(before)),
            Self::One => {}
            Self::Newest => {
                let newest = 1 + random.index(known.landed.len().clamp(1, 40));
                let newest = &known.landed[known.landed.len().saturating_sub(newest)..];
                objects.retain(|(key, _)| !newest.contains(key));
            }
            Self::Frozen => {
                let first = format!("_{:019}", 1);
                objects.retain(|(key, _)| {
                    key.contains("/batch_") || key.contains(&first) || known.made.contains(key)
                });
            }
        }
        objects.len() < before
    }
}
