//! Knows which commands report metrics and traces.

use stratalog::keep::Prices;

use super::commands::{Append, Command, Compact, Read, Tail, Verify};
use super::copy::Copy;
use super::telemetry::Telemetry;

impl Command {
    /// Returns the options that report metrics, and the prices. The other commands have none.
    #[cfg_attr(not(feature = "metrics"), allow(dead_code, reason = "nothing is reported"))]
    pub(crate) fn telemetry(&self) -> Option<(&Telemetry, Option<Prices>)> {
        let priced = match self {
            Self::Append(Append { telemetry, .. })
            | Self::Read(Read { telemetry, .. })
            | Self::Tail(Tail { telemetry, .. })
            | Self::Compact(Compact { telemetry, .. })
            | Self::Verify(Verify { telemetry, .. })
            | Self::Copy(Copy { telemetry, .. }) => telemetry,
            #[cfg(feature = "plugins")]
            Self::Run(run) => &run.telemetry,
            Self::Keep(keep) => return Some((&keep.telemetry, keep.prices)),
            _ => return None,
        };
        Some((&priced.telemetry, priced.prices()))
    }
}
