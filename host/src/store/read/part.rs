//! Reading the part of an object that exists within a range.
//!
//! Owns: the difference to a read of a range, which must exist as a whole.

use bytes::Bytes;
use stratalog_store_rules::limits::GET_BYTES_MAX;

use crate::store::Store;
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::read::get::ObjectRead;

/// The errors of a range in an empty object.
const WITHOUT_RANGE: [StoreErrorKind; 2] = [StoreErrorKind::Invalid, StoreErrorKind::Unsupported];

/// A part of an object, and the size of the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectPart {
    /// The bytes of the part.
    pub bytes: Bytes,
    /// The bytes of the whole object.
    pub size: u64,
}

impl Store {
    /// Returns the bytes of the object `key` from `start` on, at most `bytes_max`, and the size of
    /// the object. One request, two for an empty object.
    ///
    /// `bytes_max` is 1 to [`GET_BYTES_MAX`]. Any other value is taken as the nearest of these.
    ///
    /// # Errors
    /// * `NotFound`: the object does not exist.
    /// * `Invalid`: `start` is more than 0 and at the end of the object or behind it.
    /// * `Unavailable`: the store did not deliver all bytes: retry.
    pub async fn get_part(
        &self,
        key: &str,
        start: u64,
        bytes_max: u64,
    ) -> Result<ObjectPart, StoreError> {
        let inner = &self.inner;
        let end = start.saturating_add(bytes_max.clamp(1, GET_BYTES_MAX));
        let (read, size) = match ObjectRead::open_part(inner, key, start..end).await {
            Ok(found) => found,
            // An empty object has no range: a server refuses it, or ignores it.
            Err(error) if start == 0 && WITHOUT_RANGE.contains(&error.kind) => {
                let read = ObjectRead::open(inner, key, None).await?;
                let size = read.total();
                if size > 0 {
                    return Err(error);
                }
                (read, size)
            }
            Err(error) => return Err(error),
        };
        Ok(ObjectPart { bytes: read.rest(inner).await?, size })
    }
}
