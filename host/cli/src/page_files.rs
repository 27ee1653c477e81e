//! The files of the page of `stratalog view`, which the build script has packed. A new project of a
//! plugin in JavaScript has some of them, too.

use std::io::Read as _;

use bytes::Bytes;
use flate2::read::GzDecoder;

/// The path, content type and compressed bytes of a file.
pub(crate) type PageFile = (&'static str, &'static str, &'static [u8]);

/// Each file, sorted by path.
pub(crate) static FILES: &[PageFile] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// Returns the bytes of a file that are not compressed.
pub(crate) fn unpacked(packed: &[u8]) -> Option<Bytes> {
    let mut bytes = Vec::new();
    // The build script has packed it, so it can be unpacked.
    GzDecoder::new(packed).read_to_end(&mut bytes).ok()?;
    Some(bytes.into())
}
