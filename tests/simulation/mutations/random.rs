//! Random changes of larger logs.

use std::collections::BTreeSet;

use rig::memory::{Memory, Objects, log};
use rig::native::NativeSystem;
use rig::sim::random::Random;
use stratalog_guest::decide::options::{CompactInput, OptionsInput};
use stratalog_guest::drive::compactor::compact;
use stratalog_guest::drive::trimmer::{TrimOptions, TrimPoint, trim};
use stratalog_guest::drive::writer::Writer;
use stratalog_guest::format::names::ObjectName;

use super::answers::Answers;

const MUTATIONS: u64 = 20_000;

/// Logs that are changed.
const LOGS: u64 = 20;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

/// Makes a log that has been written to, compacted and trimmed for a while.
fn grow(seed: u64) -> Objects {
    let mut random = Random::new(seed);
    let (memory, system) = <(Memory, NativeSystem)>::default();
    let options = || OptionsInput { flush_threshold: Some(1_000), ..OptionsInput::default() };
    let mut writers: Vec<_> = (0..2)
        .map(|_| Writer::open(memory.clone(), system.clone(), "log", options()).unwrap())
        .collect();
    for round in 0..20 + random.below(30) {
        system.clock.advance(random.up_to(1_000_000));
        let writer = &mut writers[random.index(2)];
        for event in 0..random.up_to(6) {
            let dots = ".".repeat(random.index(40));
            writer.append(format!("{{\"{round}-{event}\":\"{dots}\"}}").as_bytes()).unwrap();
        }
        writer.flush().unwrap();
        match random.below(8) {
            0 => {
                let input = CompactInput {
                    full: random.chance(1, 4),
                    fan_in: Some(2),
                    segment_bytes_max: random.chance(1, 2).then_some(400),
                    ..CompactInput::default()
                };
                compact(memory.clone(), &system, log(), input).unwrap();
            }
            1 if round > 10 => {
                let kept = 40 + random.below(40);
                trim(
                    memory.clone(),
                    &system,
                    log(),
                    TrimPoint::KeepEvents(kept),
                    TrimOptions::default(),
                )
                .unwrap();
            }
            _ => {}
        }
    }
    memory.objects()
}

/// Returns changed bytes for an object.
fn change(random: &mut Random, bytes: &[u8], others: &Objects) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    let at = random.index(bytes.len().max(1));
    let end = (at + random.index(20) + 1).min(bytes.len());
    let digits: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at].is_ascii_digit()).collect();
    let mut lines: Vec<&[u8]> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
    match random.below(10) {
        0 => changed[at] ^= 1 << random.below(8),
        1 | 2 if !digits.is_empty() => {
            let at = random.pick(&digits);
            changed[at] = b'0' + u8::try_from(random.below(10)).unwrap();
        }
        3 => _ = changed.drain(at..end),
        4 => changed.truncate(at),
        5 => {
            let more: Vec<u8> =
                (0..=random.index(20)).map(|_| u8::try_from(random.below(256)).unwrap()).collect();
            changed.splice(at..at, more);
        }
        6 => {
            let copy = bytes[at..end].to_vec();
            changed.splice(at..at, copy);
        }
        7 if lines.len() > 1 => {
            let (one, other) = (random.index(lines.len()), random.index(lines.len()));
            lines.swap(one, other);
            changed = lines.concat();
        }
        8 => {
            // The content of another object, as after a restore under a wrong name.
            let number = random.index(others.len());
            changed = others.values().nth(number).unwrap().to_vec();
        }
        _ => {
            let longer = b"18446744073709551615";
            match digits.first() {
                Some(_) => {
                    let at = random.pick(&digits);
                    changed.splice(at..=at, longer.iter().copied());
                }
                None => changed.push(b'\n'),
            }
        }
    }
    changed
}

/// Changes one or two objects of a log, and checks all answers.
fn mutate(seed: u64, logs: &[Answers]) -> Result<(), String> {
    let mut random = Random::new(seed);
    let log = &logs[random.index(logs.len())];
    let mut objects = log.objects.clone();
    let mut changed = BTreeSet::new();
    for _ in 0..random.pick(&[1, 1, 1, 2]) {
        let (key, bytes) = log.objects.iter().nth(random.index(log.objects.len())).unwrap();
        let name = ObjectName::parse(key.strip_prefix("log/").unwrap()).unwrap();
        let is_named = matches!(name, ObjectName::Segment(_) | ObjectName::Index(_));
        if is_named && random.chance(1, 20) {
            objects.remove(key);
        } else {
            let other = change(&mut random, bytes, &log.objects);
            if other == **bytes {
                continue;
            }
            objects.insert(key.clone(), other.into());
        }
        changed.insert(key.clone());
    }
    if changed.is_empty() {
        return Ok(());
    }
    log.check(&objects, &changed).map_err(|wrong| format!("{changed:?} changed: {wrong}"))
}

#[test]
fn random_changes_give_right_events_or_damage_that_names_an_object() {
    let logs: Vec<_> = (0..LOGS).map(|seed| Answers::of(grow(seed))).collect();
    let seeds = match number("STRATALOG_MUTATION") {
        Some(seed) => seed..seed + 1,
        None => 0..number("STRATALOG_MUTATIONS").unwrap_or(MUTATIONS),
    };
    for seed in seeds {
        mutate(seed, &logs).unwrap_or_else(|wrong| {
            panic!(
                "mutation {seed}: {wrong}\nrepeat it: STRATALOG_MUTATION={seed} cargo test --release \
                 --workspace --test simulation random_changes"
            )
        });
    }
}
