//! The export `feeds`.

use super::{Component, Exported, LogResource, release, types, wit};
use crate::component::bindings::exports::stratalog::log::feeds;
use crate::component::imports::{HostStore, HostSystem};
use crate::drive::writer::Writer;
use crate::drive::writer::feed::{Resumed, batch_name};
use crate::format::numbers::to_u64;

impl feeds::Guest for Component {
    fn seal(
        log: feeds::LogBorrow<'_>,
        lines: feeds::Bytes,
        name: Option<String>,
    ) -> Result<String, types::Error> {
        let name = name.map(|name| batch_name(&name)).transpose()?;
        let sealed = log.get::<LogResource>().0.state().seal_lines(lines.into(), name)?;
        Ok(sealed.to_string())
    }

    fn start(log: feeds::LogBorrow<'_>) {
        log.get::<LogResource>().0.state().start();
    }

    fn resume(
        name: String,
        options: types::Options,
        batches: Vec<String>,
    ) -> Result<feeds::Resumed, types::Error> {
        release();
        let batches = batches.iter().map(|name| batch_name(name));
        let batches = batches.collect::<Result<Vec<_>, _>>()?;
        let options = options.into();
        let resumed = Writer::resume(HostStore, HostSystem, &name, options, &batches)?;
        let Resumed { writer, stored, may_be_trimmed } = resumed;
        let log = wit::Log::new(LogResource(Exported::of_writer(writer)));
        Ok(feeds::Resumed { log, stored: to_u64(stored), may_be_trimmed })
    }
}
