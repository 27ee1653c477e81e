//! Each operation, ended or left in doubt at each of its calls to the store. In every case the log
//! continues. Every acknowledged event is there once and in order, earlier positions are valid, and
//! the next compaction leaves no garbage.

mod aftermath;
mod copies;
mod feeds;
mod in_flight;
mod trims;

use std::cell::RefCell;
use std::rc::Rc;

use aftermath::{Expected, append, behind_a_gap, compact_others, manifest, open_with};
use rig::crashing::Crashing;
use rig::faults::Fault;
use rig::memory::{LOG, Memory, Objects, log};
use rig::native::NativeSystem;
use stratalog_guest::decide::options::CompactInput;
use stratalog_guest::drive::compactor;
use stratalog_guest::drive::trimmer::{self, TrimOptions, TrimPoint};
use stratalog_guest::drive::verifier::{Verifier, VerifyProgress};
use stratalog_guest::error::Error;

/// The operation itself, after its preparation. It reports its effects.
type Operation = Box<dyn FnOnce(&mut Expected)>;
type Prepare = dyn Fn(&Crashing, &NativeSystem) -> Operation;

/// The faults of a call, and of those after it.
const TROUBLES: [&[Fault]; 6] = [
    &[Fault::CrashBefore],
    &[Fault::CrashAfter],
    &[Fault::ReplyLost],
    &[Fault::Refused],
    &[Fault::ReplyLost, Fault::Refused],
    &[Fault::LandsLate],
];

/// Runs an operation on the same log repeatedly: with faults at its first call, at its second, and
/// so on until it has no more.
fn at_every_call(calls_min: usize, prepare: &Prepare) {
    let (objects, expected, system) = Expected::log_of_segments_and_batches();
    for faults in TROUBLES {
        let mut number = 0;
        while at_call(number, faults, &objects, &expected, &system, prepare) {
            number += 1;
        }
        assert!(number >= calls_min, "{number} calls: the operation did not do its work");
    }
}

/// Returns false if the operation has fewer calls.
fn at_call(
    number: usize,
    faults: &'static [Fault],
    objects: &Objects,
    expected: &Expected,
    system: &NativeSystem,
    prepare: &Prepare,
) -> bool {
    for land_last in [false, true] {
        if land_last && !faults.contains(&Fault::LandsLate) {
            continue;
        }
        eprintln!("--- call {number}: {faults:?}, at the very end: {land_last}");
        let system = repeated(system);
        let mut expected = expected.clone();
        let store = Crashing::new(Memory::of(objects.clone()));
        let operation = prepare(&store, &system);
        store.arm(number, faults);
        operation(&mut expected);
        let Some(call) = store.failed() else {
            // The log without a fault is right, too.
            expected.check_all(&store.memory, &system);
            return false;
        };
        eprintln!("    {call}");
        if !land_last {
            store.land();
        }
        expected.check_all(&store.memory, &system);
        if land_last {
            store.land();
            expected.check_all(&store.memory, &system);
        }
    }
    true
}

/// Verifies a log, and retries after a failure. Returns the counts and all findings.
fn verify(store: &Crashing) -> VerifyProgress {
    let mut verifier = Verifier::new(store.clone(), log());
    let (mut checked, mut findings) = (VerifyProgress::default(), Vec::new());
    let mut failures = 0;
    loop {
        match verifier.step() {
            Ok(Some(step)) => {
                checked = step;
                findings.append(&mut checked.findings);
            }
            Ok(None) => return VerifyProgress { findings, ..checked },
            Err(Error::StoreFailed { .. }) if failures == 0 => failures += 1,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn verify_resumes_after_a_call_that_failed() {
    let (objects, ..) = Expected::log_of_segments_and_batches();
    let store = || Crashing::new(Memory::of(objects.clone()));
    let whole = verify(&store());
    assert!(whole.events > 0 && whole.findings.is_empty(), "{whole:?}");
    let mut calls = 0;
    loop {
        let store = store();
        store.arm(calls, &[Fault::Refused]);
        let found = verify(&store);
        let Some(call) = store.failed() else { break };
        assert_eq!(found, whole, "call {calls}: {call}");
        calls += 1;
    }
    assert!(calls >= 20, "{calls}");
}

/// Makes a separate clock and randomness, which continue from the same state.
fn repeated(system: &NativeSystem) -> NativeSystem {
    let repeated = NativeSystem::default();
    repeated.clock.set(system.clock.micros());
    *repeated.random.lock().unwrap() = *system.random.lock().unwrap();
    repeated
}

fn compact_with(options: CompactInput) -> impl Fn(&Crashing, &NativeSystem) -> Operation {
    move |store, system| {
        let (store, system) = (store.clone(), system.clone());
        Box::new(move |_| {
            // It may fail, but it damages nothing and finds nothing damaged.
            let done = compactor::compact(store, &system, log(), options);
            if let Err(Error::Damaged(damage)) = done {
                panic!("{damage}");
            }
        })
    }
}

/// The events of the tests below: of a writer that seals every two.
fn new_events() -> Vec<String> {
    (0..9).map(|number| format!("new {number}")).collect()
}

#[test]
fn append_and_flush() {
    for creates_max in [1, 2, 4] {
        at_every_call(5, &move |store, system| {
            let mut writer = open_with(store.clone(), system, 2, creates_max);
            let store = store.clone();
            Box::new(move |expected| {
                // Sealed at two events, at four and so on, and by the flush.
                let events = new_events();
                for event in &events {
                    // Only a full buffer refuses an event.
                    writer.append(event.as_bytes()).unwrap();
                }
                match writer.flush() {
                    Ok(written) => {
                        assert_eq!(written.events, 9);
                        expected.events.extend(events);
                    }
                    Err(_) => expected.perhaps.extend(events),
                }
                let stranded = behind_a_gap(&store.memory).len();
                assert!(stranded < usize::try_from(creates_max).unwrap(), "{stranded}");
            })
        });
    }
}

#[test]
fn append_and_flush_again_and_again() {
    for creates_max in [1, 2, 4] {
        at_every_call(5, &move |store, system| {
            let mut writer = open_with(store.clone(), system, 2, creates_max);
            let store = store.clone();
            Box::new(move |expected| {
                let events = new_events();
                for event in &events {
                    writer.append(event.as_bytes()).unwrap();
                }
                for _ in 0..3 {
                    if writer.flush().is_ok() {
                        // An object that lands now exists, perhaps under another name.
                        store.land();
                        assert!(behind_a_gap(&store.memory).is_empty());
                        return expected.events.extend(events);
                    }
                }
                expected.perhaps.extend(events);
            })
        });
    }
}

#[test]
fn open_a_log() {
    at_every_call(1, &|store, system| {
        let (store, system) = (store.clone(), system.clone());
        Box::new(move |_| {
            let before = store.memory.objects();
            let input = Default::default();
            drop(stratalog_guest::drive::writer::Writer::open(store.clone(), system, LOG, input));
            assert_eq!(store.memory.objects(), before);
        })
    });
}

#[test]
fn compact_that_absorbs() {
    at_every_call(18, &compact_with(CompactInput { fan_in: Some(64), ..<_>::default() }));
}

#[test]
fn compact_that_merges() {
    at_every_call(40, &compact_with(CompactInput { fan_in: Some(2), ..<_>::default() }));
}

#[test]
fn compact_into_several_segments() {
    let small = CompactInput { segment_bytes_max: Some(40), fan_in: Some(2), ..<_>::default() };
    at_every_call(40, &compact_with(CompactInput { full: true, ..small }));
    at_every_call(15, &compact_with(small));
}

#[test]
fn full_compact() {
    at_every_call(40, &compact_with(CompactInput { full: true, ..<_>::default() }));
}

#[test]
fn compact_of_some_batches() {
    let some = CompactInput { batches_max: Some(2), fan_in: Some(64), ..<_>::default() };
    at_every_call(15, &compact_with(some));
}

#[test]
fn compact_that_only_removes_garbage() {
    at_every_call(8, &|store, system| {
        // Another compactor has just absorbed everything and could delete nothing.
        let others = Crashing::new(store.memory.clone());
        others.before("delete", {
            let others = others.clone();
            move || others.arm(0, &[Fault::CrashBefore])
        });
        compactor::compact(others, system, log(), CompactInput::default()).unwrap();
        compact_with(CompactInput::default())(store, system)
    });
}

/// Runs a compaction, while others act right before one of its calls. They append events and
/// compact, as many times as given.
fn overtaken(
    options: CompactInput,
    before: &'static str,
    times: usize,
) -> impl Fn(&Crashing, &NativeSystem) -> Operation {
    move |store, system| {
        let appended: Rc<RefCell<Vec<String>>> = Rc::default();
        store.before(before, {
            let (memory, system, appended) =
                (store.memory.clone(), system.clone(), appended.clone());
            move || {
                for time in 0..times {
                    compact_others(&memory, &system);
                    for event in [format!("others {time}"), format!("more {time}")] {
                        append(&memory, &system, std::slice::from_ref(&event));
                        appended.borrow_mut().push(event);
                    }
                }
            }
        });
        let compact = compact_with(options)(store, system);
        Box::new(move |expected| {
            compact(expected);
            expected.events.extend(appended.take());
        })
    }
}

#[test]
fn compact_that_loses_the_race() {
    let options = CompactInput { fan_in: Some(2), ..<_>::default() };
    at_every_call(40, &overtaken(options, "create-exclusive log/manifest_", 1));
}

#[test]
fn compact_of_objects_that_others_compact_meanwhile() {
    let options = CompactInput { fan_in: Some(2), ..<_>::default() };
    at_every_call(30, &overtaken(options, "read log/segment_", 1));
    at_every_call(30, &overtaken(options, "read log/batch_", 1));
}

#[test]
fn compact_that_commits_a_number_long_passed() {
    // Enough commits that the manifest it is about to create has been deleted again.
    let options = CompactInput { fan_in: Some(2), ..<_>::default() };
    at_every_call(40, &overtaken(options, "create-exclusive log/manifest_", 11));
}

#[test]
fn compact_whose_manifest_is_gone_after_its_commit() {
    // A call that it only makes after a lost reply.
    let options = CompactInput { fan_in: Some(64), ..<_>::default() };
    at_every_call(15, &overtaken(options, "get log/manifest_0000000000000000012", 11));
}

#[test]
fn full_compact_next_to_one_that_only_removes_garbage() {
    at_every_call(40, &|store, system| {
        compact_others(&store.memory, system);
        let (memory, others) = (store.memory.clone(), system.clone());
        store.before("create-exclusive log/manifest_", move || compact_others(&memory, &others));
        compact_with(CompactInput { full: true, ..<_>::default() })(store, system)
    });
}
