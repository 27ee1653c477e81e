//! The logic with one rule of the protocols broken, to prove that the tests notice. Only the tests
//! build this in; elsewhere no rule is ever broken.

/// A rule of the protocols that can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// Batches are listed once: a listing counts as a snapshot.
    ListOnce,
    /// A reader lists manifests before batches.
    ManifestFirst,
    /// A sealed batch is retried under a new name.
    RenameOnRetry,
    /// A reader forgets which live batches it has yielded.
    ForgetSeen,
    /// A compactor deletes the batches that it planned to, not those that the current manifest
    /// absorbed.
    DeleteOwn,
    /// A writer's own read takes the writer's pending events after reading the store, not before.
    /// The caller decides that order, so the rule is broken there.
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
    /// A listing that contradicts the current manifest decides what is rewritten and deleted.
    TrustDisagreement,
    /// All mutants about listings together: no listing is doubted.
    TrustAnyListing,
    /// A reader resumes from a position of another log.
    SkipIdentity,
    /// A segment is written before its index.
    SegmentFirst,
    /// A segment without an index is taken for the garbage of a crash.
    SegmentAlone,
    /// A segment whose fate is unknown is deleted with its index, and may land after that.
    DiscardInDoubt,
    /// A compaction commits a batch that occurs twice in its output.
    CommitTwice,
    /// A compaction copies the trimmed events of the first segment with the others.
    CopyTrimmed,
    /// A trim leaves the trimmed events in the segment at its boundary, though it should not.
    LeaveBoundary,
    /// An "already exists" is trusted without reading the object.
    TrustExisting,
    /// A batch that was cut counts its events as if it had not been.
    ForgetOffset,
    /// A repair rebuilds a manifest that need not be the one that was damaged.
    RebuildUnproven,
    /// A repair replaces the damaged manifest before it commits the next one.
    RebuildInPlace,
    /// A repair resumes from the manifest before the damaged one, although events are lost.
    StepBackUnproven,
    /// A repair drops all of a segment when part of it is damaged.
    LoseWhole,
    /// A writer acknowledges a batch before an earlier one is stored.
    AcknowledgeEarly,
    /// A batch is shown although one of its writer before it is missing.
    ShowGap,
    /// A batch that is missing counts as absorbed.
    AbsentIsAbsorbed,
    /// The batch before another is not looked up in the indexes of trimmed segments.
    ForgetRetired,
    /// The load that doubts a batch also decides that doubt.
    DecideByOneLoad,
    /// A position forgets that the newest batch of a writer was yielded in part.
    ForgetPartlyYielded,
    /// The entry of a writer stays in a position that has passed its batch.
    KeepPassedWriter,
    /// Of the events that a trim took from under a reader, those that were yielded while their
    /// batches were live count as missed.
    MiscountYielded,
    /// A follower that polls the newest of many live batches never looks at the others.
    PollTheNewestOnly,
    /// A poll does not look at the manifests.
    PollBatchesOnly,
    /// A copy creates the manifest before the segments that it names.
    CopyManifestFirst,
    /// A copy creates the batches of a writer in any order.
    CopyUnordered,
    /// A confirmed batch that is gone is passed in silence.
    GoneUnnoticed,
    /// A confirmed batch that is gone does not keep a compaction, a trim or a count from the rest.
    OverlookGone,
    /// A batch outside the wanted times counts as passed before those ahead of it are read.
    PassByTimeEarly,
    /// A dropped record of a trimmed segment does not move the horizon.
    DropHorizon,
    /// The record of a trimmed segment is dropped though a batch before a listed one may be in it.
    DropNeededIndex,
    /// The record of a trimmed segment is dropped though a listed batch may be in it.
    DropListedBatch,
    /// A retry says that its batch waits for those that the first try waited for.
    WaitingStays,
    /// Two names of one batch, which wait for different batches, are two batches.
    KnownByName,
    /// A writer's own read leaves out the sealed batches that it meets in the store, and not those
    /// before them.
    TailByName,
    /// A verification calls batches stranded that its first load has hidden.
    VerifyFirstLook,
    /// A verification continues behind all segments of a log that has changed.
    VerifyFromEnd,
    /// A repair goes past a batch that may still land.
    StepOverUnconfirmed,
    /// A commit of a position does not look at the commit before.
    PredecessorUnchecked,
    /// The first commit of a position does not look for later ones.
    FirstUnchecked,
    /// A commit of a position takes that of another reader for its own.
    ConflictIgnored,
    /// Old commits of a position are deleted newest first.
    CollectUnordered,
    /// A trim that holds at named positions removes events that one has not passed.
    TrimPastNames,
    /// A feed starts a create before its batch is recorded.
    StartAtSeal,
    /// A feed that resumes does not look for its batches in the indexes.
    ResumeByListing,
    /// A feed that resumes creates a batch again that may have been trimmed.
    ResumeBelowHorizon,
    /// A parked writer continues with another id.
    ParkedWithoutWriter,
    /// A parked writer forgets the time of its last batch.
    ParkedWithoutTime,
    /// A parked writer counts its batches from 0 again.
    ParkedWithoutNumber,
    /// A parked writer forgets what it has made durable.
    ParkedWithoutWritten,
    /// A parked writer continues with the default options.
    ParkedWithoutOptions,
    /// A parked writer forgets the highest generation that it has seen.
    ParkedWithoutGeneration,
    /// A parked writer loses the events that are in no batch.
    ParkedWithoutEvents,
    /// The events of a parked writer that are in no batch count as just appended.
    ParkedWithoutAge,
    /// A parked reader forgets which live batches it has yielded.
    ParkedReaderWithoutYielded,
    /// A parked reader continues behind a batch that it has not yielded.
    ParkedReaderAhead,
    /// A parked reader yields batches of any time.
    ParkedReaderWithoutTimes,
    /// A parked reader that was to start at the last events starts at the first one.
    ParkedReaderWithoutStart,
    /// A parked reader yields any number of events.
    ParkedReaderWithoutLimit,
    /// A parked reader does not count trimmed events as missed.
    ParkedReaderFresh,
    /// A parked reader does not report that there is no log.
    ParkedReaderOfAnyLog,
    /// A parked reader ends in the middle of a pass.
    ParkedReaderAtEnd,
    /// A parked reader forgets the highest generation that it has seen.
    ParkedReaderWithoutGeneration,
    /// A parked reader forgets the commit that it has seen of its name.
    ParkedReaderWithoutCommit,
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

    /// Returns true if the current thread breaks the rule.
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
