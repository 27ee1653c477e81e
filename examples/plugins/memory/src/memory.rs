//! A memory: what the events of a log, in their order, come to. Pure; knows no log and no clock.
//!
//! 1. Events in, state out: the same events in the same order make the same memory, whoever wrote them.
//! 2. Every event that can be decoded is applied, also those that two writers would not have written
//!    had they known of each other. None is lost: of two revisions of one version both stand.
//! 3. [`Memory::plan`] refuses what makes no sense now; [`Memory::apply`] takes what was written.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Event, Id, check_key, check_text};

/// A log can hold any number of texts; this many are kept, about 100 MB of short ones at most.
const ITEMS_MAX: usize = 100_000;
/// Fewer digits of an id are taken for a slip.
const ID_START_MIN: usize = 4;

/// One text under one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) id: Id,
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) added_at: u64,
    /// How often the same was met again.
    pub(crate) replays: u64,
    /// The version that this one took the place of; the log may not hold it any longer.
    pub(crate) parent: Option<Id>,
    pub(crate) superseded: Option<Superseded>,
    pub(crate) retired: Option<Retired>,
    /// How many were added before it.
    order: usize,
}

/// When and by what a version was superseded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Superseded {
    pub(crate) at: u64,
    pub(crate) by: Id,
}

/// When and why a text was retired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Retired {
    pub(crate) at: u64,
    pub(crate) reason: String,
}

impl Item {
    /// Whether look-ups show it.
    pub(crate) fn is_live(&self) -> bool {
        self.superseded.is_none() && self.retired.is_none()
    }
}

/// A change that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Upsert { key: String, text: String },
    Revise { id: String, text: String },
    Retire { id: String, reason: String },
}

/// What an event did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Added(Id),
    Replayed(Id),
    Revised { parent: Id, by: Id },
    Retired(Id),
}

/// All texts, with what happened to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    items: BTreeMap<Id, Item>,
}

impl Memory {
    /// Says which event makes a change, as of now.
    ///
    /// # Errors
    /// Why the change makes no sense, and what would.
    pub(crate) fn plan(&self, change: Change, now: u64) -> Result<Event, String> {
        match change {
            Change::Upsert { key, text } => {
                check_key(&key).and_then(|()| check_text("text", &text))?;
                Ok(Event::Upsert { at: now, key, text })
            }
            Change::Revise { id, text } => {
                check_text("text", &text)?;
                let parent = self.find_live(&id)?;
                let child = Id::of(&parent.key, &text);
                if child == parent.id {
                    return Err(format!("{child} says that already"));
                }
                if let Some(retired) = self.items.get(&child).and_then(|item| item.retired.as_ref())
                {
                    return Err(format!("{child} says that and was retired: {}", retired.reason));
                }
                Ok(Event::Revise {
                    at: now,
                    parent: parent.id.clone(),
                    key: parent.key.clone(),
                    text,
                })
            }
            Change::Retire { id, reason } => {
                check_text("reason", &reason)?;
                Ok(Event::Retire { at: now, id: self.find_live(&id)?.id.clone(), reason })
            }
        }
    }

    /// Applies an event.
    ///
    /// # Errors
    /// Why it has no effect: it retires what is not here, or there are too many texts.
    pub(crate) fn apply(&mut self, event: Event) -> Result<Effect, String> {
        match event {
            Event::Upsert { at, key, text } => {
                let id = Id::of(&key, &text);
                if let Some(known) = self.items.get_mut(&id) {
                    known.replays = known.replays.saturating_add(1);
                    return Ok(Effect::Replayed(id));
                }
                self.add(id.clone(), key, text, at)?;
                Ok(Effect::Added(id))
            }
            Event::Revise { at, parent, key, text } => {
                let by = Id::of(&key, &text);
                if by == parent {
                    return self.apply(Event::Upsert { at, key, text });
                }
                if !self.items.contains_key(&by) {
                    self.add(by.clone(), key, text, at)?;
                }
                if let Some(child) = self.items.get_mut(&by) {
                    // A text that comes back holds again.
                    child.parent = Some(parent.clone());
                    child.superseded = None;
                }
                if let Some(known) = self.items.get_mut(&parent) {
                    // Of two revisions at one time the first one is named; both stand.
                    known.superseded.get_or_insert(Superseded { at, by: by.clone() });
                }
                Ok(Effect::Revised { parent, by })
            }
            Event::Retire { at, id, reason } => {
                let Some(known) = self.items.get_mut(&id) else {
                    return Err(format!("it retires {id}, which no event before it adds"));
                };
                known.retired.get_or_insert(Retired { at, reason });
                Ok(Effect::Retired(id))
            }
        }
    }

    fn add(&mut self, id: Id, key: String, text: String, added_at: u64) -> Result<(), String> {
        let order = self.items.len();
        if order >= ITEMS_MAX {
            return Err(format!("it adds to the {ITEMS_MAX} texts that a memory holds at most"));
        }
        let item = Item {
            id: id.clone(),
            key,
            text,
            added_at,
            replays: 0,
            parent: None,
            superseded: None,
            retired: None,
            order,
        };
        self.items.insert(id, item);
        Ok(())
    }

    /// What holds, by key and then in the order in which it was added.
    pub(crate) fn live(&self) -> Vec<&Item> {
        let mut items: Vec<&Item> = self.items.values().filter(|item| item.is_live()).collect();
        items.sort_by(|a, b| a.key.cmp(&b.key).then(a.order.cmp(&b.order)));
        items
    }

    /// What holds and has all these words, in the key or in the text, whatever their case.
    pub(crate) fn look_up(&self, words: &[String]) -> Vec<&Item> {
        let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
        let mut found = self.live();
        found.retain(|item| {
            let (key, text) = (item.key.to_lowercase(), item.text.to_lowercase());
            words.iter().all(|word| key.contains(word) || text.contains(word))
        });
        found
    }

    /// All versions that led to one, and those that it led to: from the root to the tip, each once
    /// even where a text came back and the versions form a circle.
    ///
    /// # Errors
    /// When there is no such id.
    pub(crate) fn history(&self, id_start: &str) -> Result<Vec<&Item>, String> {
        let from = self.find(id_start)?;
        let mut seen = BTreeSet::from([&from.id]);
        let mut versions = vec![from];
        let mut at = from;
        while let Some(parent) = at.parent.as_ref().and_then(|id| self.items.get(id))
            && seen.insert(&parent.id)
        {
            versions.push(parent);
            at = parent;
        }
        versions.reverse();
        at = from;
        while let Some(next) = at.superseded.as_ref().and_then(|stamp| self.items.get(&stamp.by))
            && seen.insert(&next.id)
        {
            versions.push(next);
            at = next;
        }
        Ok(versions)
    }

    /// The one whose id begins so.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub(crate) fn find(&self, id_start: &str) -> Result<&Item, String> {
        if id_start.len() < ID_START_MIN {
            return Err(format!("{id_start:?} is too short for an id: give {ID_START_MIN} digits"));
        }
        let mut found = self.items.values().filter(|item| item.id.as_str().starts_with(id_start));
        match (found.next(), found.next()) {
            (Some(item), None) => Ok(item),
            (None, _) => Err(format!("there is no id that begins with {id_start:?}")),
            (Some(_), Some(_)) => Err(format!("more than one id begins with {id_start:?}")),
        }
    }

    fn find_live(&self, id_start: &str) -> Result<&Item, String> {
        let item = self.find(id_start)?;
        match item {
            Item { retired: Some(retired), .. } => {
                Err(format!("{} was retired: {}", item.id, retired.reason))
            }
            Item { superseded: Some(stamp), .. } => {
                Err(format!("{} was superseded by {}: give that", item.id, stamp.by))
            }
            _ => Ok(item),
        }
    }
}

#[cfg(test)]
mod tests;
