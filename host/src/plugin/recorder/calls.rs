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
    fn add(&mut self, more: &Self) {
        self.count += more.count;
        self.amount.events = self.amount.events.saturating_add(more.amount.events);
        self.amount.bytes = self.amount.bytes.saturating_add(more.amount.bytes);
        // A call may end after later ones have begun.
        self.first = self.first.min(more.first);
        self.last = self.last.max(more.last);
    }
}

/// The groups of a stretch.
#[derive(Debug, Default)]
pub(super) struct Groups {
    groups: Vec<Group>,
    places: HashMap<Key, usize>,
}

impl Groups {
    /// Counts calls.
    pub(super) fn add(&mut self, mut calls: Group) {
        if !self.places.contains_key(&calls.key) && self.groups.len() >= GROUPS_MAX {
            calls.key = coarse(calls.key);
        }
        let new = self.groups.len();
        let place = *self.places.entry(calls.key.clone()).or_insert(new);
        match self.groups.get_mut(place) {
            Some(group) => group.add(&calls),
            None => self.groups.push(calls),
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

    fn call(call: Call, handle: u64, outcome: CallOutcome, number: u64, bytes: u64) -> Group {
        let key = Key { call, label: "errors".into(), handle: Some(handle), outcome };
        let at = (number, Instant::now());
        Group { key, count: 1, amount: Amount { events: 1, bytes }, first: at, last: at }
    }

    #[test]
    fn equal_calls_are_one_group_and_each_other_outcome_is_its_own() {
        let mut groups = Groups::default();
        let mut succeeded = |function, handle, number| {
            groups.add(call(function, handle, CallOutcome::Succeeded, number, 10));
        };
        (1..=4).for_each(|number| succeeded(Call::Append, 1, number));
        succeeded(Call::Append, 1, 7);
        succeeded(Call::AppendLines, 1, 8);
        succeeded(Call::Append, 2, 9);
        for (text, number) in [("a", 5), ("b", 6)] {
            let denied = CallOutcome::Failed("denied", text.to_owned());
            groups.add(call(Call::Append, 1, denied, number, 0));
        }
        let groups = groups.into_sorted();
        let seen: Vec<_> =
            groups.iter().map(|group| (group.count, group.first.0, group.last.0)).collect();
        assert_eq!(seen, [(5, 1, 7), (1, 5, 5), (1, 6, 6), (1, 8, 8), (1, 9, 9)]);
        assert_eq!(groups[0].amount.bytes, 50);
    }

    #[test]
    fn group_begins_with_its_first_call_also_if_that_ends_last() {
        let mut groups = Groups::default();
        for number in [5, 3, 4] {
            groups.add(call(Call::Flush, 1, CallOutcome::Succeeded, number, 0));
        }
        let groups = groups.into_sorted();
        assert_eq!((groups[0].first.0, groups[0].last.0), (3, 5));
    }

    /// The label of a denied call may be any text, and each other one is that of a granted log.
    #[test]
    fn calls_beyond_the_bound_keep_the_label_of_a_log_and_no_other() {
        let mut groups = Groups::default();
        let of = |label: &str, kind, number| {
            let denied = CallOutcome::Failed(kind, "a message".to_owned());
            let mut call = call(Call::Open, 1, denied, number, 0);
            call.key.label = label.into();
            call
        };
        groups.add(of("errors", "closed", 0));
        for number in 1..GROUPS_MAX {
            let number = u64::try_from(number).unwrap();
            groups.add(of(&number.to_string(), "denied", number));
        }
        for (label, kind) in [("any", "denied"), ("other", "denied"), ("audit", "conflict")] {
            groups.add(of(label, kind, 1_000));
        }
        // One that has a group already.
        groups.add(of("errors", "closed", 1_001));
        let groups = groups.into_sorted();
        let seen = |group: &Group| {
            let outcome = format!("{:?}", group.key.outcome);
            (group.key.label.to_string(), outcome, group.key.handle, group.count)
        };
        let first = (String::from("errors"), r#"Failed("closed", "a message")"#.to_owned());
        assert_eq!(seen(&groups[0]), (first.0, first.1, Some(1), 2));
        let coarse = &groups[GROUPS_MAX..];
        let expected =
            [("", r#"Failed("denied", "")"#, 2), ("audit", r#"Failed("conflict", "")"#, 1)];
        let expected =
            expected.map(|(label, of, count)| (label.to_owned(), of.to_owned(), None, count));
        assert_eq!(coarse.iter().map(seen).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn groups_are_bounded_and_every_call_is_counted() {
        let mut groups = Groups::default();
        for number in 0..10_000 {
            let outcome = CallOutcome::Failed("denied", number.to_string());
            groups.add(call(Call::Open, number, outcome, number, 0));
            groups.add(call(Call::Read, number, CallOutcome::Succeeded, number, 1));
        }
        let groups = groups.into_sorted();
        assert_eq!(groups.len(), GROUPS_MAX + 2);
        assert_eq!(groups.iter().map(|group| group.count).sum::<u64>(), 20_000);
    }
}
