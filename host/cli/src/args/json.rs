//! Knows which commands have the option `--json`.

use crate::args::commands::{Append, Command, Compact, Doctor, Repair, Stat, Verify};
use crate::args::component::Component;
use crate::args::copy::Copy;
use crate::args::kit::{Plugin, Wit};
use crate::args::ls::Ls;
use crate::args::positions::Positions;
use crate::args::trim::Trim;

impl Command {
    /// Returns whether the summary is printed as JSON. The other commands have none.
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::Append(Append { json, .. })
            | Self::Compact(Compact { json, .. })
            | Self::Trim(Trim { json, .. })
            | Self::Copy(Copy { json, .. })
            | Self::Verify(Verify { json, .. })
            | Self::Repair(Repair { json, .. })
            | Self::Stat(Stat { json, .. })
            | Self::Ls(Ls { json, .. })
            | Self::Positions(Positions { json, .. })
            | Self::Doctor(Doctor { json, .. })
            | Self::Wit(Wit { json, .. }) => json.json,
            Self::Component(Component { json, .. }) | Self::Plugin(Plugin { json, .. }) => *json,
            Self::Keep(keep) => keep.json.json,
            #[cfg(feature = "plugins")]
            Self::Run(_) => false,
            Self::Read(_)
            | Self::Tail(_)
            | Self::Files(_)
            | Self::View(_)
            | Self::Completions(_)
            | Self::Man(_) => false,
        }
    }
}
