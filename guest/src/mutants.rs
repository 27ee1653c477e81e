//! Broken rules, to show that the tests notice: the logic with one rule taken out. Only the tests
//! build this in; elsewhere no rule is ever broken.

/// A rule of the protocols that can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// Batches are listed once: a listing is taken for a snapshot.
    ListOnce,
    /// A reader lists manifests before batches.
    ManifestFirst,
    /// A sealed batch is tried again under a new name.
    RenameOnRetry,
    /// A reader forgets which live batches it has yielded.
    ForgetSeen,
    /// A compactor deletes what it planned, not what the manifest in force holds.
    DeleteOwn,
    /// A writer's own read takes what the writer holds after the store was read, not before. Who
    /// calls decides that order, so it is broken there.
    PendingLast,
    /// A writer's own read yields what that writer wrote after the pass began.
    KeepNewer,
    /// A listing that shows no manifest, or an older one, is believed after a newer one was seen.
    AcceptVanished,
    /// The first manifest is deleted like any other.
    DeleteFirst,
    /// A compactor deletes after it has committed a generation that was passed long ago.
    ReuseGeneration,
    /// Manifests are deleted without the marker of their group.
    DeleteUnmarked,
    /// A compactor deletes although the listing does not show the manifest that it has committed.
    TrustAfterCommit,
    /// A listing that contradicts the manifest in force decides what is rewritten and deleted.
    TrustDisagreement,
    /// Those about looks together: no listing is doubted.
    TrustAnyListing,
    /// A reader goes on from a position of another log.
    SkipIdentity,
    /// A compaction commits a batch that stands twice in what it writes.
    CommitTwice,
    /// A compaction copies the trimmed events of the first segment with the others.
    CopyTrimmed,
    /// A trim leaves the trimmed events in the segment at its boundary, though it should not.
    LeaveBoundary,
    /// An "already exists" is believed without a look at the object.
    TrustExisting,
    /// A batch that was cut counts its events as if it had not been.
    ForgetOffset,
    /// A repair makes a manifest again that need not be the one that was damaged.
    RebuildUnproven,
    /// A repair replaces the damaged manifest before the log has gone on to the next one.
    RebuildInPlace,
    /// A repair goes on from the manifest before the damaged one, whatever is lost by it.
    StepBackUnproven,
    /// A repair gives up all of a segment of which something is damaged.
    LoseWhole,
}

#[cfg(feature = "mutants")]
mod switch {
    use std::cell::Cell;

    use super::Mutant;

    thread_local! {
        static BROKEN: Cell<Option<Mutant>> = const { Cell::new(None) };
    }

    /// Breaks a rule for the current thread, or none.
    pub fn set(mutant: Option<Mutant>) {
        BROKEN.set(mutant);
    }

    /// Whether the current thread breaks the rule.
    pub fn is(mutant: Mutant) -> bool {
        let broken = BROKEN.get();
        let is_listing = matches!(
            mutant,
            Mutant::AcceptVanished
                | Mutant::TrustAfterCommit
                | Mutant::TrustDisagreement
                | Mutant::ReuseGeneration
        );
        broken == Some(mutant) || (is_listing && broken == Some(Mutant::TrustAnyListing))
    }
}

#[cfg(feature = "mutants")]
pub use switch::{is, set};

/// No rule is broken.
#[cfg(not(feature = "mutants"))]
pub(crate) const fn is(_: Mutant) -> bool {
    false
}
