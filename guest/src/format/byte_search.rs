//! Finds the one byte of a text that was changed, given a digest of the original text.

use crate::format::names::Digest;

/// Bytes hashed in one search: a few seconds, or some milliseconds in a fuzz target.
pub(crate) const HASHED_BYTES_MAX: usize =
    if cfg!(feature = "fuzzing") { 1 << 24 } else { 1 << 30 };

/// Returns the bytes with the changed one restored. None if no single byte explains the digest, or
/// the search would take too long.
pub(crate) fn one_byte(bytes: &[u8], expected: Digest) -> Option<Vec<u8>> {
    let printable = b' '..=b'~';
    let tries = bytes.len().checked_mul(printable.len())?;
    if tries.checked_mul(bytes.len())? > HASHED_BYTES_MAX {
        return None;
    }
    let mut tried = bytes.to_vec();
    for at in 0..tried.len() {
        let was = *tried.get(at)?;
        for value in printable.clone().chain([b'\n']) {
            *tried.get_mut(at)? = value;
            if Digest::of(&tried) == expected {
                return Some(tried);
            }
        }
        *tried.get_mut(at)? = was;
    }
    None
}
