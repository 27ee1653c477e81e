//! Checks a component before it is compiled: its interfaces, and whether this host has them.
//!
//! 1. Only the names and types of a component's imports and exports are read here, not its code.
//! 2. The compiler and the linker would also refuse each component that is refused here, but later.
//!    Their decision is final.
//! 3. The version of the interface is in `wit/` alone. The build script reads it from there.

mod demands;
mod replace;
mod surface;
mod version;

pub(crate) use demands::{World, check};
pub(crate) use replace::replace;

/// The version of the package `stratalog:log` whose interfaces this crate has.
pub const INTERFACE_VERSION: &str = env!("STRATALOG_INTERFACE_VERSION");

/// The full name of an interface or a world of the package, with its version.
macro_rules! of_package {
    ($name:literal) => {
        concat!("stratalog:log/", $name, "@", env!("STRATALOG_INTERFACE_VERSION"))
    };
}
pub(crate) use of_package;
