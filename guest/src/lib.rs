//! The logic of stratalog: an append log on object storage.
//!
//! `FORMAT.md` next to this crate documents object names, bytes and protocols. The layers, from the
//! bottom up (each uses only those above it in this list):
//!
//! - the ground: [`limits`], [`ports`] (the interface to the outside), [`error`], [`mutants`];
//! - [`mod@format`]: names and bytes of objects;
//! - [`decide`]: a snapshot in, a plan out;
//! - [`drive`]: all I/O;
//! - `component`: the shell that makes this a component. It converts and calls. With the feature
//!   `native`, its types of the WIT and their conversions are compiled natively, too.
//!
//! With the feature `fuzzing`, `fuzzing` has the properties that fuzz targets check.
//!
//! Nothing here knows the host.

pub mod decide;
pub mod drive;
pub mod error;
pub mod format;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod limits;
pub mod mutants;
pub mod ports;

#[cfg(any(target_arch = "wasm32", feature = "native"))]
pub mod component;
