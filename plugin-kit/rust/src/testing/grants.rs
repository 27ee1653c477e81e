//! The logs that a plugin is granted, by label, and its rights on them.
//!
//! 1. A plugin learns only labels, never the log behind one.
//! 2. Each call is admitted before it has an effect: its label is granted, and the right is there.

use std::collections::{BTreeMap, BTreeSet};

use super::calls::Call;

const LABEL_BYTES_MAX: usize = 64;
/// The most characters of an unknown label that an error repeats.
const SHOWN_CHARACTERS_MAX: usize = 40;

/// A right of a plugin on a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Open the log and append to it.
    Append,
    /// Read, count and verify it.
    Read,
    /// Compact it.
    Compact,
    /// Permanently remove its oldest events.
    Trim,
    /// Commit and forget named positions.
    Commit,
}

impl Right {
    /// Every right, in the order in which they are listed.
    pub const ALL: [Self; 5] = [Self::Append, Self::Read, Self::Compact, Self::Trim, Self::Commit];

    /// Returns the right's name, as in `--grant` of `stratalog run`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Read => "read",
            Self::Compact => "compact",
            Self::Trim => "trim",
            Self::Commit => "commit",
        }
    }
}

/// The log behind a label, and the rights on it.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) label: String,
    pub(super) log: String,
    pub(super) rights: BTreeSet<Right>,
}

impl Grant {
    /// Returns an object of the log as the plugin may know it: below the label.
    pub(super) fn object(&self, key: &str) -> String {
        match key.strip_prefix(&self.log).and_then(|rest| rest.strip_prefix('/')) {
            Some(below) => format!("{}/{below}", self.label),
            None => self.label.clone(),
        }
    }
}

/// The grants of a plugin.
#[derive(Default)]
pub(super) struct Grants(BTreeMap<String, Grant>);

impl Grants {
    /// Adds a grant, or replaces the one under its label. Fails with the reason if the label is not
    /// valid.
    pub(super) fn add(&mut self, grant: Grant) -> Result<(), String> {
        let label = &grant.label;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let fits = (1..=LABEL_BYTES_MAX).contains(&label.len())
            && !label.starts_with('.')
            && label.bytes().all(allowed);
        if !fits {
            return Err(format!(
                "{} is not a label for a log: use 1 to {LABEL_BYTES_MAX} letters, digits, - _ or .",
                shown(label)
            ));
        }
        self.0.insert(label.clone(), grant);
        Ok(())
    }

    pub(super) fn get_mut(&mut self, label: &str) -> Option<&mut Grant> {
        self.0.get_mut(label)
    }

    /// Returns the grant of a label, or the reason why there is none.
    pub(super) fn find(&self, label: &str) -> Result<Grant, String> {
        self.0.get(label).cloned().ok_or_else(|| {
            let granted: Vec<&str> = self.0.keys().map(String::as_str).collect();
            let granted = if granted.is_empty() { "none".to_owned() } else { granted.join(", ") };
            format!("no log is granted under the label {}; granted: {granted}", shown(label))
        })
    }

    /// Returns the grant of a label if it allows a call, or the reason why it does not.
    pub(super) fn admit(&self, label: &str, Call(call, right): Call) -> Result<Grant, String> {
        let grant = self.find(label)?;
        if grant.rights.contains(&right) {
            return Ok(grant);
        }
        let rights: Vec<&str> = grant.rights.iter().map(|right| right.name()).collect();
        let rights = if rights.is_empty() { "nothing".to_owned() } else { rights.join(",") };
        let needed = right.name();
        Err(format!("{call} on the log {label} needs the right to {needed}; granted: {rights}"))
    }
}

/// Returns a text of the plugin, safe to print and cut to a limit.
fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN_CHARACTERS_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}
