//! The store adapters that are built with this program.

use super::part::{Part, Parts};
use crate::args::component::StoreKind;
use crate::process::exit::Failure;

/// The adapter of a folder.
static FS_STORE: &[u8] = include_bytes!(env!("STRATALOG_FS_STORE"));

/// The adapter of a bucket.
static S3_STORE: &[u8] = include_bytes!(env!("STRATALOG_S3_STORE"));

/// Returns the adapter of a store.
pub(super) fn part(parts: &mut Parts, kind: StoreKind) -> Result<Part<'static>, Failure> {
    match kind {
        StoreKind::Fs => parts.part("fs-store", "the built-in store fs", FS_STORE),
        StoreKind::S3 => parts.part("s3-store", "the built-in store s3", S3_STORE),
    }
}
