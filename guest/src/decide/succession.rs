//! Decides if two kept manifests can belong to one log, one after the other.

use crate::error::Damage;
use crate::error::quantities::{grouped, size};
use crate::format::manifest::Manifest;
use crate::format::names::{Generation, LogId};

/// Returns the damage of a manifest that has another identity than the log, if that is known.
pub(crate) fn of_another_log(
    log: Option<LogId>,
    generation: Generation,
    found: Option<LogId>,
) -> Option<Damage> {
    let expected = log.filter(|log| found != Some(*log))?;
    let found = found.map_or("no identity".to_owned(), |log| log.to_string());
    let expected = format!("the identity {expected} of the earlier manifests");
    Some(Damage::new(generation, expected, found))
}

/// Returns the contradiction between two kept manifests, the older one first. The second may be of
/// a much later generation.
pub(crate) fn out_of_order(before: &Manifest, after: &Manifest) -> Option<Damage> {
    let follows = after.generation.0 == before.generation.0 + 1;
    // The record in the later one was checked with its own digest.
    if let (true, Some(expected)) = (follows, after.previous)
        && before.digest != Some(expected)
    {
        let found = before.digest.map_or("nothing".to_owned(), |found| format!("xxh3 {found}"));
        let expected = format!("xxh3 {expected}, as {} says", after.generation);
        return Some(Damage::new(before.generation, expected, found));
    }
    let backward = after.first_position < before.first_position
        || after.next_position < before.next_position
        || after.absorbed_bytes < before.absorbed_bytes
        || after.horizon < before.horizon;
    backward.then(|| {
        let positions = |m: &Manifest| {
            let horizon = m.horizon.map_or_else(String::new, |horizon| {
                format!(", and the horizon {}", horizon.micros())
            });
            format!(
                "positions {} to {} and {} absorbed{horizon}",
                grouped(m.first_position),
                grouped(m.next_position),
                size(m.absorbed_bytes)
            )
        };
        let expected = format!("at least {}, as in {}", positions(before), before.generation);
        Damage::new(after.generation, expected, positions(after))
    })
}
