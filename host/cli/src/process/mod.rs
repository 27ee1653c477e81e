//! The process: its limits, its log messages, its signals and its exit code.

pub(crate) mod exit;
pub(crate) mod logging;
pub(crate) mod signals;
pub(crate) mod system_limits;
