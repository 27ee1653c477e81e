//! Handles the process: its limits, log messages, signals and exit code.

pub(crate) mod exit;
pub(crate) mod logging;
pub(crate) mod signals;
pub(crate) mod system_limits;
#[cfg_attr(not(feature = "metrics"), path = "no_telemetry.rs")]
pub(crate) mod telemetry;
