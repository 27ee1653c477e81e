//! Checks all there is of a log: a driver. Damage is a finding, and the work goes on behind it.
//!
//! 1. Every object that the manifest in force makes part of the log is read whole and checked, and so
//!    are the manifests before it.
//! 2. A log that is compacted meanwhile is looked at anew, from the beginning.

use crate::decide::log_state;
use crate::decide::source::Source;
use crate::drive::catalog::{Catalog, Scope, StoredManifest};
use crate::drive::source_reader::{Interrupted, SourceReader};
use crate::error::{Damage, Error};
use crate::format::manifest::{Manifest, Retired, StandIn};
use crate::format::names::{Generation, LogId, LogName, ObjectName};
use crate::limits::{MISSING_TRIES, VERIFY_FINDINGS_MAX, VERIFY_STEP_BYTES};
use crate::ports::Store;
use work::{Place, Work, digest};

mod work;

/// Why an object is not needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GarbageReason {
    AbsorbedBatch,
    UnnamedSegment,
    OldManifest,
    UnfinishedWrite,
}

/// Something that is not as it should be, or not needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Damaged(Damage),
    Garbage { object: String, bytes: u64, reason: GarbageReason },
}

/// What was checked so far, and what the last step found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    pub objects: u64,
    pub objects_total: u64,
    pub bytes: u64,
    pub bytes_total: u64,
    /// Of those that are not trimmed.
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
    /// How often the log has changed under the work.
    changes: u32,
    /// How often what was listed has contradicted itself.
    doubts: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Load,
    Segments,
    Live,
    Report,
    Done,
}

impl<S: Store> Verifier<S> {
    pub fn new(store: S, log: LogName) -> Self {
        let catalog = Catalog::new(store, log).collecting_intruders();
        let work = Work::default();
        Self { catalog, stage: Stage::Load, reading: None, work, changes: 0, doubts: 0 }
    }

    /// Does a step. None when all is checked.
    ///
    /// # Errors
    /// [`Error::NoLog`]. [`Error::StoreFailed`]: call again and it goes on. [`Error::Unsupported`] for a manifest of a
    /// newer format.
    pub fn step(&mut self) -> Result<Option<Checked>, Error> {
        let until = self.work.checked.bytes.saturating_add(VERIFY_STEP_BYTES);
        while self.work.checked.bytes < until {
            match self.stage {
                Stage::Load => {
                    self.load()?;
                    break;
                }
                Stage::Segments | Stage::Live => self.read_on()?,
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
        self.work = Work { batches: self.catalog.list_settled(&|_| false)?, ..Work::default() };
        let listed = self.catalog.list_current(Scope::Full)?;
        let listed = listed.map_err(|went_back| self.catalog.went_back(went_back))?;
        self.work.others = listed.others;
        let intruders = self.catalog.take_intruders();
        if self.work.batches.is_empty() && self.work.others.is_empty() && intruders.is_empty() {
            self.catalog.check_is_there()?;
        }
        intruders.into_iter().for_each(|damage| self.work.found(damage));
        if self.check_manifests()? && self.check_retired()? && self.check_current()? {
            self.begin();
        }
        Ok(())
    }

    /// Checks that no later manifest than the highest was there. False when the work begins anew.
    fn check_current(&mut self) -> Result<bool, Error> {
        let manifest = self.work.manifest.as_ref();
        if manifest.is_none() && self.work.generation > Generation::default() {
            // It is damaged, and nothing tells what it said.
            return Ok(true);
        }
        let (batches, others) = (&self.work.batches, &self.work.others);
        let found = match self.catalog.missing_manifest(manifest, batches, others) {
            // The damaged index is met again.
            Err(Error::Damaged(_)) => None,
            found => found?,
        };
        let Some(found) = found else { return Ok(true) };
        self.doubts += 1;
        if self.doubts < MISSING_TRIES {
            return Ok(false);
        }
        match self.catalog.contradicted(manifest, found)? {
            Error::Damaged(damage) => self.work.findings.push_back(Finding::Damaged(damage)),
            error => return Err(error),
        }
        Ok(true)
    }

    /// Checks the manifests that are kept, one after the other. False when the work begins anew.
    fn check_manifests(&mut self) -> Result<bool, Error> {
        let highest = log_state::manifests(&self.work.others).max().unwrap_or_default();
        self.work.generation = highest;
        let mut kept: Vec<_> = log_state::kept_below(highest, &self.work.others).collect();
        kept.reverse();
        kept.extend(Some(highest).filter(|highest| *highest > Generation::default()));
        let mut before: Option<Manifest> = None;
        let mut log: Option<LogId> = None;
        // A listing may leave out one that was created meanwhile, and show the next.
        for generation in kept {
            self.work.checked.objects_total += 1;
            let manifest = match self.catalog.stored_manifest(generation) {
                Ok(StoredManifest::Whole(manifest)) => manifest,
                Ok(StoredManifest::StandIn(stand_in)) => {
                    if self.has_changed()? {
                        return Ok(false);
                    }
                    self.check_stand_in(stand_in, log);
                    before = None;
                    continue;
                }
                Ok(StoredManifest::Gone) if log_state::may_be_deleted(generation, highest) => {
                    before = None;
                    continue;
                }
                Ok(StoredManifest::Gone) => {
                    if self.has_changed()? {
                        return Ok(false);
                    }
                    self.found(Damage::new(generation, "a manifest", "no such object"));
                    before = None;
                    continue;
                }
                Err(Error::Damaged(damage)) => {
                    self.work.found(damage);
                    before = None;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let contradiction = before.as_ref().and_then(|before| out_of_order(before, &manifest));
            if let Some(damage) =
                contradiction.or_else(|| of_another_log(log, manifest.generation, manifest.log))
            {
                // A stalled compactor may have created a number that was passed and dropped.
                if self.has_changed()? {
                    return Ok(false);
                }
                self.found(damage);
            }
            self.work.checked.objects += 1;
            log = log.or(manifest.log);
            before = Some(manifest);
        }
        // Without the one in force nothing tells which segments are the log.
        self.work.manifest = before.filter(|manifest| manifest.generation == highest);
        Ok(true)
    }

    /// Checks the indexes of trimmed segments. False when the work begins anew.
    fn check_retired(&mut self) -> Result<bool, Error> {
        let retired = self.work.manifest.iter().flat_map(|manifest| manifest.retired.clone());
        for Retired { segment, .. } in retired.collect::<Vec<_>>() {
            self.work.checked.objects_total += 1;
            match self.catalog.index_of(&segment) {
                Ok(Some(index)) => {
                    self.work.checked.objects += 1;
                    for (batch, positions) in index.positions(&segment) {
                        let (start, segment) = (positions.start, segment.name);
                        let place = Place { start, segment, is_retired: true };
                        self.work.stands(batch, place, &self.catalog.name);
                    }
                }
                Ok(None) => {
                    if self.has_changed()? {
                        return Ok(false);
                    }
                    self.missing(segment.name.index());
                }
                Err(Error::Damaged(damage)) => {
                    self.work.found(damage);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Checks what stands for an older manifest that a repair has given up: it says nothing of the log
    /// but its identity, and another manifest counts.
    fn check_stand_in(&mut self, stand_in: StandIn, log: Option<LogId>) {
        self.work.checked.objects += 1;
        if stand_in.generation == self.work.generation
            && let Error::Damaged(damage) = self.catalog.ends_in_stand_in(stand_in.generation)
        {
            self.work.found(damage);
        }
        let damage =
            of_another_log(log.and(stand_in.log).and(log), stand_in.generation, stand_in.log);
        if let Some(damage) = damage {
            self.found(damage);
        }
    }

    fn begin(&mut self) {
        let segments = self.work.manifest.iter().flat_map(|manifest| &manifest.segments);
        let sources: Vec<_> =
            segments.flat_map(|s| [Source::Index(*s), Source::Segment(*s)]).collect();
        let checked = &mut self.work.checked;
        checked.objects_total += count(sources.len()) + count(self.work.batches.len());
        let manifest = self.work.manifest.iter();
        let segments = manifest.flat_map(|manifest| &manifest.segments).map(|s| s.bytes);
        let batches = self.work.batches.iter().map(|batch| batch.size);
        checked.bytes_total = segments.chain(batches).fold(0, u64::saturating_add);
        self.read(sources);
        self.stage = Stage::Segments;
    }

    fn read(&mut self, sources: Vec<Source>) {
        let (store, log) = (self.catalog.store.clone(), self.catalog.name.clone());
        self.reading = Some(SourceReader::new(store, log, sources));
    }

    fn read_on(&mut self) -> Result<(), Error> {
        let Some(mut reading) = self.reading.take() else { return Ok(()) };
        let (log, work) = (&self.catalog.name, &mut self.work);
        match reading.next() {
            Ok(Some(chunk)) => {
                chunk.spans.iter().for_each(|span| work.met(span, log));
                self.reading = Some(reading);
            }
            Ok(None) => self.end_stage(),
            Err(Interrupted::Failed(Error::Damaged(damage))) => {
                self.work.found(damage);
                self.skip_one(reading);
            }
            Err(Interrupted::Failed(error)) => {
                self.read_again(reading);
                return Err(error);
            }
            // Batches without events, as old ones can be, are deleted without a commit.
            Err(Interrupted::Gone(source)) if matches!(&*source, Source::Batch(batch) if batch.name.origin.is_none()) =>
            {
                self.begin_anew()?;
            }
            Err(Interrupted::Gone(source)) => match self.has_changed() {
                Ok(true) => {}
                Ok(false) => {
                    self.missing(source.name());
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

    /// Goes on with what was not read whole, which counts anew.
    fn read_again(&mut self, reading: SourceReader<S>) {
        let (rest, progress) = reading.into_remaining();
        let manifest = self.work.manifest.as_ref();
        let first = manifest.and_then(|manifest| manifest.segments.first()).copied();
        let is_first = first.is_some_and(|first| rest.contains(&Source::Segment(first)));
        let checked = &mut self.work.checked;
        let trimmed = if is_first { std::mem::take(&mut checked.trimmed_events) } else { 0 };
        let events = progress.events.saturating_sub(trimmed);
        checked.events = checked.events.saturating_sub(events);
        checked.bytes = checked.bytes.saturating_sub(progress.bytes);
        self.work.in_batch = 0;
        self.read(rest);
    }

    /// Goes on behind a damaged object; a segment without its index cannot be checked.
    fn skip_one(&mut self, reading: SourceReader<S>) {
        let (mut rest, _) = reading.into_remaining();
        let skipped = if matches!(rest.first(), Some(Source::Index(_))) { 2 } else { 1 };
        rest.drain(..skipped.min(rest.len()));
        self.work.in_batch = 0;
        self.read(rest);
    }

    fn end_stage(&mut self) {
        if self.stage != Stage::Segments {
            self.stage = Stage::Report;
            return;
        }
        let manifest = self.work.manifest.iter();
        let segments: usize = manifest.map(|manifest| manifest.segments.len()).sum();
        self.work.checked.objects += count(segments.saturating_mul(2));
        let absorbed = std::mem::take(&mut self.work.absorbed);
        let batches = std::mem::take(&mut self.work.batches).into_iter();
        let (absorbed, live): (Vec<_>, Vec<_>) =
            batches.partition(|batch| absorbed.contains_key(&digest(&batch.name)));
        self.work.checked.objects_total -= count(absorbed.len());
        let absorbed_bytes = absorbed.iter().map(|batch| batch.size).fold(0, u64::saturating_add);
        let bytes_total = &mut self.work.checked.bytes_total;
        *bytes_total = bytes_total.saturating_sub(absorbed_bytes);
        for batch in absorbed {
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

    fn found(&mut self, damage: Damage) {
        self.work.found(damage.with_key(&self.catalog.name));
    }

    /// An object is gone, and nobody has compacted.
    fn missing(&mut self, object: impl std::fmt::Display) {
        self.found(Damage::new(object, "an object that belongs to the log", "no such object"));
    }

    /// Whether somebody has compacted: then the work begins anew.
    fn has_changed(&mut self) -> Result<bool, Error> {
        if self.catalog.highest_generation()? == self.work.generation {
            return Ok(false);
        }
        self.begin_anew()?;
        Ok(true)
    }

    fn begin_anew(&mut self) -> Result<(), Error> {
        self.changes += 1;
        self.stage = Stage::Load;
        self.reading = None;
        if self.changes <= MISSING_TRIES {
            return Ok(());
        }
        let log = self.catalog.name.as_str();
        let message = format!("log {log} is compacted faster than it can be verified: try later");
        Err(Error::StoreFailed { message, transient: true })
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// What is wrong with a manifest of a log with this identity, if that is known.
fn of_another_log(
    log: Option<LogId>,
    generation: Generation,
    found: Option<LogId>,
) -> Option<Damage> {
    let expected = log.filter(|log| found != Some(*log))?;
    let found = found.map_or("no identity".to_owned(), |log| log.to_string());
    let expected = format!("the identity {expected} of the manifests before");
    Some(Damage::new(generation, expected, found))
}

/// What is wrong between two manifests that are kept, the older one first. The first may be followed
/// by one of a much later generation.
pub(crate) fn out_of_order(before: &Manifest, after: &Manifest) -> Option<Damage> {
    let follows = after.generation.0 == before.generation.0.saturating_add(1);
    // What the later one says was checked with its own digest.
    if let (true, Some(expected)) = (follows, after.previous)
        && before.digest != Some(expected)
    {
        let found = before.digest.map_or("nothing".to_owned(), |found| format!("xxh3 {found}"));
        let expected = format!("xxh3 {expected}, as {} says", after.generation);
        return Some(Damage::new(before.generation, expected, found));
    }
    let backward = after.first_position < before.first_position
        || after.next_position < before.next_position
        || after.absorbed_bytes < before.absorbed_bytes;
    backward.then(|| {
        let positions = |m: &Manifest| {
            format!(
                "positions {} to {} and {} bytes absorbed",
                m.first_position, m.next_position, m.absorbed_bytes
            )
        };
        let expected = format!("at least the {} of {}", positions(before), before.generation);
        Damage::new(after.generation, expected, positions(after))
    })
}
