//! The answers of a log, and their check after some of its objects were changed.

use std::collections::BTreeSet;

use rig::memory::{Memory, Objects, log};
use rig::native::NativeSystem;
use stratalog_guest::decide::options::CompactInput;
use stratalog_guest::drive::compactor::compact;
use stratalog_guest::drive::reader::{ReadOptions, Reader};
use stratalog_guest::drive::stat::stat;
use stratalog_guest::drive::trimmer::{TrimOptions, TrimPoint, trim};
use stratalog_guest::drive::verifier::{Finding, Verifier};
use stratalog_guest::error::Error;

/// The answers of a sound log.
pub struct Answers {
    pub objects: Objects,
    pub events: Vec<String>,
    first_position: u64,
    next_position: u64,
}

/// An object that is damaged, as an error names it.
type Damaged = String;

/// Returns the events, and the error that ended the read.
fn read(memory: &Memory) -> (Vec<String>, Result<(), Error>) {
    let mut reader = Reader::new(memory.clone(), log(), ReadOptions::default()).unwrap();
    let mut events = Vec::new();
    loop {
        match reader.next_page() {
            Ok(Some(page)) => {
                assert_eq!(page.missed, 0);
                let lines = page.lines.unwrap_or_default();
                let text = String::from_utf8_lossy(&lines).into_owned();
                events.extend(text.lines().map(str::to_owned));
            }
            Ok(None) => return (events, Ok(())),
            Err(error) => return (events, Err(error)),
        }
    }
}

/// Returns the objects that a verification calls damaged.
pub fn verify(memory: &Memory) -> Vec<Damaged> {
    let mut verifier = Verifier::new(memory.clone(), log());
    let mut damaged = Vec::new();
    while let Some(checked) = verifier.step().unwrap() {
        damaged.extend(checked.findings.into_iter().filter_map(|finding| match finding {
            Finding::Damaged(damage) => Some(damage.object),
            Finding::Garbage { .. } | Finding::Stranded { .. } => None,
        }));
    }
    damaged
}

/// Returns the damage of an outcome. Any other failure is wrong.
fn damage<T>(outcome: Result<T, Error>) -> Result<Result<T, Damaged>, String> {
    match outcome {
        Ok(done) => Ok(Ok(done)),
        Err(Error::Damaged(damage)) => Ok(Err(damage.object)),
        Err(error) => Err(format!("fails with {error:?}")),
    }
}

impl Answers {
    /// Collects the answers of a sound log.
    pub fn of(objects: Objects) -> Self {
        let memory = Memory::of(objects.clone());
        let (events, outcome) = read(&memory);
        outcome.unwrap();
        assert_eq!(verify(&memory), Vec::<String>::new());
        let stats = stat(memory, log()).unwrap();
        let (first_position, next_position) = (stats.first_position, stats.next_position);
        Self { objects, events, first_position, next_position }
    }

    /// Checks all answers of the log with some objects changed.
    pub fn check(&self, objects: &Objects, changed: &BTreeSet<String>) -> Result<(), String> {
        let memory = Memory::of(objects.clone());
        let found = verify(&memory);
        if found.is_empty() || found.iter().any(|object| !changed.contains(object)) {
            return Err(format!("verify names {found:?}"));
        }
        self.check_read(&memory, changed, 0)?;
        let counted = damage(stat(memory, log())).map_err(|wrong| format!("stat {wrong}"))?;
        match counted {
            Ok(stats) => {
                let positions = (stats.first_position, stats.next_position);
                if positions != (self.first_position, self.next_position) {
                    return Err(format!("stat says positions {positions:?}"));
                }
            }
            Err(object) if changed.contains(&object) => {}
            Err(object) => return Err(format!("stat names {object}")),
        }
        let middle = self.first_position.midpoint(self.next_position);
        let full = CompactInput { full: true, ..CompactInput::default() };
        self.check_change(objects, changed, "compact", 0, |memory, system| {
            compact(memory, system, log(), CompactInput::default()).map(drop)
        })?;
        self.check_change(objects, changed, "compact --full", 0, |memory, system| {
            compact(memory, system, log(), full).map(drop)
        })?;
        let trimmed = middle - self.first_position;
        self.check_change(objects, changed, "trim", trimmed, |memory, system| {
            trim(
                memory,
                system,
                log(),
                TrimPoint::Position(middle.to_string()),
                TrimOptions::default(),
            )
            .map(drop)
        })
    }

    /// Checks that all events but the first N are read, or those before damage.
    fn check_read(
        &self,
        memory: &Memory,
        changed: &BTreeSet<String>,
        trimmed: u64,
    ) -> Result<(), String> {
        let (events, outcome) = read(memory);
        let expected = &self.events[usize::try_from(trimmed).unwrap()..];
        match damage(outcome).map_err(|wrong| format!("read {wrong}"))? {
            Ok(()) if events == expected => Ok(()),
            Ok(()) => Err(format!("read shows {events:?}")),
            Err(object) if !changed.contains(&object) => Err(format!("read names {object}")),
            Err(_) if expected.starts_with(&events) => Ok(()),
            Err(_) => Err(format!("read shows {events:?} before damage")),
        }
    }

    /// Checks that a command changes a log correctly, or changes nothing.
    fn check_change(
        &self,
        objects: &Objects,
        changed: &BTreeSet<String>,
        what: &str,
        trimmed: u64,
        command: impl Fn(Memory, &NativeSystem) -> Result<(), Error>,
    ) -> Result<(), String> {
        let memory = Memory::of(objects.clone());
        let outcome = command(memory.clone(), &NativeSystem::default());
        match damage(outcome).map_err(|wrong| format!("{what} {wrong}"))? {
            Ok(()) => self
                .check_read(&memory, changed, trimmed)
                .map_err(|wrong| format!("after {what}, {wrong}")),
            Err(object) if !changed.contains(&object) => Err(format!("{what} names {object}")),
            Err(_) if memory.objects() == *objects => Ok(()),
            Err(_) => Err(format!("{what} fails and leaves changes")),
        }
    }
}

/// Returns the events of a log that is read to its end.
pub fn events(memory: &Memory) -> Vec<String> {
    let (events, outcome) = read(memory);
    outcome.unwrap();
    events
}
