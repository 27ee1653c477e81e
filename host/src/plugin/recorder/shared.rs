//! The place where calls leave their record for the task that writes it.

use std::mem::take;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::calls::{Amount, CallOutcome, Group, Groups, Key};
use super::streak::{Counted, Counters, Taken};
use super::texts::{Stream, Texts};
use crate::sandbox::bindings::wasi::logging::logging::Level;

/// A call that has not returned for this time is recorded as waiting.
const WAIT_MIN: Duration = Duration::from_millis(200);

/// Takes what a plugin does. Cheap to clone; all clones are of one run.
#[derive(Clone)]
pub(in crate::plugin) struct Recorder(Arc<Shared>);

struct Shared {
    /// The two clocks at one moment.
    begun: (Instant, SystemTime),
    streak: Counters,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The number of the last call or text.
    number: u64,
    calls: Groups,
    /// The current streak of calls, or the last one.
    streak: Option<Taken>,
    texts: Texts,
    /// The call that has not returned: the plugin makes one at a time.
    waiting: Option<Group>,
    /// True if it is recorded as waiting.
    is_waiting_recorded: bool,
}

/// All that happened in a stretch of time.
pub(super) struct Stretch {
    pub(super) calls: Vec<Group>,
    pub(super) texts: Texts,
}

impl Shared {
    /// Returns the next number, after those of the streak.
    fn next(&self, state: &mut State) -> u64 {
        self.end_streak(state);
        state.number += 1;
        state.number
    }

    /// Takes the calls of the streak, which ends it.
    fn end_streak(&self, state: &mut State) {
        let streak = state.streak.as_mut();
        if let Some(group) = streak.and_then(|streak| streak.look(&self.streak, self.begun.0)) {
            state.number = state.number.max(group.last.0);
            state.calls.add(group);
        }
    }
}

impl Recorder {
    pub(in crate::plugin) fn new() -> Self {
        let begun = (Instant::now(), SystemTime::now());
        Self(Arc::new(Shared { begun, streak: Counters::default(), state: Mutex::default() }))
    }

    /// Begins a streak with a call that did not wait.
    pub(super) fn begin_streak(&self, key: Key, begun: Instant, first: Counted) {
        let mut state = self.state();
        let number = self.0.next(&mut state);
        self.0.streak.begin(first);
        state.streak = Some(Taken::new(key, (number, begun)));
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.0.streak
    }

    pub(super) fn begun(&self) -> Instant {
        self.0.begun.0
    }

    /// Takes a call that begins; returns its number.
    pub(super) fn begin(&self, key: Key, begun: Instant) -> u64 {
        let mut state = self.state();
        let at = (self.0.next(&mut state), begun);
        let waiting = Group { key, count: 1, amount: Amount::default(), first: at, last: at };
        state.waiting = Some(waiting);
        state.is_waiting_recorded = false;
        at.0
    }

    /// Counts a call with its outcome.
    pub(super) fn ended(&self, key: Key, amount: Amount, at: (u64, Instant)) {
        let mut state = self.state();
        if state.waiting.as_ref().is_some_and(|waiting| waiting.first.0 == at.0) {
            state.waiting = None;
        }
        state.calls.add(Group { key, count: 1, amount, first: at, last: at });
    }

    /// Returns the number of a call that does not wait.
    pub(super) fn number(&self) -> u64 {
        self.0.next(&mut self.state())
    }

    pub(in crate::plugin) fn message(&self, level: Level, text: &str) {
        let mut state = self.state();
        let at = (self.0.next(&mut state), Instant::now());
        state.texts.message(level, text, at);
    }

    pub(in crate::plugin) fn output(&self, stream: Stream, bytes: &[u8]) {
        let mut state = self.state();
        let at = (self.0.next(&mut state), Instant::now());
        state.texts.output(stream, bytes, at);
    }

    /// Takes all that happened since the last time.
    pub(super) fn take(&self, now: Instant) -> Stretch {
        let mut state = self.state();
        self.0.end_streak(&mut state);
        let (calls, texts) = (take(&mut state.calls), take(&mut state.texts));
        let is_long = |group: &&Group| now.saturating_duration_since(group.first.1) >= WAIT_MIN;
        let waiting = match state.is_waiting_recorded {
            true => None,
            false => state.waiting.as_ref().filter(is_long).cloned(),
        };
        state.is_waiting_recorded |= waiting.is_some();
        drop(state);
        let mut calls = calls.into_sorted();
        calls.extend(waiting.map(|mut group| {
            group.key.outcome = CallOutcome::Waiting;
            group
        }));
        Stretch { calls, texts }
    }

    /// Returns the time of day at a moment of the run.
    pub(super) fn time(&self, at: Instant) -> SystemTime {
        let (begun, time) = self.0.begun;
        time + at.saturating_duration_since(begun)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
