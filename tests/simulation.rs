//! Random schedules of the log in a simulated world: writers, readers, compactors and trims at once,
//! and everything that can go wrong between them. See `rig/sim.rs` for what the world does, and
//! `rig/sim/history.rs` and `rig/sim/ledger.rs` for what is checked.
//!
//! `STRATALOG_SEEDS=N` runs more seeds, with `STRATALOG_FIRST=S` from S on. `STRATALOG_SEED=S` runs
//! one of them, and with `STRATALOG_TRACE=1`
//! shows what happens in it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rig::sim::component::Engine;
use rig::sim::logic::Subject;
use rig::sim::schedule::run;
use rig::sim::trace::first_difference;
use stratalog_guest::mutants::{self, Mutant};

const SEEDS: u64 = 20_000;

/// Schedules of the component: enough for long ones with crashes and stalls, too.
const COMPONENT_SEEDS: u64 = 300;

/// Seeds within which each broken rule is noticed.
const SEEDS_TO_NOTICE: u64 = 20_000;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

/// The command that repeats a seed.
fn repeat(seed: u64) -> String {
    format!(
        "repeat it: STRATALOG_SEED={seed} STRATALOG_TRACE=1 cargo test --release --workspace \
         --test simulation every_schedule -- --nocapture"
    )
}

/// A seed that failed, and what went wrong.
type Failed = (u64, String);

/// Runs seeds on all processors until one fails, with a rule broken or none. The lowest that did, if
/// any, and else one number that stands for all their traces.
fn run_all(seeds: Range<u64>, broken: Option<Mutant>) -> Result<u64, Failed> {
    let next = AtomicU64::new(seeds.start);
    let traces = AtomicU64::new(0);
    let work = || {
        mutants::set(broken);
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return None;
            }
            let (trace, outcome) = run(seed, &Subject::Native, false);
            if let Err(failure) = outcome {
                next.store(seeds.end, Ordering::Relaxed);
                return Some((seed, failure));
            }
            // The order in which seeds end does not count.
            traces.fetch_add(trace.hash().wrapping_mul(seed | 1), Ordering::Relaxed);
        }
    };
    let failed = std::thread::scope(|scope| {
        let workers = std::thread::available_parallelism().map_or(2, usize::from);
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().filter_map(|worker| worker.join().unwrap()).min()
    });
    failed.map_or(Ok(traces.into_inner()), Err)
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
    match run_all(first..first + seeds, None) {
        Ok(traces) => {
            let rate = f64::from(u32::try_from(seeds).unwrap()) / start.elapsed().as_secs_f64();
            println!("{seeds} schedules, {rate:.0} a second, traces {traces:016x}");
        }
        Err((seed, failure)) => panic!("seed {seed}: {failure}\n{}", repeat(seed)),
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    let trace = |seed| run(seed, &Subject::Native, false).0.hash();
    let traces: Vec<_> = (0..50).map(trace).collect();
    assert_eq!(traces, (0..50).map(trace).collect::<Vec<_>>());
    assert_eq!(traces.iter().collect::<BTreeSet<_>>().len(), 50);
}

#[test]
fn every_broken_rule_is_noticed() {
    for mutant in [
        Mutant::ListOnce,
        Mutant::ManifestFirst,
        Mutant::RenameOnRetry,
        Mutant::ForgetSeen,
        Mutant::DeleteOwn,
        Mutant::PendingLast,
        Mutant::KeepNewer,
    ] {
        match run_all(0..SEEDS_TO_NOTICE, Some(mutant)) {
            Ok(_) => panic!("mutant {mutant:?}: not caught in {SEEDS_TO_NOTICE} seeds"),
            Err((seed, failure)) => {
                println!("mutant {mutant:?}: caught after {} seeds: {failure}", seed + 1);
            }
        }
    }
}

/// The component that is shipped does what the logic does natively: each store operation in the same
/// order with the same bytes, and the same answers to each call.
#[test]
fn the_component_does_what_the_native_logic_does() {
    let start = Instant::now();
    let component = Subject::Component(Engine::new().unwrap());
    let seeds = number("STRATALOG_COMPONENT_SEEDS").unwrap_or(COMPONENT_SEEDS);
    let next = AtomicU64::new(0);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                return;
            }
            let (native, expected) = run(seed, &Subject::Native, false);
            let (trace, outcome) = run(seed, &component, false);
            if (trace.hash(), &outcome) != (native.hash(), &expected) {
                let (native, _) = run(seed, &Subject::Native, true);
                let (trace, _) = run(seed, &component, true);
                let difference = first_difference(native.text(), trace.text());
                panic!(
                    "seed {seed}: natively {expected:?}, the component {outcome:?}; {difference}"
                );
            }
            outcome.unwrap();
        }
    };
    std::thread::scope(|scope| {
        let workers = std::thread::available_parallelism().map_or(2, usize::from);
        (0..workers).for_each(|_| _ = scope.spawn(work));
    });
    println!("{seeds} schedules of the component, in {:?}", start.elapsed());
}
