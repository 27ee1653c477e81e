//! Handles the process: its limits, log messages, signals and exit code.

pub(crate) mod exit;
pub(crate) mod logging;
pub(crate) mod signals;
pub(crate) mod system_limits;
#[cfg(feature = "metrics")]
pub(crate) mod telemetry;

#[cfg(not(feature = "metrics"))]
mod no_telemetry;
#[cfg(not(feature = "metrics"))]
pub(crate) use no_telemetry as telemetry;
