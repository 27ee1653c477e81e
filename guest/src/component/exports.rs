//! The logic as the component's exports.

use super::bindings::exports::stratalog::adapters::open_logs;
use super::bindings::exports::stratalog::log::types;
use super::bindings::exports::stratalog::log::{append_log as wit, host_lines, repairs};
use super::dropped::{Exported, flush_open, keep, release};
use super::imports::{HostStore, HostSystem};
use crate::drive::compactor;
use crate::drive::named;
use crate::drive::reader::{ReadOptions, Reader};
use crate::drive::repair;
use crate::drive::stat;
use crate::drive::trimmer;
use crate::drive::verifier::Verifier;
use crate::drive::writer::Writer;
use crate::format::names::{LogName, PositionName};

pub(super) struct Component;

pub(super) struct LogResource(Exported<Writer<HostStore, HostSystem>>);

pub(super) struct ReaderResource(Exported<Reader<HostStore>>);

pub(super) struct VerifierResource(Exported<Verifier<HostStore>>);

/// Begins a call on a log by name.
fn log_of(name: &str) -> Result<LogName, types::Error> {
    release();
    Ok(LogName::parse(name)?)
}

fn reader(reader: Reader<HostStore>) -> wit::Reader {
    wit::Reader::new(ReaderResource(Exported::new(reader)))
}

impl wit::Guest for Component {
    type Log = LogResource;
    type Reader = ReaderResource;
    type Verifier = VerifierResource;

    fn read(name: String, options: types::ReadOptions) -> Result<wit::Reader, types::Error> {
        let log = log_of(&name)?;
        Ok(reader(Reader::new(HostStore, log, ReadOptions::try_from(options)?)?))
    }

    fn read_named(
        name: String,
        position: String,
        options: types::ReadOptions,
    ) -> Result<wit::Reader, types::Error> {
        let log = log_of(&name)?;
        let options = ReadOptions::try_from(options)?;
        Ok(reader(Reader::named(HostStore, log, &position, options)?))
    }

    fn named_positions(name: String) -> Result<Vec<types::NamedPosition>, types::Error> {
        let kept = named::positions(&HostStore, &log_of(&name)?)?;
        Ok(kept.into_iter().map(types::NamedPosition::from).collect())
    }

    fn forget_position(name: String, position: String) -> Result<bool, types::Error> {
        let log = log_of(&name)?;
        let position = PositionName::parse(&position)?;
        Ok(named::forget(&HostStore, &HostSystem, &log, position)?)
    }

    fn compact(
        name: String,
        options: types::CompactOptions,
    ) -> Result<types::Compaction, types::Error> {
        let log = log_of(&name)?;
        Ok(compactor::compact(HostStore, &HostSystem, log, options.into())?.into())
    }

    fn plan_compaction(
        name: String,
        options: types::CompactOptions,
    ) -> Result<types::CompactionPlan, types::Error> {
        let plan = compactor::plan(HostStore, log_of(&name)?, options.into())?;
        Ok(plan.into())
    }

    fn plan_trim(
        name: String,
        until: types::TrimPoint,
        options: types::TrimOptions,
    ) -> Result<types::TrimResult, types::Error> {
        let name = log_of(&name)?;
        let planned = trimmer::plan(HostStore, name, until.into(), options.into())?;
        Ok(planned.into())
    }

    fn trim(
        name: String,
        until: types::TrimPoint,
        options: types::TrimOptions,
    ) -> Result<types::TrimResult, types::Error> {
        let name = log_of(&name)?;
        let trimmed = trimmer::trim(HostStore, &HostSystem, name, until.into(), options.into())?;
        Ok(trimmed.into())
    }

    fn verify(name: String) -> Result<wit::Verifier, types::Error> {
        let verifier = Verifier::new(HostStore, log_of(&name)?);
        Ok(wit::Verifier::new(VerifierResource(Exported::new(verifier))))
    }

    fn stat(name: String) -> Result<types::Stats, types::Error> {
        let stats = stat::stat(HostStore, log_of(&name)?)?;
        Ok(stats.into())
    }
}

impl wit::GuestLog for LogResource {
    fn open(name: String, options: types::Options) -> Result<wit::Log, types::Error> {
        release();
        let writer = Writer::open(HostStore, HostSystem, &name, options.into())?;
        Ok(wit::Log::new(Self(Exported::of_writer(writer))))
    }

    fn append(&self, event: Vec<u8>) -> Result<(), types::Error> {
        self.0.state().append(&event).map_err(types::Error::from)
    }

    fn append_lines(&self, lines: Vec<u8>) -> Result<u64, types::Error> {
        self.0.state().append_lines(lines).map_err(types::Error::from)
    }

    fn flush(&self) -> Result<types::Written, types::Error> {
        let written = self.0.state().flush()?;
        Ok(written.into())
    }

    fn tick(&self) -> bool {
        self.0.state().tick()
    }

    fn pending(&self) -> types::Pending {
        self.0.state().pending().into()
    }

    fn read_all(&self) -> Result<wit::Reader, types::Error> {
        Ok(reader(self.0.state().read_all()?))
    }

    fn compact(&self, options: types::CompactOptions) -> Result<types::Compaction, types::Error> {
        let writer = self.0.state();
        writer.check_open()?;
        let log = writer.name().clone();
        Ok(compactor::compact_opened(HostStore, &HostSystem, log, options.into())?.into())
    }

    fn file_count(&self) -> Result<u64, types::Error> {
        self.0.state().file_count().map_err(types::Error::from)
    }

    fn close(&self) -> Result<types::Written, types::Error> {
        let written = self.0.state().close()?;
        Ok(written.into())
    }
}

impl wit::GuestReader for ReaderResource {
    fn next(&self) -> Result<Option<types::Page>, types::Error> {
        let page = self.0.state().next_page()?;
        Ok(page.map(types::Page::from))
    }

    fn position(&self) -> Option<String> {
        self.0.state().position()
    }

    fn commit(&self, position: Option<String>) -> Result<(), types::Error> {
        Ok(self.0.state().commit(&HostSystem, position.as_deref())?)
    }

    fn batches(&self) -> Vec<types::BatchEvents> {
        let batches = self.0.state().batches();
        batches.into_iter().map(types::BatchEvents::from).collect()
    }

    fn positions(&self, first: u64) -> Option<String> {
        self.0.state().positions(first)
    }
}

impl host_lines::Guest for Component {
    fn effective_options(log: host_lines::LogBorrow<'_>) -> types::Options {
        log.get::<LogResource>().0.state().options().into()
    }

    fn append(
        log: host_lines::LogBorrow<'_>,
        lines: host_lines::Bytes,
        events: u64,
    ) -> Result<types::Written, types::Error> {
        let mut writer = log.get::<LogResource>().0.state();
        writer.append_host_bytes(lines.into(), events)?;
        Ok(writer.written().into())
    }

    fn start_flush(
        log: host_lines::LogBorrow<'_>,
        retry: bool,
    ) -> Result<types::Written, types::Error> {
        let written = log.get::<LogResource>().0.state().start_flush(retry)?;
        Ok(written.into())
    }

    fn poll_flush(log: host_lines::LogBorrow<'_>) -> Result<types::Written, types::Error> {
        let written = log.get::<LogResource>().0.state().poll_flush()?;
        Ok(written.into())
    }

    fn written_by(log: host_lines::LogBorrow<'_>) -> types::Written {
        log.get::<LogResource>().0.state().written().into()
    }

    fn next(
        reader: host_lines::ReaderBorrow<'_>,
    ) -> Result<Option<host_lines::HostPage>, types::Error> {
        let page = reader.get::<ReaderResource>().0.state().next_page()?;
        Ok(page.map(host_lines::HostPage::from))
    }

    fn position_before(reader: host_lines::ReaderBorrow<'_>) -> Option<String> {
        reader.get::<ReaderResource>().0.state().position_before()
    }
}

impl repairs::Guest for Component {
    fn skip_damaged(reader: repairs::ReaderBorrow<'_>) {
        reader.get::<ReaderResource>().0.state().skip_damaged();
    }

    fn take_skipped(reader: repairs::ReaderBorrow<'_>) -> Vec<types::Skipped> {
        let skipped = reader.get::<ReaderResource>().0.state().take_skipped();
        skipped.into_iter().map(types::Skipped::from).collect()
    }

    fn repair(name: String, dry_run: bool) -> Result<Vec<types::RepairStep>, types::Error> {
        let log = log_of(&name)?;
        let repaired = repair::repair(HostStore, &HostSystem, log, dry_run)?;
        Ok(repaired.steps.into_iter().map(types::RepairStep::from).collect())
    }
}

impl open_logs::Guest for Component {
    fn keep() {
        keep();
    }

    fn flush() -> Result<(), ()> {
        if flush_open() { Ok(()) } else { Err(()) }
    }
}

impl wit::GuestVerifier for VerifierResource {
    fn next(&self) -> Result<Option<types::VerifyProgress>, types::Error> {
        let checked = self.0.state().step()?;
        Ok(checked.map(types::VerifyProgress::from))
    }
}
