//! A run from one seed: its actors, its fault rates, and the conditions at its end.

use std::collections::BTreeSet;
use std::rc::Rc;

use stratalog_guest::decide::options::CompactInput;
use stratalog_guest::drive::reader::ReadOptions;
use stratalog_guest::drive::trimmer::TrimPoint;

use crate::memory::LOG;
use crate::sim::actors::{Actor, SavedPositions, job};
use crate::sim::damage;
use crate::sim::expectation::Expectation;
use crate::sim::history::{Trim, TrimRequest, read_events, write_event};
use crate::sim::logic::{Refusal, Subject};
use crate::sim::random::Random;
use crate::sim::trace::Trace;
use crate::sim::world::{FaultRates, World};

/// The number of compactions after which a log must be at rest, if nothing more is written.
const COMPACTIONS_MAX: u32 = 300;

/// Runs a seed. Returns the trace, and the failure if there was one.
pub fn run(seed: u64, subject: &Subject, recorded: bool) -> (Trace, Result<(), String>) {
    let mut plan = Random::new(seed ^ 0x5eed);
    // Some runs are long, with stalls in which others compact a dozen times.
    let long = seed % 8 == 7;
    let world = World::new(seed, fault_rates(&mut plan, long), recorded);
    let saved = SavedPositions::default();
    damage::expect(false);
    populate(&world, subject, &saved, &mut plan, long);
    let mut outcome = world.run();
    if outcome.is_ok() {
        let positions = saved.clone();
        let mut state = world.state();
        state.calm_down();
        state.add(0, job(subject, &saved, plan.draw(), move |actor| end(actor, &positions)));
        drop(state);
        outcome = world.run().map_err(|failure| format!("at the end: {failure}"));
    }
    let trace = world.state().trace.clone();
    (trace, outcome)
}

fn fault_rates(plan: &mut Random, long: bool) -> FaultRates {
    FaultRates {
        faults: plan.pick(&[0, 50, 200]),
        read_faults: plan.pick(&[0, 0, 10, 50]),
        crashes: plan.pick(&[0, 0, 300]),
        stalls: if long { 10 } else { 2 },
        stall_steps_max: if long { plan.pick(&[2_000, 10_000]) } else { 400 },
        commit_stalls: plan.pick(if long { &[0, 30, 60] } else { &[0, 5, 30] }),
        clock_jumps: plan.pick(&[0, 0, 100, 1_000]),
        lies: plan.pick(&[0, 0, 20, 200]),
    }
}

/// Adds the objects that are stored already, and the actors.
fn populate(
    world: &Rc<World>,
    subject: &Subject,
    saved: &SavedPositions,
    plan: &mut Random,
    long: bool,
) {
    let mut state = world.state();
    let writers = usize::try_from(plan.up_to(4)).unwrap();
    if plan.chance(1, 8) {
        let mut number = 0;
        for at in 0..plan.up_to(4) {
            let events: Vec<_> = (0..plan.index(4))
                .map(|next| write_event((writers, number + next), plan.index(4)))
                .collect();
            number += events.len();
            // As the predecessor or another program wrote them: with empty lines, without a last
            // LF.
            let text = events.join(plan.pick(&["\n", "\n\n"])) + plan.pick(&["", "\n"]);
            let key = format!("{LOG}/batch_{:019}.jsonl", 9_000_000_000 + at);
            state.land(&key, text.into_bytes().into(), None);
        }
        state.history.writer(writers).written = number;
        state.history.legacy_writer = Some(writers);
    }
    let mut add = |plan: &mut Random, work: Box<dyn FnOnce(&mut Actor<'_>) -> _>| {
        let after = if plan.chance(1, 2) { 0 } else { plan.below(if long { 4_000 } else { 400 }) };
        state.add(after, job(subject, saved, plan.draw(), work));
    };
    let (events, rounds) = if long { (150, 60) } else { (16, 8) };
    // Some logs were begun by programs that did not number batches, and some still run.
    let has_unnumbered = plan.chance(1, 3);
    for writer in 0..writers {
        let events = 1 + plan.index(events);
        if has_unnumbered && plan.chance(1, 2) {
            add(plan, Box::new(move |actor| actor.write_unnumbered(writer, events)));
        } else {
            add(plan, Box::new(move |actor| actor.write(writer, events)));
        }
    }
    for _ in 0..plan.below(5) {
        let rounds = plan.up_to(rounds);
        add(plan, Box::new(move |actor| actor.compact_often(rounds)));
    }
    for _ in 0..plan.up_to(3) {
        let passes = plan.up_to(6);
        add(plan, Box::new(move |actor| actor.follow(passes)));
    }
    for _ in 0..plan.below(2) {
        add(plan, Box::new(|actor| actor.read_part()));
    }
    for _ in 0..plan.pick(&[0, 0, 1, 2]) {
        let rounds = plan.up_to(4);
        add(plan, Box::new(move |actor| actor.trim_often(rounds)));
    }
    for _ in 0..plan.pick(&[0, 0, 0, 1]) {
        add(plan, Box::new(|actor| actor.look_around()));
    }
    let is_damaged = plan.chance(1, 6);
    if is_damaged {
        let rounds = plan.up_to(4);
        add(plan, Box::new(move |actor| actor.damage_often(rounds)));
        for _ in 0..plan.up_to(2) {
            let rounds = plan.up_to(3);
            add(plan, Box::new(move |actor| actor.repair_often(rounds)));
        }
    }
    // A damaged position is restored from no copy.
    let named = if is_damaged { 0 } else { plan.pick(&[0, 0, 0, 1, 2, 3]) };
    for _ in 0..named {
        let rounds = plan.up_to(if long { 8 } else { 4 });
        add(plan, Box::new(move |actor| actor.read_under_name(rounds)));
    }
    state.named.is_read = named > 0;
    // With its own numbers, so that the other actors do the same in a run without a mirror.
    let mut own = Random::new(plan.clone().draw() ^ 0xc0b1);
    let mirrors = if is_damaged { 0 } else { own.pick(&[0, 0, 1, 2]) };
    for _ in 0..mirrors {
        let rounds = own.up_to(if long { 12 } else { 5 });
        let after = own.below(if long { 4_000 } else { 400 });
        let work = move |actor: &mut Actor<'_>| actor.copy_often(rounds);
        state.add(after, job(subject, saved, own.draw(), work));
        let (passes, after) = (own.up_to(8), own.below(400));
        let work = move |actor: &mut Actor<'_>| actor.read_mirror(passes);
        state.add(after, job(subject, saved, own.draw(), work));
    }
    state.is_mirrored = mirrors > 0;
    if is_damaged {
        // Damage and lies never happen in one run.
        state.rates.lies = 0;
    }
}

/// Checks the end: all actors have ended, late creates have landed, and nothing fails any more.
fn end(actor: &mut Actor<'_>, saved: &SavedPositions) -> Result<(), String> {
    if damage::is_expected() {
        actor.repair_to_rest()?;
    }
    let is_mirrored = actor.view.state().is_mirrored;
    if is_mirrored {
        actor.compare_mirror()?;
    }
    let mut positions = saved.take();
    positions.push((None, Expectation::default()));
    resume_from(actor, &mut positions)?;
    if actor.view.state().history.stored_events() == 0 {
        // There is no log, or none any more since a compaction has deleted batches without events,
        // or one in which all is hidden.
        let is_hidden = !actor.stranded().is_empty();
        return if is_hidden { is_clean(actor) } else { Ok(()) };
    }
    if actor.plan.chance(1, 2) {
        // Live batches are absorbed first where that is necessary.
        actor.trim_as_planned()?;
        resume_from(actor, &mut positions)?;
    }
    compact_to_rest(actor, CompactInput { fan_in: Some(2), ..CompactInput::default() })?;
    is_clean(actor)?;
    compact_to_rest(actor, CompactInput { full: true, ..CompactInput::default() })?;
    is_clean(actor)?;
    all_is_absorbed(actor)?;
    resume_from(actor, &mut positions)?;
    reads_are_exact(actor)?;
    trim_exactly(actor)?;
    is_clean(actor)?;
    resume_from(actor, &mut positions)?;
    reads_are_exact(actor)?;
    if is_mirrored { actor.compare_mirror() } else { Ok(()) }
}

/// Checks that every position that a reader gave is still valid.
fn resume_from(
    actor: &mut Actor<'_>,
    positions: &mut [(Option<String>, Expectation)],
) -> Result<(), String> {
    for (position, expectation) in positions {
        actor.follow_once(&mut None, position, expectation)?;
    }
    Ok(())
}

fn compact_to_rest(actor: &mut Actor<'_>, options: CompactInput) -> Result<(), String> {
    for _ in 0..COMPACTIONS_MAX {
        if actor.compact(options)?.ok_or("a compaction is refused in peace")? == 0 {
            return Ok(());
        }
    }
    Err(format!("{COMPACTIONS_MAX} compactions are not enough"))
}

fn said<T>(outcome: Result<T, Refusal>) -> Result<T, String> {
    outcome.map_err(|refusal| format!("{refusal:?} in peace"))
}

/// Checks that nothing is damaged and there is no garbage, and that exactly the batches behind a
/// gap are called stranded.
fn is_clean(actor: &Actor<'_>) -> Result<(), String> {
    let verified = said(actor.logic.verify())?;
    if let Some(finding) = verified.damaged.iter().chain(&verified.garbage).next() {
        return Err(format!("verify finds {finding}"));
    }
    let stranded = actor.stranded();
    let counted = said(actor.logic.stat())?;
    let found: BTreeSet<_> = verified.stranded.iter().collect();
    if !found.into_iter().eq(stranded.keys())
        || verified.stranded.len() != stranded.len()
        || Ok(counted.hidden_batches) != u64::try_from(stranded.len())
    {
        return Err(format!("{stranded:?} are hidden, {verified:?} verified, {counted:?} counted"));
    }
    let counts = (counted.events, counted.trimmed_events);
    // A lost event is counted separately, and cannot be verified.
    if counted.uncounted_batches == 0 && counts != (verified.events, verified.trimmed_events) {
        return Err(format!("{counted:?} is counted, {verified:?} verified"));
    }
    Ok(())
}

/// Checks that all stored events have positions.
fn all_is_absorbed(actor: &Actor<'_>) -> Result<(), String> {
    let counted = said(actor.logic.stat())?;
    let history = &actor.view.state().history;
    let (first, next) = (history.first_position, history.next_position());
    let live = history.stored_events() - next;
    if live > 0 || counted.batches > 0 {
        return Err(format!("{live} events are not absorbed, the log counts {counted:?}"));
    }
    let is_lost = |position: &u64| {
        let event = history.places[usize::try_from(*position).unwrap()];
        history.damage.is_lost(event)
    };
    let lost = u64::try_from((first..next).filter(is_lost).count()).unwrap();
    let counts = (counted.events, counted.lost_events, counted.trimmed_events);
    if (counted.first_position, counted.next_position) != (first, next)
        || counts != (next - first - lost, lost, history.trimmed_events)
    {
        return Err(format!("the log counts {counted:?} and has positions {first} to {next}"));
    }
    Ok(())
}

/// Reads whole and in part, in the order of positions.
fn reads_are_exact(actor: &mut Actor<'_>) -> Result<(), String> {
    let history = actor.view.state().history.clone();
    let first = usize::try_from(history.first_position).unwrap();
    let mut all = history.places[first..].to_vec();
    all.extend(history.live());
    all.retain(|event| !history.damage.is_lost(*event));
    let count = actor.plan.index(all.len() + 3);
    let number = u64::try_from(count).unwrap();
    let time = all.get(count).and_then(|event| history.time(*event)).unwrap_or(0);
    let is_before = |event: &&_| history.time(**event).is_some_and(|sealed| sealed < time);
    let default = ReadOptions::default;
    let cases: [(ReadOptions, Vec<_>); 5] = [
        (default(), all.clone()),
        (
            ReadOptions { last: Some(number), ..default() },
            all[all.len().saturating_sub(count)..].into(),
        ),
        (ReadOptions { limit: Some(number), ..default() }, all[..count.min(all.len())].into()),
        (
            ReadOptions { until: Some(time), ..default() },
            all.iter().filter(|event| is_before(event)).copied().collect(),
        ),
        (
            ReadOptions { since: Some(time), ..default() },
            all.iter().filter(|event| !is_before(event)).copied().collect(),
        ),
    ];
    for (options, expected) in cases {
        let what = format!("{options:?}");
        let mut pass = said(actor.logic.read(options))?;
        let mut found = Vec::new();
        while let Some(page) = said(pass.next_page())? {
            found.extend(read_events(&page.lines.unwrap_or_default())?);
        }
        if found != expected {
            return Err(format!("{what} shows {found:?}, not {expected:?}"));
        }
    }
    Ok(())
}

/// Trims exactly as far as the request, where everything is absorbed.
fn trim_exactly(actor: &mut Actor<'_>) -> Result<(), String> {
    let history = actor.view.state().history.clone();
    let (first, next) = (history.first_position, history.next_position());
    let ways = if history.damage.lost().is_empty() { 3 } else { 2 };
    let (point, request, expected) = match actor.plan.below(ways) {
        0 => {
            let kept = actor.plan.below(next + 2);
            let live = history.live().filter(|event| history.is_counted(*event)).count();
            let left = kept.saturating_sub(u64::try_from(live).unwrap());
            let left = usize::try_from(left).unwrap();
            // Lost events have positions, and are not counted.
            let is_read = |position: &u64| {
                let event = history.places[usize::try_from(*position).unwrap()];
                !history.damage.is_lost(event)
            };
            let mut from = (first..next).rev().filter(is_read);
            let expected = match left.checked_sub(1) {
                None => next,
                Some(before) => from.nth(before).unwrap_or(first),
            };
            (TrimPoint::KeepEvents(kept), TrimRequest::KeepEvents(kept), expected)
        }
        1 => {
            let time = actor.some_time();
            let stays = |event: &_| history.time(*event).is_some_and(|sealed| sealed >= time);
            let left = &history.places[usize::try_from(first).unwrap()..];
            let dropped = left.iter().position(stays).unwrap_or(left.len());
            let expected = first + u64::try_from(dropped).unwrap();
            (TrimPoint::Time(time), TrimRequest::Time(time), expected)
        }
        _ => {
            let limit = actor.plan.up_to(next + 1);
            let options = ReadOptions { limit: Some(limit), ..ReadOptions::default() };
            let mut expectation = Expectation::default();
            expectation.begin_pass(&history);
            let mut pass = said(actor.logic.read(options))?;
            while let Some(page) = said(pass.next_page())? {
                actor.show(&mut expectation, &page, "read")?;
            }
            let position = pass.position().ok_or("a reader has no position")?;
            let expected = first + limit;
            (TrimPoint::Position(position), TrimRequest::Position(Box::new(expectation)), expected)
        }
    };
    let expected = expected.max(first).min(next);
    let what = format!("{point:?}");
    actor.trim(point, Trim { request, lazy: false, keep_unread: false })?;
    let history = &actor.view.state().history;
    if history.trimmed_events > 0 {
        return Err(format!("trim {what} leaves {} trimmed events", history.trimmed_events));
    }
    match history.first_position {
        found if found == expected => Ok(()),
        found => Err(format!("trim {what} of {first} to {next} goes to {found}, not {expected}")),
    }
}
