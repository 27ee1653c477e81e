//! Random schedules of the log in a simulated world: concurrent writers, readers, compactors,
//! trims, damage and repairs, and everything that can go wrong between them. `rig/sim.rs` describes
//! the world. `rig/sim/history.rs` and `rig/sim/expectation.rs` describe the checks.
//!
//! `STRATALOG_SEEDS=N` runs more seeds, with `STRATALOG_FIRST=S` from S on. `STRATALOG_SEED=S` runs
//! one of them, and `STRATALOG_TRACE=1` with it shows its trace.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rig::sim::component::Engine;
use rig::sim::logic::Subject;
use rig::sim::schedule::run;
use rig::sim::trace::{Trace, first_difference};
use stratalog_guest::mutants::{self, Mutant};

/// Schedules of the logic, run natively.
const SEEDS: u64 = 20_000;

/// Schedules of the component: enough for long ones with crashes and stalls, too.
const COMPONENT_SEEDS: u64 = 500;

/// Seeds within which each broken rule is noticed.
const SEEDS_TO_NOTICE: u64 = 20_000;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

/// Runs seeds on all processors until one fails. Fails with the lowest failed seed and its failure.
/// Otherwise returns one number that stands for all traces.
fn run_all(
    seeds: Range<u64>,
    run: impl Fn(u64) -> Result<Trace, String> + Sync,
) -> Result<u64, (u64, String)> {
    let next = AtomicU64::new(seeds.start);
    let traces = AtomicU64::new(0);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return None;
            }
            match run(seed) {
                // The order in which seeds end does not count.
                Ok(trace) => {
                    traces.fetch_add(trace.hash().wrapping_mul(seed | 1), Ordering::Relaxed);
                }
                Err(failure) => {
                    next.store(seeds.end, Ordering::Relaxed);
                    return Some((seed, failure));
                }
            }
        }
    };
    let failed = std::thread::scope(|scope| {
        let workers = std::thread::available_parallelism().map_or(2, usize::from);
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().filter_map(|worker| worker.join().unwrap()).min()
    });
    failed.map_or(Ok(traces.into_inner()), Err)
}

/// Runs a seed natively, with a rule broken or none.
fn run_natively(seed: u64, broken: Option<Mutant>) -> Result<Trace, String> {
    mutants::set(broken);
    let (trace, outcome) = run(seed, &Subject::Native, false);
    outcome.map(|()| trace)
}

/// Runs a seed natively and with the component, and compares the traces.
fn run_both(seed: u64, component: &Subject) -> Result<Trace, String> {
    let (native, expected) = run(seed, &Subject::Native, false);
    let (trace, outcome) = run(seed, component, false);
    if (trace.hash(), &outcome) == (native.hash(), &expected) {
        return outcome.map(|()| trace);
    }
    let (native, _) = run(seed, &Subject::Native, true);
    let (trace, _) = run(seed, component, true);
    let difference = first_difference(native.text(), trace.text());
    Err(format!("natively {expected:?}, the component {outcome:?}; {difference}"))
}

/// Prints the number and speed of the seeds, or the command that repeats the failed one.
fn report(what: &str, seeds: u64, start: Instant, outcome: Result<u64, (u64, String)>, test: &str) {
    match outcome {
        Ok(traces) => {
            let seconds = start.elapsed().as_secs_f64();
            let rate = f64::from(u32::try_from(seeds).unwrap()) / seconds;
            println!("{seeds} {what}, {rate:.0} a second; their traces: {traces:016x}");
        }
        Err((seed, failure)) => panic!(
            "seed {seed}: {failure}\nrepeat it: STRATALOG_SEED={seed} STRATALOG_TRACE=1 cargo test \
             --release --workspace --test simulation {test} -- --nocapture"
        ),
    }
}

#[test]
fn every_schedule_keeps_every_flushed_event_once_and_in_order() {
    if let Some(seed) = number("STRATALOG_SEED") {
        let (trace, outcome) = run(seed, &Subject::Native, number("STRATALOG_TRACE").is_some());
        println!("{}seed {seed}: trace {:016x}", trace.text(), trace.hash());
        outcome.unwrap();
        return;
    }
    let seeds = number("STRATALOG_SEEDS").unwrap_or(SEEDS);
    let first = number("STRATALOG_FIRST").unwrap_or(0);
    let start = Instant::now();
    let outcome = run_all(first..first + seeds, |seed| run_natively(seed, None));
    report("schedules", seeds, start, outcome, "every_schedule");
}

#[test]
fn same_seed_is_the_same_run() {
    let trace = |seed| run_natively(seed, None).unwrap().hash();
    let traces: Vec<_> = (0..50).map(trace).collect();
    assert_eq!(traces, (0..50).map(trace).collect::<Vec<_>>());
    assert_eq!(traces.iter().collect::<BTreeSet<_>>().len(), 50);
}

/// The shipped component matches the native logic: the same store operations in the same order with
/// the same bytes, and the same answers to each call.
#[test]
fn component_does_the_same_as_the_native_logic() {
    let component = Subject::Component(Box::new(Engine::new().unwrap()));
    if let Some(seed) = number("STRATALOG_SEED") {
        run_both(seed, &component).unwrap();
        return;
    }
    let start = Instant::now();
    let outcome = run_all(0..COMPONENT_SEEDS, |seed| run_both(seed, &component));
    report("schedules of the component", COMPONENT_SEEDS, start, outcome, "component_does");
}

#[test]
fn every_broken_rule_is_noticed() {
    // Rules that need 64 generations, or a commit of a position that was deleted, are broken in
    // `guest/src/drive/tests/broken.rs`, and so are those of a parked writer or reader that need a
    // listing of an earlier state, a clock that does not step back, or other options. Of the rules
    // about contradictory listings, each makes up for another.
    // `tests/log/incomplete_listings.rs` breaks them one by one, where nothing else helps, and the
    // model breaks all of them.
    let mut escaped = Vec::new();
    for (mutant, name) in [
        (Mutant::ListOnce, "list-once"),
        (Mutant::ManifestFirst, "reader-manifest-first"),
        (Mutant::RenameOnRetry, "rename-on-retry"),
        (Mutant::ForgetSeen, "forget-seen"),
        (Mutant::DeleteOwn, "delete-own"),
        (Mutant::PendingLast, "pending-last"),
        (Mutant::KeepNewer, "keep-newer"),
        (Mutant::DeleteFirst, "delete-first"),
        (Mutant::SegmentFirst, "segment-first"),
        (Mutant::DiscardInDoubt, "discard-in-doubt"),
        (Mutant::CopyTrimmed, "copy-trimmed"),
        (Mutant::LeaveBoundary, "leave-boundary"),
        (Mutant::ForgetOffset, "forget-offset"),
        (Mutant::RebuildUnproven, "rebuild-unproven"),
        (Mutant::RebuildInPlace, "rebuild-in-place"),
        (Mutant::StepBackUnproven, "step-back-unproven"),
        (Mutant::LoseWhole, "lose-whole"),
        (Mutant::AcknowledgeEarly, "acknowledge-early"),
        (Mutant::ShowGap, "show-gap"),
        (Mutant::AbsentIsAbsorbed, "absent-is-absorbed"),
        (Mutant::ForgetRetired, "forget-retired"),
        (Mutant::KnownByName, "known-by-name"),
        (Mutant::DecideByOneLoad, "decide-by-one-load"),
        (Mutant::ForgetPartlyYielded, "forget-partly-yielded"),
        (Mutant::KeepPassedWriter, "keep-passed-writer"),
        (Mutant::MiscountYielded, "miscount-yielded"),
        (Mutant::TailByName, "tail-by-name"),
        (Mutant::PollBatchesOnly, "poll-batches-only"),
        (Mutant::VerifyFirstLook, "verify-first-look"),
        (Mutant::VerifyFromEnd, "verify-from-end"),
        (Mutant::StepOverUnconfirmed, "step-over-unconfirmed"),
        (Mutant::ConflictIgnored, "conflict-ignored"),
        (Mutant::TrimPastNames, "trim-past-names"),
        (Mutant::ParkedWithoutWriter, "parked-without-writer"),
        (Mutant::ParkedWithoutTime, "parked-without-time"),
        (Mutant::ParkedWithoutNumber, "parked-without-number"),
        (Mutant::ParkedWithoutWritten, "parked-without-written"),
        (Mutant::ParkedWithoutOptions, "parked-without-options"),
        (Mutant::ParkedWithoutEvents, "parked-without-events"),
        (Mutant::ParkedReaderWithoutYielded, "parked-reader-without-yielded"),
        (Mutant::ParkedReaderAhead, "parked-reader-ahead"),
        (Mutant::ParkedReaderWithoutLimit, "parked-reader-without-limit"),
        (Mutant::ParkedReaderFresh, "parked-reader-fresh"),
        (Mutant::ParkedReaderAtEnd, "parked-reader-at-end"),
        (Mutant::CopyManifestFirst, "copy-manifest-first"),
        (Mutant::CopyUnordered, "copy-unordered"),
    ] {
        match run_all(0..SEEDS_TO_NOTICE, |seed| run_natively(seed, Some(mutant))) {
            Ok(_) => escaped.push(name),
            Err((seed, failure)) => {
                println!("mutant {name}: caught after {} seeds: {failure}", seed + 1);
            }
        }
    }
    assert!(escaped.is_empty(), "not caught within {SEEDS_TO_NOTICE} seeds: {escaped:?}");
}
