//! Computes a memory from the events of a log, in their order. Pure: knows no log and no clock.
//!
//! 1. Events in, state out. The same events in the same order make the same memory, for any writer.
//! 2. Every event that can be decoded is applied, also if its writer did not know of another's
//!    event. None is lost: of two concurrent revisions of one version, both are kept.
//! 3. [`Memory::plan`] refuses a change that makes no sense now. [`Memory::apply`] accepts what was
//!    written.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Event, Id, check_key, check_text};

/// The most texts that are kept, while a log can hold any number. Short ones need at most 100 MB.
const ITEMS_MAX: usize = 100_000;
/// The fewest digits of an id. Fewer are probably a typing error.
const ID_START_MIN: usize = 4;

/// One text under one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) id: Id,
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) added_at: u64,
    /// The number of repetitions.
    pub(crate) replays: u64,
    /// The version that this one replaced. The log may no longer hold it.
    pub(crate) parent: Option<Id>,
    pub(crate) superseded: Option<Superseded>,
    pub(crate) retired: Option<Retired>,
    /// The number of texts added before it.
    order: usize,
}

/// The time of a replacement, and the new version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Superseded {
    pub(crate) at: u64,
    pub(crate) by: Id,
}

/// The time and the reason of a retirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Retired {
    pub(crate) at: u64,
    pub(crate) reason: String,
}

impl Item {
    /// Returns whether look-ups show it.
    pub(crate) fn is_live(&self) -> bool {
        self.superseded.is_none() && self.retired.is_none()
    }
}

/// A requested change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Upsert { key: String, text: String },
    Revise { id: String, text: String },
    Retire { id: String, reason: String },
}

/// The effect of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Added(Id),
    Replayed(Id),
    Revised { parent: Id, by: Id },
    Retired(Id),
}

/// All texts, with their histories.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    items: BTreeMap<Id, Item>,
}

impl Memory {
    /// Returns the event that makes a change, as of now.
    ///
    /// # Errors
    /// The reason why the change makes no sense, and one that would.
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
    /// The reason why it has no effect: it retires an unknown text, or there are too many
    /// texts.
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
                    // A text that is added again is valid again.
                    child.parent = Some(parent.clone());
                    child.superseded = None;
                }
                if let Some(known) = self.items.get_mut(&parent) {
                    // Of two concurrent revisions the first one is named, and both are kept.
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

    /// Returns the valid texts, by key and then in the order in which they were added.
    pub(crate) fn live(&self) -> Vec<&Item> {
        let mut items: Vec<&Item> = self.items.values().filter(|item| item.is_live()).collect();
        items.sort_by(|a, b| a.key.cmp(&b.key).then(a.order.cmp(&b.order)));
        items
    }

    /// Returns the valid texts with all these words in the key or in the text. Case is ignored.
    pub(crate) fn look_up(&self, words: &[String]) -> Vec<&Item> {
        let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
        let mut found = self.live();
        found.retain(|item| {
            let (key, text) = (item.key.to_lowercase(), item.text.to_lowercase());
            words.iter().all(|word| key.contains(word) || text.contains(word))
        });
        found
    }

    /// Returns all versions before and after one, from the root to the tip. Each is returned once,
    /// even if a text was added again and the versions form a circle.
    ///
    /// # Errors
    /// There is no such id.
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

    /// Returns the text whose id begins with these digits.
    ///
    /// # Errors
    /// There is none, or more than one.
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
