//! Confirms the damage that a listing suggests, before an object counts as damaged.
//!
//! 1. A listing and the object itself must agree about its existence and size. A listing that does
//!    not agree is repeated once.
//! 2. If they still differ, the store is at fault, and nothing is changed.
//! 3. One read proves no damage either: a damaged object is read again. If that read finds
//!    something else, the store is at fault.

use crate::drive::catalog::{Catalog, Scope};
use crate::error::Error;
use crate::error::quantities::size;
use crate::format::host_bytes;
use crate::format::names::{Generation, ObjectName};
use crate::limits::CHUNK_BYTES_MAX;
use crate::ports::{HostBytes, ObjectRange, OrderedRead, Sizes, Store, StoreErrorKind};

/// The extent of an object, found by reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Gone,
    /// All of it, in bytes.
    Whole(u64),
    /// More than this many bytes.
    Beyond(u64),
}

impl Extent {
    fn agrees(self, listed: Option<u64>) -> bool {
        match (self, listed) {
            (Self::Gone, None) => true,
            (Self::Whole(bytes), Some(listed)) => bytes == listed,
            (Self::Beyond(bytes), Some(listed)) => listed > bytes,
            _ => false,
        }
    }
}

impl std::fmt::Display for Extent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Gone => f.write_str("no such object"),
            Self::Whole(bytes) => f.write_str(&size(*bytes)),
            Self::Beyond(bytes) => write!(f, "more than {}", size(*bytes)),
        }
    }
}

/// Reads an object, at most a little more than `bytes_max` bytes of it.
pub(super) fn get<S: Store>(
    store: &S,
    key: &str,
    bytes_max: u64,
) -> Result<(Extent, S::Bytes), Error> {
    let read = store.read(&[ObjectRange { key: key.to_owned(), range: None }]);
    let mut bytes = S::Bytes::new(&[]);
    loop {
        match read.next(CHUNK_BYTES_MAX) {
            Ok(Some(chunk)) => bytes = host_bytes::join(Some(bytes), chunk.bytes),
            Ok(None) => return Ok((Extent::Whole(bytes.length()), bytes)),
            Err(failure) if failure.error.kind == StoreErrorKind::NotFound => {
                return Ok((Extent::Gone, bytes));
            }
            Err(failure) => return Err(Error::store("read", key, &failure.error)),
        }
        if bytes.length() > bytes_max {
            return Ok((Extent::Beyond(bytes_max), bytes));
        }
    }
}

/// Returns true if the manifest of a generation is current, by reading the next one, too. An error
/// if the listing contradicts that.
pub(super) fn is_current<S: Store>(
    catalog: &mut Catalog<S>,
    generation: Generation,
) -> Result<bool, Error> {
    let next = ObjectName::Manifest(Generation(generation.0 + 1));
    let has_next = catalog.is_there(next, 1)?;
    if catalog.highest_generation()? > generation {
        return Ok(false);
    }
    if has_next {
        return Err(catalog
            .unreliable_listing(&format!("{} exists but is not listed", catalog.name.key(next))));
    }
    Ok(true)
}

/// Confirms the extent of an object that was `listed` with this many bytes, or was not listed.
/// Returns false if the log has a later manifest than that of `base`.
pub(super) fn confirm<S: Store>(
    catalog: &mut Catalog<S>,
    base: Generation,
    object: ObjectName,
    found: Extent,
    listed: Option<u64>,
) -> Result<bool, Error> {
    if found != Extent::Gone && found.agrees(listed) {
        return Ok(true);
    }
    if !is_current(catalog, base)? {
        return Ok(false);
    }
    let listed = listed_size(catalog, object)?;
    if found.agrees(listed) {
        return Ok(true);
    }
    let shown =
        listed.map_or("not listed".to_owned(), |bytes| format!("listed with {}", size(bytes)));
    let key = catalog.name.key(object);
    Err(catalog.unreliable_listing(&format!("{key} is {shown}, but a read finds {found}")))
}

/// The error of an object that was read as damaged, and then as something else.
pub(super) fn read_differently<S: Store>(catalog: &Catalog<S>, object: ObjectName) -> Error {
    let key = catalog.name.key(object);
    let message = format!(
        "cannot rely on the store: one read of {key} found damage, and the next one did not find \
         the same; nothing was deleted; repair again, and check the store if this repeats"
    );
    Error::StoreFailed { message, transient: true }
}

fn listed_size<S: Store>(
    catalog: &mut Catalog<S>,
    object: ObjectName,
) -> Result<Option<u64>, Error> {
    let mut size = None;
    if let ObjectName::Batch(name) = object {
        catalog.list_batches(Sizes::Used, |batch| {
            size = size.or((batch.name == name).then_some(batch.size));
        })?;
        return Ok(size);
    }
    let others = catalog.list_others(Scope::Full)?;
    Ok(others.iter().find(|other| other.name == object).map(|other| other.size))
}
