//! The logic as the component's exports.

use super::bindings::exports::stratalog::adapters::open_logs;
use super::bindings::exports::stratalog::log::types;
use super::bindings::exports::stratalog::log::{
    append_log as wit, copies, files, host_lines, parking, repairs, survey,
};
use super::dropped::{Exported, flush_open, keep, release};
use super::imports::{HostStore, HostSystem};
use crate::decide::survey::Surveyor;
use crate::drive::compactor;
use crate::drive::copier::{self, Copier, CopyOptions};
use crate::drive::files::Files;
use crate::drive::named;
use crate::drive::reader::{ReadOptions, Reader};
use crate::drive::repair;
use crate::drive::stat;
use crate::drive::trimmer;
use crate::drive::verifier::Verifier;
use crate::drive::writer::Writer;
use crate::format::names::{LogName, PositionName};
use crate::ports::ListedObject;

mod feeds;

pub(super) struct Component;

pub(super) struct LogResource(Exported<Writer<HostStore, HostSystem>>);

pub(super) struct ReaderResource(Exported<Reader<HostStore>>);

pub(super) struct VerifierResource(Exported<Verifier<HostStore>>);

pub(super) struct FilesResource(Exported<Files>);

pub(super) struct CopierResource(Exported<Copier<HostStore, HostSystem>>);

pub(super) struct SurveyorResource(Exported<Surveyor>);

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

impl files::Guest for Component {
    type FileList = FilesResource;

    fn list_files(
        name: String,
        since: Option<u64>,
        until: Option<u64>,
    ) -> Result<files::FileList, types::Error> {
        let listed = Files::list(HostStore, log_of(&name)?, since, until)?;
        Ok(files::FileList::new(FilesResource(Exported::new(listed))))
    }
}

impl files::GuestFileList for FilesResource {
    fn next(&self) -> Vec<files::LogFile> {
        let mut listed = self.0.state();
        let page = listed.next_page();
        page.into_iter().map(|file| files::LogFile::from((listed.key(&file), file))).collect()
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

impl parking::Guest for Component {
    fn park(log: parking::LogBorrow<'_>) -> Option<parking::Parked> {
        let parked = log.get::<LogResource>().0.state().park()?;
        Some(parked.into())
    }

    fn unpark(name: String, state: parking::Parked) -> Result<wit::Log, types::Error> {
        release();
        let writer = Writer::unpark(HostStore, HostSystem, &name, state.into())?;
        Ok(wit::Log::new(LogResource(Exported::of_writer(writer))))
    }

    fn park_reader(reader: parking::ReaderBorrow<'_>) -> Option<parking::ParkedReader> {
        let parked = reader.get::<ReaderResource>().0.state().park()?;
        Some(parked.into())
    }

    fn unpark_reader(
        name: String,
        state: parking::ParkedReader,
    ) -> Result<wit::Reader, types::Error> {
        release();
        let reader = Reader::unpark(HostStore, &name, state.into())?;
        Ok(wit::Reader::new(ReaderResource(Exported::new(reader))))
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

impl copies::Guest for Component {
    type Copier = CopierResource;

    fn start_copy(
        source: String,
        target: String,
        note: String,
        dry_run: bool,
    ) -> Result<copies::Copier, types::Error> {
        let (from, to) = (log_of(&source)?, log_of(&target)?);
        let options = CopyOptions { source: note, dry_run };
        let copier = Copier::new((HostStore, from), (HostStore, to), HostSystem, options)?;
        Ok(copies::Copier::new(CopierResource(Exported::new(copier))))
    }

    fn mirror(name: String) -> Result<Option<copies::MirrorState>, types::Error> {
        let state = copier::mirror(HostStore, log_of(&name)?)?;
        Ok(state.map(copies::MirrorState::from))
    }

    fn promote(name: String) -> Result<bool, types::Error> {
        Ok(copier::promote(HostStore, &HostSystem, log_of(&name)?)?)
    }
}

impl copies::GuestCopier for CopierResource {
    fn next(&self) -> Result<Option<copies::CopyProgress>, types::Error> {
        let copied = self.0.state().step()?;
        Ok(copied.map(copies::CopyProgress::from))
    }

    fn repeat(&self) {
        self.0.state().repeat();
    }
}

impl survey::Guest for Component {
    type Surveyor = SurveyorResource;
}

impl survey::GuestSurveyor for SurveyorResource {
    fn new(folder: String) -> Self {
        release();
        Self(Exported::new(Surveyor::new(&folder)))
    }

    fn next(&self, entries: Vec<survey::Entry>) -> Result<Vec<survey::SurveyedLog>, types::Error> {
        let entries = entries.into_iter().map(ListedObject::from);
        let mut found = Vec::new();
        self.0.state().next(&entries.collect::<Vec<_>>(), &mut found)?;
        Ok(found.into_iter().map(survey::SurveyedLog::from).collect())
    }

    fn finish(&self) -> Vec<survey::SurveyedLog> {
        let mut found = Vec::new();
        self.0.state().finish(&mut found);
        found.into_iter().map(survey::SurveyedLog::from).collect()
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
