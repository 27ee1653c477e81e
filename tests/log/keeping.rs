//! Keeping many logs: what a sweep does, what it leaves alone, what it costs, and what it leaves
//! behind when the store fails.

use std::time::{Duration, UNIX_EPOCH};

use rig::faults::{Call, Fault};
use rig::subject::{Kind, World, events};
use stratalog::Error;
use stratalog::keep::{Keeper, Kept, Policy, SweepOptions, Work};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const DAY_MICROS: u64 = 86_400_000_000;

/// Sweeps once at the time of the world's clock. Returns the logs in the order of their names.
fn sweep(world: &World, keeper: &mut Keeper, options: SweepOptions) -> Result<Vec<Kept>, Error> {
    let now = UNIX_EPOCH + Duration::from_micros(world.clock.micros());
    world.runtime.block_on(async {
        let mut sweep = keeper.sweep(options.now(now)).await?;
        let mut all = Vec::new();
        while let Some(kept) = sweep.next().await? {
            all.push(kept);
        }
        all.sort_by(|one, other| one.log.name.cmp(&other.log.name));
        Ok(all)
    })
}

/// Appends batches of one event each, an hour apart.
fn append_hourly(world: &World, name: &str, events: &[String]) {
    let log = world.open(name);
    for event in events {
        world.clock.advance(DAY_MICROS / 24);
        log.append(event).unwrap();
        log.flush().unwrap();
    }
    log.close().unwrap();
}

/// Returns the only log of a sweep.
fn only(mut kept: Vec<Kept>) -> Kept {
    assert_eq!(kept.len(), 1);
    kept.remove(0)
}

#[test]
fn sweep_does_what_the_policy_of_each_log_says() {
    let world = World::new(Kind::Component);
    let all = events(48);
    for name in ["alone", "few", "many", "old"] {
        append_hourly(&world, name, if name == "few" { &all[..1] } else { &all });
    }
    let policies = |name: &str| match name {
        "alone" => None,
        "old" => Some(
            Policy::new().compact_batches(None).compact_age(None).keep_age(DAY).trim_every(HOUR),
        ),
        _ => Some(Policy::new().compact_batches(Some(40)).keep_events(1_000)),
    };
    let keys = || ["alone/", "few/", "many/", "old/"].map(|log| world.keys_below(log));
    let before = keys();
    let mut keeper = world.keeper(policies);
    let planned = sweep(&world, &mut keeper, SweepOptions::new().dry_run(true)).unwrap();
    assert_eq!(keys(), before);
    let done = sweep(&world, &mut keeper, SweepOptions::new()).unwrap();
    for (of, is_planned) in [(&planned, true), (&done, false)] {
        let [alone, few, many, old] = of.as_slice() else { panic!("{of:?}") };
        assert!(alone.policy.is_none() && alone.done.is_empty());
        assert!(few.policy.is_some() && few.done.is_empty(), "{few:?}");
        let merged = match many.done.as_slice() {
            [Work::WouldCompact(plan)] if is_planned => plan.batches,
            [Work::Compacted(done)] if !is_planned => done.batches,
            other => panic!("{other:?}"),
        };
        assert_eq!(merged, 48);
        let removed = match old.done.as_slice() {
            [Work::WouldTrim(plan)] if is_planned => plan.events,
            [Work::Trimmed(done)] if !is_planned => done.events,
            other => panic!("{other:?}"),
        };
        assert_eq!(removed, 23);
        assert!(of.iter().all(|kept| kept.error.is_none()));
    }
    for (name, expected) in
        [("alone", &all[..]), ("few", &all[..1]), ("many", &all), ("old", &all[23..])]
    {
        assert_eq!(world.read(name).unwrap(), expected, "{name}");
    }
    // Nothing is due any more.
    let done = sweep(&world, &mut keeper, SweepOptions::new()).unwrap();
    assert!(done.iter().all(|kept| kept.done.is_empty()), "{done:?}");
}

#[test]
fn idle_log_costs_its_part_of_the_listing_and_no_get() {
    let world = World::new(Kind::Component);
    for name in ["one", "two"] {
        append_hourly(&world, name, &events(4));
    }
    let policy = || Policy::new().compact_batches(Some(4)).keep_age(30 * DAY).keep_bytes(1 << 30);
    let mut keeper = world.keeper(move |_| Some(policy()));
    let done = sweep(&world, &mut keeper, SweepOptions::new()).unwrap();
    assert!(done.iter().all(|kept| matches!(kept.done.as_slice(), [Work::Compacted(_)])));
    // It is counted once after it has changed.
    sweep(&world, &mut keeper, SweepOptions::new()).unwrap();
    world.counter.requests();
    let listing = |world: &World| {
        world.logs("", false).unwrap();
        world.counter.counts()
    };
    let listed = listing(&world);
    assert_eq!(listed.keys().collect::<Vec<_>>(), ["list"]);
    for days in 0..3 {
        sweep(&world, &mut keeper, SweepOptions::new()).unwrap();
        assert_eq!(world.counter.counts(), listed, "{days} days");
        world.clock.advance(DAY_MICROS);
    }
    // A log that has changed is counted again, and the other one is not.
    append_hourly(&world, "two", &events(1));
    world.counter.requests();
    sweep(&world, &mut keeper, SweepOptions::new()).unwrap();
    assert_eq!(world.counter.counts().get("get manifest"), Some(&1));
    // What it remembers is due in time.
    world.clock.advance(31 * DAY_MICROS);
    let done = sweep(&world, &mut keeper, SweepOptions::new()).unwrap();
    assert!(done.iter().all(|kept| matches!(kept.done.as_slice(), [Work::Trimmed(_)])), "{done:?}");
}

#[test]
fn retention_by_bytes_removes_whole_segments() {
    let world = World::new(Kind::Component);
    let all = events(60);
    let policy = |bytes| {
        let policy = Policy::new().compact_batches(Some(10)).keep_bytes(bytes);
        move |_: &str| Some(policy.clone())
    };
    // Six segments of 10 events: a compaction merges 8.
    for part in all.chunks(10) {
        append_hourly(&world, "log", part);
        let mut keeper = world.keeper(policy(1 << 30));
        let kept = only(sweep(&world, &mut keeper, SweepOptions::new()).unwrap());
        assert!(matches!(kept.done.as_slice(), [Work::Compacted(_)]), "{kept:?}");
    }
    let stats = world.stat("log").unwrap();
    assert_eq!(stats.segments, 6);
    // The last segment and a byte of the one before.
    let last: usize = all[50..].iter().map(|event| event.len() + 1).sum();
    let mut keeper = world.keeper(policy(u64::try_from(last).unwrap() + 1));
    let kept = only(sweep(&world, &mut keeper, SweepOptions::new()).unwrap());
    assert!(matches!(kept.done.as_slice(), [Work::Trimmed(done)] if done.events == 40), "{kept:?}");
    assert_eq!(world.read("log").unwrap(), all[40..]);
    // Batches are not removed by size.
    append_hourly(&world, "log", &all[..5]);
    let mut keeper = world.keeper(policy(1));
    let kept = only(sweep(&world, &mut keeper, SweepOptions::new()).unwrap());
    assert!(kept.error.is_none(), "{kept:?}");
    assert_eq!(world.read("log").unwrap()[..], all[..5]);
}

#[test]
fn retention_holds_back_for_a_named_position() {
    let world = World::new(Kind::Component);
    let all = events(48);
    append_hourly(&world, "log", &all);
    world.commit_after("log", "billing", 10);
    let policy = Policy::new().compact_batches(Some(2)).keep_age(DAY).trim_every(HOUR);
    let policy = policy.keep_unread(true);
    let mut keeper = world.keeper(move |_| Some(policy.clone()));
    let kept = only(sweep(&world, &mut keeper, SweepOptions::new()).unwrap());
    assert!(kept.error.is_none(), "{kept:?}");
    assert_eq!(world.read("log").unwrap(), all[10..]);
}

#[test]
fn damaged_log_is_reported_and_the_others_are_kept() {
    let world = World::new(Kind::Component);
    for name in ["damaged", "log"] {
        append_hourly(&world, name, &events(4));
    }
    world.corrupt("damaged/batch_");
    let policy = || Policy::new().compact_batches(Some(2)).verify_every(DAY);
    let mut keeper = world.keeper(move |_| Some(policy()));
    let done = sweep(&world, &mut keeper, SweepOptions::new().interval(DAY)).unwrap();
    let [damaged, sound] = done.as_slice() else { panic!("{done:?}") };
    assert!(matches!(&damaged.error, Some(Error::Damaged(_))), "{damaged:?}");
    assert!(matches!(sound.done.as_slice(), [Work::Compacted(_), Work::Verified(_)]), "{sound:?}");
}

/// A sweep with a fault at each of its requests, one after the other, and then one without.
#[test]
fn sweep_that_fails_anywhere_is_completed_by_the_next() {
    let all = events(48);
    let kinds = [
        (Call::List, Fault::Lost),
        (Call::Get, Fault::Lost),
        (Call::Create, Fault::Refused),
        (Call::Create, Fault::ReplyLost),
        (Call::Delete, Fault::Lost),
    ];
    for (call, fault) in kinds {
        let mut number = 0;
        loop {
            let world = World::new(Kind::Component);
            append_hourly(&world, "a", &all[..24]);
            append_hourly(&world, "b", &all);
            let policy = Policy::new().compact_batches(Some(10)).verify_every(DAY);
            let policy = policy.keep_age(DAY).trim_every(HOUR);
            let mut keeper = world.keeper(move |_| Some(policy.clone()));
            world.faults.arm_after(number, call, fault);
            // One log after the other: the requests have an order.
            let options = SweepOptions::new().jobs(1).interval(DAY);
            let first = sweep(&world, &mut keeper, options);
            let was_met = world.faults.are_met();
            world.faults.disarm();
            let what = format!("{call:?} {number} {fault:?}: {first:?}");
            let second = sweep(&world, &mut keeper, options).unwrap();
            assert!(second.iter().all(|kept| kept.error.is_none()), "{what}: {second:?}");
            // 48 hours later, all of the first log is old, and half of the second one.
            assert_eq!(world.read("a").unwrap(), Vec::<String>::new(), "{what}");
            assert_eq!(world.read("b").unwrap(), all[23..], "{what}");
            if !was_met {
                assert!(number >= 3, "{what}");
                break;
            }
            number += 1;
        }
    }
}
