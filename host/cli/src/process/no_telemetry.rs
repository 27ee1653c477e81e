//! Reports nothing: this program is built without metrics.

use crate::args::Arguments;
use crate::process::exit::Failure;
use crate::process::logging::SpanLayer;

pub(crate) struct Reporting;

impl Reporting {
    pub(crate) fn start(_: &Arguments) -> Result<Self, Failure> {
        Ok(Self)
    }

    pub(crate) fn spans(&self) -> Option<SpanLayer> {
        None
    }

    pub(crate) fn announce(&self, _: bool) {}

    pub(crate) fn finish(self) {}
}
