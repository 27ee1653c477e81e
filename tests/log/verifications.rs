//! Verifications of a log that is compacted while they read it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use rig::altered::{Alter, Altered};
use rig::memory::{Memory, log};
use rig::native::NativeSystem;
use stratalog_guest::decide::options::{CompactInput, OptionsInput};
use stratalog_guest::drive::compactor::compact;
use stratalog_guest::drive::repair::repair;
use stratalog_guest::drive::stat::stat;
use stratalog_guest::drive::verifier::{Finding, Verifier, VerifyProgress};
use stratalog_guest::drive::writer::Writer;
use stratalog_guest::error::Error;
use stratalog_guest::ports::Store as _;

/// The size of an event, with its line feed.
const EVENT_BYTES: usize = 1_000;

/// A change of a log before a read of a segment or a batch, of which it gets the number.
type Change = dyn Fn(&Changing, usize);

/// A log in memory that changes while it is verified.
#[derive(Clone, Default)]
struct Changing {
    memory: Memory,
    system: NativeSystem,
    /// The number of reads of segments and batches.
    reads: Rc<Cell<usize>>,
    bytes_read: Rc<Cell<usize>>,
    /// The keys of the objects that were read.
    keys: Rc<RefCell<Vec<String>>>,
    change: Option<Rc<Change>>,
}

impl Alter for Changing {
    fn got(&self, key: &str, bytes: &mut Vec<u8>) {
        if !key.ends_with(".jsonl") {
            return;
        }
        self.bytes_read.set(self.bytes_read.get() + bytes.len());
        self.keys.borrow_mut().push(key.to_owned());
        self.reads.set(self.reads.get() + 1);
        if let Some(change) = &self.change {
            change(self, self.reads.get());
        }
    }
}

impl Changing {
    /// Appends batches of one event each.
    fn append(&self, batches: usize) {
        let options = OptionsInput { flush_threshold: Some(1), ..OptionsInput::default() };
        let (memory, system) = (self.memory.clone(), self.system.clone());
        let mut writer = Writer::open(memory, system, "log", options).unwrap();
        (0..batches).for_each(|_| writer.append(&[b'x'; EVENT_BYTES - 1]).unwrap());
        writer.close().unwrap();
    }

    fn compact(&self, full: bool) {
        let options = CompactInput { full, fan_in: Some(2), ..CompactInput::default() };
        compact(self.memory.clone(), &self.system, log(), options).unwrap();
    }

    fn put(&self, key: &str, bytes: &[u8]) {
        self.memory.delete_one(key);
        self.memory.create(key, bytes).unwrap();
    }

    /// Damages the last byte of each object whose key has these words. Returns their keys.
    fn damage(&self, words: &str) -> Vec<String> {
        let objects = self.memory.objects().into_iter();
        let damaged = objects.filter(|(key, _)| key.contains(words) && key.ends_with(".jsonl"));
        let damaged = damaged.map(|(key, bytes)| {
            let mut bytes = bytes.to_vec();
            *bytes.last_mut().unwrap() = b'y';
            self.put(&key, &bytes);
            key
        });
        damaged.collect()
    }

    /// Verifies the log, which changes while it is read.
    fn verify(
        &self,
        change: impl Fn(&Self, usize) + 'static,
    ) -> Result<(VerifyProgress, Vec<Finding>), Error> {
        self.reads.set(0);
        self.bytes_read.set(0);
        self.keys.take();
        let change: Rc<Change> = Rc::new(change);
        let alter = Self { change: Some(change), ..self.clone() };
        let mut verifier = Verifier::new(Altered::new(&self.memory, alter), log());
        let (mut last, mut findings) = (VerifyProgress::default(), Vec::new());
        while let Some(step) = verifier.step()? {
            findings.extend(step.findings.clone());
            last = step;
        }
        Ok((last, findings))
    }

    /// Checks what a verification of the log says when nothing changes.
    fn check_at_rest(&self) {
        let (checked, findings) = self.verify(|_, _| {}).unwrap();
        assert_eq!(findings, []);
        assert_eq!(checked.objects, checked.objects_total);
        assert_eq!(checked.bytes, checked.bytes_total);
        let stats = stat(self.memory.clone(), log()).unwrap();
        assert_eq!((checked.events, checked.bytes), (stats.events, stats.bytes));
    }
}

fn is_damage(finding: &Finding) -> bool {
    matches!(finding, Finding::Damaged(_))
}

#[test]
fn verification_ends_while_compactions_change_the_log_at_each_read() {
    for full in [false, true] {
        let log = Changing::default();
        for _ in 0..40 {
            log.append(3);
            log.compact(false);
        }
        log.append(5);
        let before = stat(log.memory.clone(), rig::memory::log()).unwrap();
        // Whatever is read next has been replaced.
        let (checked, findings) = log
            .verify(move |log, _| {
                log.append(2);
                log.compact(full);
                log.append(1);
            })
            .unwrap();
        assert!(!findings.iter().any(is_damage), "{findings:?}");
        let after = stat(log.memory.clone(), rig::memory::log()).unwrap();
        assert!(
            (before.events..=after.events).contains(&checked.events),
            "{} {} {}",
            before.events,
            checked.events,
            after.events
        );
        // Each event is read once, but for those that a compaction has moved into a segment whose
        // read was in progress, and for live batches that were absorbed.
        let stored = usize::try_from(after.bytes).unwrap();
        assert!(log.bytes_read.get() < 3 * stored, "{} of {stored}", log.bytes_read.get());
        log.check_at_rest();
    }
}

#[test]
fn verification_that_advances_loads_the_log_as_often_as_it_changes() {
    let log = Changing::default();
    log.append(200);
    // Each read is the last one before the next batches are absorbed.
    let (checked, findings) = log
        .verify(|log, _| {
            let options =
                CompactInput { batches_max: Some(2), fan_in: Some(64), ..CompactInput::default() };
            compact(log.memory.clone(), &log.system, rig::memory::log(), options).unwrap();
        })
        .unwrap();
    assert_eq!((checked.events, findings), (200, Vec::new()));
    let generation = stat(log.memory.clone(), rig::memory::log()).unwrap().generation.0;
    // Far more often than a load is repeated in vain.
    assert!(generation > 80, "{generation}");
}

#[test]
fn verification_reads_no_segment_again_that_it_has_checked() {
    let log = Changing::default();
    log.append(40);
    log.compact(true);
    let first = log.memory.objects().into_keys().find(|key| key.contains("segment_")).unwrap();
    let first = first.replace(".index", ".jsonl");
    for _ in 0..3 {
        log.append(4);
    }
    let (checked, findings) = log
        .verify(|log, read| {
            if read < 20 {
                log.append(1);
                log.compact(false);
            }
        })
        .unwrap();
    assert!(!findings.iter().any(is_damage), "{findings:?}");
    assert!(checked.events >= 52, "{checked:?}");
    let reads = log.keys.borrow().iter().filter(|key| **key == first).count();
    assert_eq!(reads, 1, "{:?}", log.keys);
}

#[test]
fn verification_counts_each_batch_once_that_is_absorbed_meanwhile() {
    let log = Changing::default();
    log.append(30);
    // All but the first are gone when they are read, and in a segment.
    let (checked, findings) = log
        .verify(|log, read| {
            if read == 1 {
                log.compact(true);
            }
        })
        .unwrap();
    assert_eq!(findings, []);
    assert_eq!((checked.events, checked.bytes), (30, 30 * EVENT_BYTES as u64));
    assert_eq!((checked.objects, checked.objects_total), (3, 3));
    // Those that are new since are not part of it.
    log.append(30);
    let (checked, _) = log
        .verify(|log, read| {
            if read == 2 {
                log.compact(true);
                log.append(7);
            }
        })
        .unwrap();
    assert_eq!(checked.events, 60);
    log.check_at_rest();
}

#[test]
fn damage_stays_a_finding_when_the_log_changes_behind_it() {
    let log = Changing::default();
    log.append(40);
    log.compact(true);
    let damaged = log.damage("segment_");
    log.append(4);
    let (checked, findings) = log
        .verify(|log, read| {
            if read < 30 {
                log.append(2);
                log.compact(false);
            }
        })
        .unwrap();
    let found: Vec<_> = findings.iter().filter(|finding| is_damage(finding)).collect();
    let [Finding::Damaged(damage)] = found[..] else { panic!("{findings:?}") };
    assert_eq!(damage.object, damaged[0]);
    // All batches of the segment but the damaged one.
    assert!(checked.events >= 43, "{checked:?}");
}

#[test]
fn damage_that_is_repaired_meanwhile_is_no_finding() {
    let log = Changing::default();
    log.append(40);
    log.compact(true);
    assert_eq!(log.damage("segment_").len(), 1);
    log.append(4);
    let (checked, findings) = log
        .verify(|log, _| {
            // Once the damage is found, the next object is a live batch.
            let batches = |key: &String| key.contains("/batch_");
            if log.keys.borrow().iter().filter(|key| batches(key)).count() == 1 {
                repair(log.memory.clone(), &log.system, rig::memory::log(), false).unwrap();
                log.compact(true);
            }
        })
        .unwrap();
    assert!(!findings.iter().any(is_damage), "{findings:?}");
    assert_eq!(checked.events, 43);
}

#[test]
fn verification_of_a_log_that_another_replaces_begins_again() {
    let log = Changing::default();
    log.append(20);
    log.compact(true);
    log.append(10);
    let other = Changing::default();
    other.append(6);
    other.compact(true);
    let objects = other.memory.objects();
    let (checked, findings) = log
        .verify(move |log, read| {
            if read == 2 {
                log.memory.objects().keys().for_each(|key| log.memory.delete_one(key));
                objects.iter().for_each(|(key, bytes)| log.put(key, bytes));
                log.compact(true);
                log.append(1);
                log.compact(true);
            }
        })
        .unwrap();
    assert_eq!(findings, []);
    assert_eq!(checked.events, 7);
}
