//! Verifies a log: reads and checks all of it. A driver: damage is a finding, and the work
//! continues behind it.
//!
//! 1. Every object that the current manifest makes part of the log is read whole and checked, and
//!    so are the kept manifests before it.
//! 2. If the log is compacted during the verification, the log is loaded again, and the work
//!    continues where it was: see `kept`. The verification fails only if loads do not advance it.

use crate::decide::log_state;
use crate::decide::source::{Request, Source};
use crate::drive::catalog::{Catalog, Scope};
use crate::drive::interrupted::Interrupted;
use crate::drive::source_reader::SourceReader;
use crate::error::{Damage, Error};
use crate::format::listed::ListedBatch;
use crate::format::names::{LogName, ObjectName, SegmentName};
use crate::format::numbers::to_u64;
use crate::limits::{VERIFY_FINDINGS_MAX, VERIFY_STEP_BYTES};
use crate::ports::Store;
use kept::digest;
use resuming::Tries;
use work::Work;

mod hidden;
mod kept;
mod manifests;
mod named;
mod resuming;
mod segments;
mod work;

/// The reason why an object is garbage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GarbageReason {
    AbsorbedBatch,
    UnnamedSegment,
    OldManifest,
    UnfinishedWrite,
    /// A commit of a position that later ones have passed.
    OldPosition,
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
    /// Events that are not trimmed, without those of hidden batches.
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
    tries: Tries,
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
        let (work, tries) = (Work::default(), Tries::default());
        Self { catalog, stage: Stage::Load, reading: None, work, tries, doubts: 0 }
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
                    self.check_named()?;
                    self.stage = Stage::Report;
                }
                Stage::Report => {
                    let findings = &mut self.work.findings;
                    let some = findings.len().min(VERIFY_FINDINGS_MAX);
                    let some = findings.drain(..some).map(|(_, finding)| finding);
                    self.work.checked.findings = some.collect();
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
        self.work = std::mem::take(&mut self.work).next();
        self.work.batches = batches;
        self.work.twins = self.catalog.twins().to_vec();
        self.work.others = self.catalog.list_current(Scope::Full)?.others;
        let intruders = self.catalog.take_intruders();
        if self.work.batches.is_empty() && self.work.others.is_empty() && intruders.is_empty() {
            self.catalog.check_is_there()?;
        }
        for damage in intruders {
            self.work.record_damage(damage, None);
        }
        if self.check_manifests()?
            && self.continues()?
            && self.check_retired()?
            && self.check_current()?
        {
            self.find_hidden()?;
            self.begin()?;
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<(), Error> {
        let work = &mut self.work;
        let segments = work.manifest.iter().flat_map(|manifest| &manifest.segments);
        let left = segments.clone().filter(|segment| segment.end() > work.kept.position).count();
        let segments = segments.map(|segment| segment.bytes);
        let batches = work.batches.iter().map(|batch| batch.size);
        work.checked.bytes_total = self.catalog.total(segments.chain(batches))?;
        work.checked.objects_total +=
            work.kept.objects + to_u64(left * 2) + to_u64(work.batches.len());
        work.checked.objects += work.kept.objects;
        work.kept.sequenced.add_to(&mut work.checked);
        work.begun = work.kept.position;
        self.stage = Stage::Segments;
        Ok(())
    }

    fn read(&mut self, sources: Vec<Source>) -> SourceReader<S> {
        SourceReader::new(&self.catalog, sources, Request::Whole)
    }

    fn read_on(&mut self) -> Result<(), Error> {
        let mut reading = match self.reading.take() {
            Some(reading) => reading,
            None => match self.segments_left()? {
                Some(sources) => self.read(sources),
                None => return Ok(()),
            },
        };
        let (log, work) = (&self.catalog.name, &mut self.work);
        match reading.next() {
            Ok(Some(chunk)) => {
                chunk.spans.iter().for_each(|span| work.record_span(span, log));
                if work.is_contradicted {
                    return self.begin_again();
                }
                self.reading = Some(reading);
            }
            Ok(None) => self.end_stage(),
            Err(Interrupted::Failed(Error::Damaged(damage))) => self.pass(damage, reading)?,
            Err(Interrupted::Failed(error)) => {
                self.read_again(reading);
                return Err(error);
            }
            // Batches without events, as legacy ones can be, are deleted without a commit.
            Err(Interrupted::Gone(gone)) if is_legacy_batch(&gone.source) => self.load_again()?,
            Err(Interrupted::Gone(gone)) => match self.has_changed() {
                Ok(true) => {}
                Ok(false) => {
                    self.missing(gone.name, gone.source.segment().map(|segment| segment.name));
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

    /// Resumes with the batches that were not read completely.
    fn read_again(&mut self, mut reading: SourceReader<S>) {
        self.work.drop_incomplete();
        if self.stage == Stage::Live {
            reading.restart();
            self.reading = Some(reading);
        }
    }

    /// Resumes behind a missing or damaged object.
    fn skip_one(&mut self, mut reading: SourceReader<S>) {
        self.work.drop_incomplete();
        reading.restart();
        if let Some(segment) = reading.leave_out().as_ref().and_then(Source::segment) {
            self.work.kept.position = segment.end().max(self.work.kept.position);
        }
        self.reading = Some(reading);
    }

    fn end_stage(&mut self) {
        if self.stage != Stage::Segments {
            self.stage = Stage::Hidden;
            return;
        }
        self.work.count_segments();
        let places = &self.work.kept.places;
        let twins = self.work.twins.iter().copied();
        let twins = twins.filter(|twin| places.contains_key(&digest(&twin.name)));
        let twins: Vec<_> = twins.collect();
        let batches = std::mem::take(&mut self.work.batches);
        let (listed, bytes) = (batches.len(), sizes(&batches));
        let (absorbed, live): (Vec<_>, Vec<_>) =
            batches.into_iter().partition(|batch| places.contains_key(&digest(&batch.name)));
        let (left, known) = self.work.kept.begin_live(live);
        let checked = &mut self.work.checked;
        checked.objects_total -= to_u64(listed - left.len() - known.len());
        checked.bytes_total -= bytes - sizes(&left) - sizes(&known);
        checked.objects += to_u64(known.len());
        for batch in known {
            self.work.count_known(&batch.name);
        }
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
        for (object, bytes) in self.catalog.unfinished().iter() {
            let (object, reason) = (object.clone(), GarbageReason::UnfinishedWrite);
            self.work.record(Finding::Garbage { object, bytes: *bytes, reason });
        }
        self.reading = Some(self.read(left.into_iter().map(Source::Batch).collect()));
        self.stage = Stage::Live;
    }

    fn report_garbage(&mut self, name: ObjectName, bytes: u64, reason: GarbageReason) {
        let object = self.catalog.name.key(name);
        self.work.record(Finding::Garbage { object, bytes, reason });
    }

    fn record_damage(&mut self, damage: Damage, segment: Option<SegmentName>) {
        self.work.record_damage(damage.with_key(&self.catalog.name), segment);
    }

    /// Records an object that is gone, although the log was not compacted. It may be one of a
    /// segment.
    fn missing(&mut self, object: impl std::fmt::Display, segment: Option<SegmentName>) {
        let damage = Damage::new(object, "an object that belongs to the log", "no such object");
        self.record_damage(damage, segment);
    }
}

fn sizes(batches: &[ListedBatch]) -> u64 {
    batches.iter().map(|batch| batch.size).sum()
}

fn is_legacy_batch(source: &Source) -> bool {
    matches!(source, Source::Batch(batch) if batch.name.origin.is_none())
}
