//! A feed that crashes at each of its calls, and is continued from its record.

use rig::crashing::Crashing;
use rig::faults::Fault;
use rig::memory::{LOG, Memory, log};
use rig::native::NativeSystem;
use stratalog_guest::decide::options::{CompactInput, OptionsInput};
use stratalog_guest::drive::compactor;
use stratalog_guest::drive::reader::{ReadOptions, Reader};
use stratalog_guest::drive::verifier::Verifier;
use stratalog_guest::drive::writer::Writer;
use stratalog_guest::drive::writer::feed::Resumed;
use stratalog_guest::error::Error;
use stratalog_guest::format::names::BatchName;

const EVENTS: usize = 10;

const TROUBLES: [&[Fault]; 5] = [
    &[Fault::CrashBefore],
    &[Fault::CrashAfter],
    &[Fault::ReplyLost, Fault::CrashBefore],
    &[Fault::Refused, Fault::CrashAfter],
    &[Fault::LandsLate, Fault::CrashBefore],
];

/// The durable record of a source: the events that are sealed, and the batches that may be stored.
#[derive(Default)]
struct Record {
    next: usize,
    sealed: Vec<(BatchName, usize)>,
}

fn lines(first: usize) -> Vec<u8> {
    format!("{first}\n{}\n", first + 1).into_bytes()
}

/// Runs a process until it has appended everything, or crashes.
fn run(store: &Crashing, system: &NativeSystem, record: &mut Record) -> Result<(), Error> {
    let options = OptionsInput { creates_max: Some(2), ..OptionsInput::default() };
    let (store, system) = (store.clone(), system.clone());
    if !record.sealed.is_empty() {
        let names: Vec<_> = record.sealed.iter().map(|(name, _)| *name).collect();
        let resumed = Writer::resume(store.clone(), system.clone(), LOG, options, &names)?;
        let Resumed { mut writer, stored, may_be_trimmed } = resumed;
        assert!(!may_be_trimmed);
        for (name, first) in &record.sealed[stored..] {
            writer.seal_lines(lines(*first), Some(*name))?;
        }
        writer.close()?;
        record.sealed.clear();
    }
    let mut writer = Writer::open(store, system, LOG, options)?;
    while record.next < EVENTS {
        let first = record.next;
        record.sealed.push((writer.seal_lines(lines(first), None)?, first));
        record.next += 2;
        writer.start();
        if record.sealed.len() == 2 {
            writer.flush()?;
            record.sealed.clear();
        }
    }
    writer.close()?;
    record.sealed.clear();
    Ok(())
}

fn read(store: &Crashing) -> Vec<usize> {
    let mut reader = Reader::new(store.clone(), log(), ReadOptions::default()).unwrap();
    let mut events = Vec::new();
    while let Some(page) = reader.next_page().unwrap() {
        let lines = String::from_utf8(page.lines.unwrap_or_default()).unwrap();
        events.extend(lines.lines().map(|line| line.parse::<usize>().unwrap()));
    }
    events
}

fn check(store: &Crashing, what: &str) {
    assert_eq!(read(store), (0..EVENTS).collect::<Vec<_>>(), "{what}");
    let mut verifier = Verifier::new(store.clone(), log());
    while let Some(step) = verifier.step().unwrap() {
        assert_eq!(step.findings, [], "{what}");
    }
}

/// Returns false if there are fewer calls.
fn crashed_at(call: usize, faults: &'static [Fault], compacted: bool) -> bool {
    let (store, system) = (Crashing::new(Memory::default()), NativeSystem::default());
    store.arm(call, faults);
    let mut record = Record::default();
    let mut outcome = run(&store, &system, &mut record);
    let Some(failed) = store.failed() else {
        outcome.unwrap();
        check(&Crashing::new(store.memory.clone()), "without a fault");
        return false;
    };
    let what = format!("call {call}, {failed}: {faults:?}, compacted: {compacted}");
    // The next processes have no such trouble.
    let restarted = Crashing::new(store.memory.clone());
    if compacted {
        let options = CompactInput { full: true, ..CompactInput::default() };
        match compactor::compact(restarted.clone(), &system, log(), options) {
            Ok(_) | Err(Error::NoLog(_)) => {}
            Err(error) => panic!("{what}: {error}"),
        }
    }
    if outcome.is_err() {
        outcome = run(&restarted, &system, &mut record);
    }
    outcome.unwrap_or_else(|error| panic!("{what}: {error}"));
    check(&restarted, &what);
    // A create that was still on its way lands in the end.
    store.land();
    check(&restarted, &what);
    true
}

#[test]
fn feed_is_continued_after_a_crash_at_any_call() {
    for faults in TROUBLES {
        for compacted in [false, true] {
            let mut call = 0;
            while crashed_at(call, faults, compacted) {
                call += 1;
            }
            assert!(call >= 6, "{call} calls: the feed did not do its work");
        }
    }
}
