//! The calls of a stretch of time: equal ones are one group.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use super::super::usage::Call;

/// The most groups of a stretch. Beyond it, calls of any handle and with any message are one group
/// for each function, label and kind of outcome.
const GROUPS_MAX: usize = 256;

/// The outcome of a call, as far as it tells groups apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum CallOutcome {
    Succeeded,
    /// The call failed: the kind of the error as in the WIT, and its message.
    Failed(&'static str, String),
    /// The call did not return: it trapped, or the run ended meanwhile.
    Unfinished,
    /// The call has not returned yet. Its outcome follows under the same number.
    Waiting,
}

impl CallOutcome {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Succeeded => "ok",
            Self::Failed(kind, _) => kind,
            Self::Unfinished => "unfinished",
            Self::Waiting => "waiting",
        }
    }
}

/// The properties that equal calls have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) call: Call,
    pub(super) label: Arc<str>,
    /// The number of the call that opened the handle.
    pub(super) handle: Option<u64>,
    pub(super) outcome: CallOutcome,
}

/// The sums of the calls of a group.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Amount {
    pub(super) events: u64,
    pub(super) bytes: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) key: Key,
    pub(super) count: u64,
    pub(super) amount: Amount,
    /// The numbers of the first and the last call, and the times at which they began.
    pub(super) first: (u64, Instant),
    pub(super) last: (u64, Instant),
}

impl Group {
    fn add(&mut self, amount: Amount, at: (u64, Instant)) {
        self.count += 1;
        self.amount.events = self.amount.events.saturating_add(amount.events);
        self.amount.bytes = self.amount.bytes.saturating_add(amount.bytes);
        // A call may end after later ones have begun.
        self.first = self.first.min(at);
        self.last = self.last.max(at);
    }
}

/// The groups of a stretch.
#[derive(Debug, Default)]
pub(super) struct Groups {
    groups: Vec<Group>,
    places: HashMap<Key, usize>,
    /// The group of the last append that succeeded.
    recent: usize,
}

impl Groups {
    /// Counts a successful call on a handle. Such calls are frequent, and mostly equal.
    pub(super) fn succeeded(
        &mut self,
        (call, handle): (Call, u64),
        label: &Arc<str>,
        amount: Amount,
        at: (u64, Instant),
    ) {
        if let Some(group) = self.groups.get_mut(self.recent)
            && group.key.handle == Some(handle)
            && group.key.call == call
            && group.key.outcome == CallOutcome::Succeeded
        {
            group.add(amount, at);
            return;
        }
        let (label, handle) = (label.clone(), Some(handle));
        self.add(Key { call, label, handle, outcome: CallOutcome::Succeeded }, amount, at);
    }

    /// Counts a call.
    pub(super) fn add(&mut self, key: Key, amount: Amount, at: (u64, Instant)) {
        let key = match self.places.contains_key(&key) || self.groups.len() < GROUPS_MAX {
            true => key,
            false => coarse(key),
        };
        let new = self.groups.len();
        let place = *self.places.entry(key.clone()).or_insert(new);
        self.recent = place;
        match self.groups.get_mut(place) {
            Some(group) => group.add(amount, at),
            None => self.groups.push(Group { key, count: 1, amount, first: at, last: at }),
        }
    }

    /// Returns the groups by the numbers of their first calls.
    pub(super) fn into_sorted(mut self) -> Vec<Group> {
        self.groups.sort_by_key(|group| group.first.0);
        self.groups
    }
}

/// Returns the key of a call without what a plugin can vary at will.
fn coarse(key: Key) -> Key {
    let outcome = match key.outcome {
        CallOutcome::Failed(kind, _) => CallOutcome::Failed(kind, String::new()),
        outcome => outcome,
    };
    // The label of a denied call may be any text.
    let label = if outcome.name() == "denied" { "".into() } else { key.label };
    Key { call: key.call, label, handle: None, outcome }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(call: Call, handle: u64, outcome: CallOutcome) -> Key {
        Key { call, label: "errors".into(), handle: Some(handle), outcome }
    }

    fn one(bytes: u64) -> Amount {
        Amount { events: 1, bytes }
    }

    #[test]
    fn equal_calls_are_one_group_and_each_other_outcome_is_its_own() {
        let (mut groups, now) = (Groups::default(), Instant::now());
        let label: Arc<str> = "errors".into();
        for number in 1..=4 {
            groups.succeeded((Call::Append, 1), &label, one(10), (number, now));
        }
        let denied = |text: &str| CallOutcome::Failed("denied", text.to_owned());
        groups.add(key(Call::Append, 1, denied("a")), Amount::default(), (5, now));
        groups.add(key(Call::Append, 1, denied("b")), Amount::default(), (6, now));
        groups.succeeded((Call::Append, 1), &label, one(10), (7, now));
        groups.succeeded((Call::AppendLines, 1), &label, one(1), (8, now));
        groups.succeeded((Call::Append, 2), &label, one(1), (9, now));
        let groups = groups.into_sorted();
        let seen: Vec<_> =
            groups.iter().map(|group| (group.count, group.first.0, group.last.0)).collect();
        assert_eq!(seen, [(5, 1, 7), (1, 5, 5), (1, 6, 6), (1, 8, 8), (1, 9, 9)]);
        assert_eq!(groups[0].amount.bytes, 50);
    }

    #[test]
    fn groups_are_bounded_and_every_call_is_counted() {
        let (mut groups, now) = (Groups::default(), Instant::now());
        for number in 0..10_000 {
            let outcome = CallOutcome::Failed("denied", number.to_string());
            groups.add(key(Call::Open, number, outcome), Amount::default(), (number, now));
            groups.add(key(Call::Read, number, CallOutcome::Succeeded), one(1), (number, now));
        }
        let groups = groups.into_sorted();
        assert_eq!(groups.len(), GROUPS_MAX + 2);
        assert_eq!(groups.iter().map(|group| group.count).sum::<u64>(), 20_000);
    }
}
