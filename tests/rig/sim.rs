//! A simulated store, clock and scheduler: one seed is one run, always the same.
//!
//! 1. Actors are threads, of which one runs at a time. Each store operation is a point where the
//!    seed decides who runs next, so a run is a sequence of choices.
//! 2. A listing looks at each key at an instant of its own, in any order.
//! 3. A create may be lost, land with its reply lost, or land later. A delete may fail. A clock may
//!    step either way. An actor may crash or stall for long at any operation.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Thrown to end an actor that crashes.
struct Crash;

/// A world that one seed makes.
pub struct Sim {
    state: Mutex<State>,
    turns: Vec<Condvar>,
}

pub struct State {
    random: Random,
    objects: BTreeMap<String, Arc<[u8]>>,
    late: Vec<(String, Arc<[u8]>)>,
    clock: u64,
    /// In a thousand operations, how many fail.
    faults: u64,
    /// In a hundred thousand steps, how many crash the actor.
    crashes: u64,
    /// In a thousand steps, how many stall the actor, and for how many steps at most.
    stalls: u64,
    stall_steps_max: u64,
    actors: Vec<Actor>,
    current: usize,
    steps: u64,
    trace: u64,
    /// Events that were handed to `append`, and those a flush has acknowledged.
    pub written: BTreeSet<String>,
    pub acknowledged: BTreeSet<String>,
    failure: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Actor {
    Ready,
    /// Until this step.
    Stalled(u64),
    Done,
}

/// SplitMix64.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    /// Less than `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.draw() % end
    }
    pub fn chance(&mut self, of: u64, among: u64) -> bool {
        self.below(among) < of
    }
}

/// How a create fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Done,
    Exists,
    Refused,
    Lost,
}

/// What an actor does; the number is its own.
pub type Job<'a> = Box<dyn FnOnce(usize) -> Result<(), String> + Send + 'a>;

impl Sim {
    /// A world for as many actors.
    pub fn new(seed: u64, actors: usize) -> Self {
        let mut random = Random::new(seed);
        let faults = [0, 50, 200][usize::try_from(random.below(3)).unwrap()];
        let crashes = [0, 0, 300][usize::try_from(random.below(3)).unwrap()];
        let state = State {
            random,
            objects: BTreeMap::new(),
            late: Vec::new(),
            clock: 1_000_000,
            faults,
            crashes,
            stalls: 2,
            stall_steps_max: 400,
            actors: vec![Actor::Ready; actors],
            current: 0,
            steps: 0,
            trace: 0,
            written: BTreeSet::new(),
            acknowledged: BTreeSet::new(),
            failure: None,
        };
        let turns = (0..actors).map(|_| Condvar::new()).collect();
        Self { state: Mutex::new(state), turns }
    }

    /// Lets actors stall more often and for long: others may do much meanwhile.
    pub fn stall_for_long(&self) {
        let mut state = self.lock();
        (state.stalls, state.stall_steps_max) = (10, 3_000);
    }

    /// Runs the actors to their ends; returns the trace of the run, or what went wrong.
    pub fn run(&self, jobs: Vec<Job<'_>>) -> Result<u64, String> {
        std::thread::scope(|scope| {
            for (actor, job) in jobs.into_iter().enumerate() {
                scope.spawn(move || self.act(actor, job));
            }
        });
        let mut state = self.lock();
        for (key, bytes) in std::mem::take(&mut state.late) {
            state.objects.entry(key).or_insert(bytes);
        }
        state.actors = vec![Actor::Ready];
        state.current = 0;
        (state.faults, state.crashes) = (0, 0);
        match state.failure.take() {
            Some(failure) => Err(failure),
            None => Ok(state.trace),
        }
    }

    fn act(&self, actor: usize, job: Job<'_>) {
        let first = self.lock();
        drop(self.wait_for_turn(first, actor));
        let outcome = catch_unwind(AssertUnwindSafe(|| job(actor)));
        let mut state = self.lock();
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => _ = state.failure.get_or_insert(failure),
            Err(thrown) if thrown.is::<Crash>() => {}
            Err(_) => _ = state.failure.get_or_insert("an actor panicked".to_owned()),
        }
        state.actors[actor] = Actor::Done;
        self.pass_on(&mut state);
    }

    /// A point where another actor may run; this one may crash or stall there.
    pub fn step(&self, actor: usize) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        state.steps += 1;
        if state.actors.len() > 1 {
            let (stalls, most) = (state.stalls, state.stall_steps_max);
            if state.random.chance(stalls, 1000) {
                let until = state.steps + state.random.below(most);
                state.actors[actor] = Actor::Stalled(until);
            }
            self.pass_on(&mut state);
            state = self.wait_for_turn(state, actor);
        }
        state.clock = state.clock.saturating_add_signed(
            [0, 0, 1, 3, -2, 50, -40][usize::try_from(state.random.below(7)).unwrap()],
        );
        if !state.late.is_empty() && state.random.chance(30, 1000) {
            let late = u64::try_from(state.late.len()).unwrap();
            let number = state.random.below(late);
            let (key, bytes) = state.late.swap_remove(usize::try_from(number).unwrap());
            state.objects.entry(key).or_insert(bytes);
        }
        let crashes = state.crashes;
        if state.random.chance(crashes, 100_000) || state.failure.is_some() {
            drop(state);
            resume_unwind(Box::new(Crash));
        }
        state
    }

    fn wait_for_turn<'s>(
        &'s self,
        mut state: MutexGuard<'s, State>,
        actor: usize,
    ) -> MutexGuard<'s, State> {
        while state.current != actor {
            state = self.turns[actor].wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state
    }

    /// Chooses who runs next.
    fn pass_on(&self, state: &mut State) {
        let steps = state.steps;
        for actor in &mut state.actors {
            if matches!(actor, Actor::Stalled(until) if *until <= steps) {
                *actor = Actor::Ready;
            }
        }
        let of = |state: &State, wanted: fn(&Actor) -> bool| -> Vec<usize> {
            (0..state.actors.len()).filter(|&actor| wanted(&state.actors[actor])).collect()
        };
        let mut able = of(state, |actor| *actor == Actor::Ready);
        if able.is_empty() {
            able = of(state, |actor| *actor != Actor::Done);
        }
        let Ok(count) = u64::try_from(able.len()) else { return };
        if count > 0 {
            let next = able[usize::try_from(state.random.below(count)).unwrap()];
            state.current = next;
            self.turns[next].notify_one();
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn create(&self, actor: usize, key: &str, bytes: &[u8]) -> Fate {
        self.step(actor).create(key, bytes)
    }

    pub fn get(&self, actor: usize, key: &str) -> Option<Arc<[u8]>> {
        let state = &mut *self.step(actor);
        state.note("get", key);
        state.objects.get(key).cloned()
    }

    /// False when the store says that it failed; the object may be gone all the same.
    pub fn delete(&self, actor: usize, key: &str) -> bool {
        let mut state = self.step(actor);
        state.note("delete", key);
        let faults = state.faults;
        if state.random.chance(faults, 1000) {
            if state.random.chance(1, 2) {
                state.objects.remove(key);
            }
            return false;
        }
        state.objects.remove(key);
        true
    }

    pub fn list(&self, actor: usize, prefix: &str, after: Option<&str>) -> Vec<(String, u64)> {
        let mut state = self.step(actor);
        state.note("list", prefix);
        let wanted = |key: &String| {
            key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after)
        };
        let mut seen: BTreeSet<String> =
            state.objects.keys().filter(|k| wanted(k)).cloned().collect();
        let mut left: Vec<String> = seen.iter().cloned().collect();
        let mut found = BTreeMap::new();
        while !left.is_empty() {
            let number = state.random.below(u64::try_from(left.len()).unwrap());
            let key = left.swap_remove(usize::try_from(number).unwrap());
            if let Some(bytes) = state.objects.get(&key) {
                let size = u64::try_from(bytes.len()).unwrap();
                found.insert(key, size);
            }
            if state.random.chance(1, 4) {
                drop(state);
                state = self.step(actor);
                let new: Vec<String> =
                    state.objects.keys().filter(|k| wanted(k)).cloned().collect();
                for key in new {
                    // A key that appears meanwhile may be looked at, or not.
                    if seen.insert(key.clone()) && state.random.chance(1, 2) {
                        left.push(key);
                    }
                }
            }
        }
        found.into_iter().collect()
    }
}

impl State {
    /// Does a create, however it fares.
    pub fn create(&mut self, key: &str, bytes: &[u8]) -> Fate {
        self.note("create", key);
        let faults = self.faults;
        if self.random.chance(faults, 1000) {
            match self.random.below(10) {
                0 => return Fate::Refused,
                1..3 => {}
                3..7 => _ = self.objects.entry(key.to_owned()).or_insert_with(|| bytes.into()),
                _ => self.late.push((key.to_owned(), bytes.into())),
            }
            return Fate::Lost;
        }
        if self.objects.contains_key(key) {
            return Fate::Exists;
        }
        self.objects.insert(key.to_owned(), bytes.into());
        Fate::Done
    }

    pub fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    pub fn clock(&self) -> u64 {
        self.clock
    }

    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.objects.keys()
    }

    /// FNV-1a over all that was asked.
    fn note(&mut self, what: &str, key: &str) {
        for byte in what.bytes().chain(key.bytes()) {
            self.trace = (self.trace ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
