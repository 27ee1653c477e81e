//! Logs with damaged objects: what a reader left out, and what a repair does.

use crate::sandbox::bindings::exports::stratalog::log::repairs as wit;

/// Damage that a reader left out: see [`ReadOptions::skip_damaged`](crate::ReadOptions::skip_damaged).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The object, relative to the store's root.
    pub object: String,
    /// Its state according to its name, its index or its manifest.
    pub expected: String,
    /// Its actual state.
    pub found: String,
    /// Events that could not be returned. None where nothing says how many there were.
    pub events: Option<u64>,
}

/// What a repair does about a damaged object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RepairAction {
    /// The object is copied to `set-aside_` and its name, which the log ignores. Those of its events that
    /// cannot be read are written again from copies that stand elsewhere in the log's folder and that
    /// digests prove, or else recorded as lost: they keep their positions, and a reader that comes to them
    /// reports them as [`Page::missed`](crate::Page::missed). An object that never was the batch that its
    /// name says is copied so and deleted, and has no events.
    SetAside,
    /// The object is gone, so there is nothing to set aside. Its events are written again from copies, or
    /// recorded as lost, as for [`RepairAction::SetAside`].
    Gone,
    /// It is copied to such a name, if it is there, and written again, the same as it was: its digest proves
    /// that, or, of the current manifest, what is left of it. Before that manifest is replaced the log goes
    /// on with a new one that says the same.
    Rebuild,
    /// The current manifest, torn when it was written, is copied to such a name and deleted: the log goes
    /// on from the manifest before it, which has all its events.
    StepBack,
    /// An older manifest is copied to such a name, if it is there, and replaced by a stand-in, which says the
    /// generation and the log's identity alone. Nothing is read by an older manifest.
    StandIn,
    /// The index of a trimmed segment is copied to such a name, if it is there, and its record is left out
    /// of the manifest. A batch that was in it and whose create lands after this is taken for a new one.
    Forget,
    /// Nothing can be done, for the reason given, which says what to do.
    Nothing(String),
}

/// A damaged object, and what a repair does about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairStep {
    /// The object, relative to the store's root.
    pub object: String,
    /// Its state according to its name, its index or its manifest.
    pub expected: String,
    /// Its actual state.
    pub found: String,
    /// The remedy.
    pub action: RepairAction,
    /// Events that are lost by it.
    pub events_lost: u64,
}

impl From<wit::Skipped> for Skipped {
    fn from(skipped: wit::Skipped) -> Self {
        let wit::Skipped { damage, events } = skipped;
        Self { object: damage.object, expected: damage.expected, found: damage.found, events }
    }
}

impl From<wit::RepairStep> for RepairStep {
    fn from(step: wit::RepairStep) -> Self {
        let wit::RepairStep { damage, action, events_lost } = step;
        let action = match action {
            wit::RepairAction::SetAside => RepairAction::SetAside,
            wit::RepairAction::Gone => RepairAction::Gone,
            wit::RepairAction::Rebuild => RepairAction::Rebuild,
            wit::RepairAction::StepBack => RepairAction::StepBack,
            wit::RepairAction::StandIn => RepairAction::StandIn,
            wit::RepairAction::Forget => RepairAction::Forget,
            wit::RepairAction::Nothing(why) => RepairAction::Nothing(why),
        };
        let (object, expected, found) = (damage.object, damage.expected, damage.found);
        Self { object, expected, found, action, events_lost }
    }
}
