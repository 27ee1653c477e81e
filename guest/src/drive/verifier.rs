//! Verifies a log: reads and checks all of it. A driver: damage is a finding, and the work
//! continues behind it.
//!
//! 1. Every object that the current manifest makes part of the log is read whole and checked, and
//!    so are the kept manifests before it.
//! 2. If the log is compacted during the verification, the verification restarts.

use crate::decide::log_state;
use crate::decide::source::{Request, Source};
use crate::drive::catalog::{Catalog, Scope};
use crate::drive::interrupted::Interrupted;
use crate::drive::source_reader::SourceReader;
use crate::error::{Damage, Error};
use crate::format::names::{LogName, ObjectName};
use crate::format::numbers::to_u64;
use crate::limits::{MISSING_TRIES, VERIFY_FINDINGS_MAX, VERIFY_STEP_BYTES};
use crate::ports::Store;
use work::{Work, digest};

mod hidden;
mod manifests;
mod segments;
mod work;

/// The reason why an object is garbage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GarbageReason {
    AbsorbedBatch,
    UnnamedSegment,
    OldManifest,
    UnfinishedWrite,
}

/// A damaged object, or garbage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Damaged(Damage),
    Garbage {
        object: String,
        bytes: u64,
        reason: GarbageReason,
    },
    /// A batch that was not acknowledged, and that no reader is shown because the batch `before` it
    /// is not in the store.
    Stranded {
        object: String,
        bytes: u64,
        before: String,
    },
}

/// The counts so far, and the findings of the last step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyProgress {
    pub objects: u64,
    pub objects_total: u64,
    pub bytes: u64,
    pub bytes_total: u64,
    /// Events that are not trimmed.
    pub events: u64,
    /// Trimmed events that the first segment still holds.
    pub trimmed_events: u64,
    pub findings: Vec<Finding>,
}

/// A verification.
pub struct Verifier<S: Store> {
    catalog: Catalog<S>,
    stage: Stage,
    reading: Option<SourceReader<S>>,
    work: Work,
    /// The number of times that the log has changed during the work.
    changes: u32,
    /// The number of times that a listing has contradicted itself.
    doubts: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Load,
    Segments,
    Live,
    Hidden,
    Report,
    Done,
}

impl<S: Store> Verifier<S> {
    pub fn new(store: S, log: LogName) -> Self {
        let catalog = Catalog::new(store, log).collecting_intruders();
        let work = Work::default();
        Self { catalog, stage: Stage::Load, reading: None, work, changes: 0, doubts: 0 }
    }

    /// Does one step. None when all is checked.
    ///
    /// # Errors
    /// [`Error::NoLog`]. After [`Error::StoreFailed`] the next call resumes. [`Error::Unsupported`]
    /// for a manifest of a newer format.
    pub fn step(&mut self) -> Result<Option<VerifyProgress>, Error> {
        let until = self.work.checked.bytes + VERIFY_STEP_BYTES;
        while self.work.checked.bytes < until {
            match self.stage {
                Stage::Load => {
                    self.load()?;
                    break;
                }
                Stage::Segments | Stage::Live => self.read_on()?,
                Stage::Hidden => {
                    self.report_hidden()?;
                    self.stage = Stage::Report;
                }
                Stage::Report => {
                    let findings = &mut self.work.findings;
                    let some = findings.len().min(VERIFY_FINDINGS_MAX);
                    self.work.checked.findings = findings.drain(..some).collect();
                    if findings.is_empty() {
                        self.stage = Stage::Done;
                    }
                    break;
                }
                Stage::Done => return Ok(None),
            }
        }
        let checked = self.work.checked.clone();
        self.work.checked.findings.clear();
        Ok(Some(checked))
    }

    /// Lists everything, and checks manifests and retired indexes.
    fn load(&mut self) -> Result<(), Error> {
        let batches = self.catalog.list_settled(&|_| false)?;
        self.work = Work { batches, twins: self.catalog.twins().to_vec(), ..Work::default() };
        self.work.others = self.catalog.list_current(Scope::Full)?.others;
        let intruders = self.catalog.take_intruders();
        if self.work.batches.is_empty() && self.work.others.is_empty() && intruders.is_empty() {
            self.catalog.check_is_there()?;
        }
        intruders.into_iter().for_each(|damage| self.work.record_damage(damage));
        if self.check_manifests()? && self.check_retired()? && self.check_current()? {
            self.find_hidden()?;
            self.begin()?;
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<(), Error> {
        let segments = self.work.manifest.iter().flat_map(|manifest| &manifest.segments);
        let sources: Vec<_> = segments.map(|segment| Source::Segment(Box::new(*segment))).collect();
        let checked = &mut self.work.checked;
        checked.objects_total += to_u64(sources.len() * 2) + to_u64(self.work.batches.len());
        let manifest = self.work.manifest.iter();
        let segments = manifest.flat_map(|manifest| &manifest.segments).map(|s| s.bytes);
        let batches = self.work.batches.iter().map(|batch| batch.size);
        checked.bytes_total = self.catalog.total(segments.chain(batches))?;
        self.read(sources);
        self.stage = Stage::Segments;
        Ok(())
    }

    fn read(&mut self, sources: Vec<Source>) {
        self.reading = Some(SourceReader::new(&self.catalog, sources, Request::Whole));
    }

    fn read_on(&mut self) -> Result<(), Error> {
        let Some(mut reading) = self.reading.take() else { return Ok(()) };
        let (log, work) = (&self.catalog.name, &mut self.work);
        match reading.next() {
            Ok(Some(chunk)) => {
                chunk.spans.iter().for_each(|span| work.record_span(span, log));
                self.reading = Some(reading);
            }
            Ok(None) => self.end_stage(),
            Err(Interrupted::Failed(Error::Damaged(damage))) => self.pass(damage, reading)?,
            Err(Interrupted::Failed(error)) => {
                self.read_again(reading);
                return Err(error);
            }
            // Batches without events, as legacy ones can be, are deleted without a commit.
            Err(Interrupted::Gone(gone)) if is_legacy_batch(&gone.source) => self.restart()?,
            Err(Interrupted::Gone(gone)) => match self.has_changed() {
                Ok(true) => {}
                Ok(false) => {
                    self.missing(gone.name);
                    self.skip_one(reading);
                }
                Err(error) => {
                    self.read_again(reading);
                    return Err(error);
                }
            },
        }
        Ok(())
    }

    /// Resumes with the sources that were not read completely, which are counted again.
    fn read_again(&mut self, mut reading: SourceReader<S>) {
        let progress = reading.restart();
        let manifest = self.work.manifest.as_ref();
        let first = manifest.and_then(|manifest| manifest.segments.first()).copied();
        let first = first.map(|first| Source::Segment(Box::new(first)));
        let is_first = first.is_some() && reading.first_left() == first.as_ref();
        let checked = &mut self.work.checked;
        let trimmed = if is_first { std::mem::take(&mut checked.trimmed_events) } else { 0 };
        let events = progress.events.saturating_sub(trimmed);
        checked.events = checked.events.saturating_sub(events);
        checked.bytes = checked.bytes.saturating_sub(progress.bytes);
        self.work.in_batch = 0;
        self.reading = Some(reading);
    }

    /// Resumes behind a missing or damaged object.
    fn skip_one(&mut self, mut reading: SourceReader<S>) {
        reading.restart();
        reading.leave_out();
        self.work.in_batch = 0;
        self.reading = Some(reading);
    }

    fn end_stage(&mut self) {
        if self.stage != Stage::Segments {
            self.stage = Stage::Hidden;
            return;
        }
        let manifest = self.work.manifest.iter();
        let segments: usize = manifest.map(|manifest| manifest.segments.len()).sum();
        self.work.checked.objects += to_u64(segments * 2);
        let absorbed = std::mem::take(&mut self.work.absorbed);
        let twins = self.work.twins.iter().copied();
        let twins = twins.filter(|twin| absorbed.contains_key(&digest(&twin.name)));
        let twins: Vec<_> = twins.collect();
        let batches = std::mem::take(&mut self.work.batches).into_iter();
        let (absorbed, live): (Vec<_>, Vec<_>) =
            batches.partition(|batch| absorbed.contains_key(&digest(&batch.name)));
        self.work.checked.objects_total -= to_u64(absorbed.len());
        let absorbed_bytes = absorbed.iter().map(|batch| batch.size).sum::<u64>();
        let bytes_total = &mut self.work.checked.bytes_total;
        *bytes_total -= absorbed_bytes;
        for batch in absorbed.into_iter().chain(twins) {
            self.report_garbage(
                ObjectName::Batch(batch.name),
                batch.size,
                GarbageReason::AbsorbedBatch,
            );
        }
        let manifest = self.work.manifest.take();
        let others = std::mem::take(&mut self.work.others);
        for garbage in manifest.iter().flat_map(|m| log_state::garbage(m, &others)) {
            let reason = match garbage.name {
                ObjectName::Manifest(_) => GarbageReason::OldManifest,
                _ => GarbageReason::UnnamedSegment,
            };
            self.report_garbage(garbage.name, garbage.size, reason);
        }
        for (object, bytes) in self.catalog.unfinished() {
            let (object, reason) = (object.clone(), GarbageReason::UnfinishedWrite);
            self.work.findings.push_back(Finding::Garbage { object, bytes: *bytes, reason });
        }
        self.read(live.into_iter().map(Source::Batch).collect());
        self.stage = Stage::Live;
    }

    fn report_garbage(&mut self, name: ObjectName, bytes: u64, reason: GarbageReason) {
        let object = self.catalog.name.key(name);
        self.work.findings.push_back(Finding::Garbage { object, bytes, reason });
    }

    fn record_damage(&mut self, damage: Damage) {
        self.work.record_damage(damage.with_key(&self.catalog.name));
    }

    /// Records an object that is gone, although the log was not compacted.
    fn missing(&mut self, object: impl std::fmt::Display) {
        self.record_damage(Damage::new(
            object,
            "an object that belongs to the log",
            "no such object",
        ));
    }

    /// Returns true if the log was compacted. Then the work restarts.
    fn has_changed(&mut self) -> Result<bool, Error> {
        if self.catalog.highest_generation()? == self.work.generation {
            return Ok(false);
        }
        self.restart()?;
        Ok(true)
    }

    fn restart(&mut self) -> Result<(), Error> {
        self.changes += 1;
        self.stage = Stage::Load;
        self.reading = None;
        if self.changes <= MISSING_TRIES {
            return Ok(());
        }
        let log = self.catalog.name.as_str();
        let message = format!(
            "compactions change log {log} faster than the log can be read; try again later"
        );
        Err(Error::StoreFailed { message, transient: true })
    }
}

fn is_legacy_batch(source: &Source) -> bool {
    matches!(source, Source::Batch(batch) if batch.name.origin.is_none())
}
