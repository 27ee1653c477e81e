//! Checks that find out the abilities of a store, and their meaning for a log.
//!
//! Owns: the order of the checks, the conditions to pass, the verdict, and the removal of the
//! objects that they wrote. Must not know: how a log lays out its objects.
//!
//! 1. Nothing but objects in one new folder of a random name is written, read or deleted.
//! 2. A check passes only if the store was seen to behave. Doubt is a failure with its reason.
//! 3. [`Doctor::clean_up`] removes everything that was written, also after a check that failed or
//!    was dropped half way. It reports the objects that it could not remove.

mod checks;
mod latency;
mod listing_checks;

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use latency::{ClockOffset, Latency};

use super::write::probe::random_name;
use super::{Backend, ConditionalCreate, DeleteFailure, Store};

/// The number of checks for writes that a stopped step had in flight, and the pause between them.
const REMOVALS_AFTER_A_STOP: usize = 4;
const PAUSE_AFTER_A_STOP: Duration = Duration::from_millis(50);

/// The abilities to try, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Ability {
    /// The store answers.
    Reachable,
    /// The store permits listing and creating.
    Credentials,
    /// A second create of a key is refused.
    CreateIfAbsent,
    /// Of many concurrent creates of a key, one succeeds.
    CreateIfAbsentRaced,
    /// A created object can be read immediately, and a deleted one no longer.
    ReadAfterWrite,
    /// A created object is listed immediately, and a deleted one no longer.
    ListAfterWrite,
    /// Any range of an object can be read.
    RangeReads,
    /// A large object can be written in parts.
    UploadInParts,
    /// The encryption that the server reports for an object is the requested one.
    Encryption,
    /// The latency of a create, a get and a list.
    Latency,
    /// The offset of the server's clock from ours.
    Clock,
    /// More than 1,000 objects are listed whole.
    ListPaging,
    /// A listing can start after any key.
    ListStartAfter,
    /// The store lists in the order of the keys.
    ListOrder,
    /// Many objects can be deleted in one call.
    BulkDelete,
}

/// All abilities.
pub const ABILITIES: [Ability; 15] = [
    Ability::Reachable,
    Ability::Credentials,
    Ability::CreateIfAbsent,
    Ability::CreateIfAbsentRaced,
    Ability::ReadAfterWrite,
    Ability::ListAfterWrite,
    Ability::RangeReads,
    Ability::UploadInParts,
    Ability::Encryption,
    Ability::Latency,
    Ability::Clock,
    Ability::ListPaging,
    Ability::ListStartAfter,
    Ability::ListOrder,
    Ability::BulkDelete,
];

impl Ability {
    /// Returns the name that reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reachable => "reachable",
            Self::Credentials => "credentials",
            Self::CreateIfAbsent => "create-if-absent",
            Self::CreateIfAbsentRaced => "create-if-absent in a race",
            Self::ReadAfterWrite => "read after write",
            Self::ListAfterWrite => "list after write",
            Self::RangeReads => "range reads",
            Self::UploadInParts => "upload in parts",
            Self::Encryption => "encryption",
            Self::Latency => "latency",
            Self::Clock => "clock",
            Self::ListPaging => "list paging",
            Self::ListStartAfter => "list start-after",
            Self::ListOrder => "list order",
            Self::BulkDelete => "bulk delete",
        }
    }

    /// Returns the use that remains of a store without this ability.
    fn loss(self) -> Use {
        match self {
            Self::CreateIfAbsent | Self::CreateIfAbsentRaced => Use::SoleCompactor,
            // Without these a log costs more, or is less sure of the time.
            Self::ListOrder | Self::Clock => Use::All,
            _ => Use::None,
        }
    }
}

impl fmt::Display for Ability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The verdict of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// As it should be.
    Passed,
    /// It works, with a limit that the detail states.
    Limited,
    /// It does not work.
    Failed,
}

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckResult {
    /// The ability that was checked.
    pub ability: Ability,
    /// The verdict.
    pub verdict: Verdict,
    /// The observation; holds no secret.
    pub detail: String,
}

/// The use that a log can make of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Use {
    /// Everything.
    All,
    /// Everything, but compacting and trimming only with the declaration that nothing else does.
    SoleCompactor,
    /// Nothing.
    None,
}

/// Checks the abilities of a store, step by step.
pub struct Doctor {
    store: Store,
    /// Holds everything that is written; has no slash at its end.
    folder: String,
    /// Keys that were or may have been created.
    written: BTreeSet<String>,
    /// Local folders that did not exist before, the deepest first.
    missing_folders: Vec<PathBuf>,
    results: Vec<CheckResult>,
    latencies: Vec<Latency>,
    clock_offset: Option<ClockOffset>,
    creates: Vec<latency::TimedCreate>,
    /// A step has begun and not ended. If its future was dropped, its last write may still land.
    is_checking: bool,
    /// An earlier step was dropped.
    was_stopped: bool,
}

impl Doctor {
    /// Prepares the checks without a request.
    ///
    /// They work in a folder of a random name in the folder of the log `name`, where the same
    /// permissions hold. On WebDAV they work next to the log's folder, since a folder that was made
    /// inside could not be removed safely.
    pub fn new(store: &Store, name: &str) -> Self {
        let near = match store.inner.conditional {
            ConditionalCreate::Absent => format!("{name}."),
            _ => format!("{name}/"),
        };
        let folder = format!("{near}doctor_{}", random_name());
        let missing_folders = match store.inner.backend.as_ref() {
            Backend::Folder(local) => {
                let path = local.root().join(&folder);
                path.ancestors().take_while(|path| !path.exists()).map(Path::to_owned).collect()
            }
            Backend::Objects { .. } => Vec::new(),
        };
        Self {
            store: store.clone(),
            folder,
            written: BTreeSet::new(),
            missing_folders,
            results: Vec::new(),
            latencies: Vec::new(),
            clock_offset: None,
            creates: Vec::new(),
            is_checking: false,
            was_stopped: false,
        }
    }

    /// Returns the ability that the next step tries. None at the end, or when the store cannot be
    /// used at all.
    pub fn upcoming(&self) -> Option<Ability> {
        let is_hopeless = self.results.last().is_some_and(|last| {
            last.verdict == Verdict::Failed && last.ability <= Ability::Credentials
        });
        if is_hopeless { None } else { ABILITIES.get(self.results.len()).copied() }
    }

    /// Runs the next step; none after the last.
    ///
    /// A step whose call is dropped before it has returned is not repeated, since its remains in
    /// the store could mislead the second try. The next call returns it as failed.
    pub async fn next(&mut self) -> Option<CheckResult> {
        let ability = self.upcoming()?;
        let (verdict, detail) = if std::mem::replace(&mut self.is_checking, true) {
            self.was_stopped = true;
            (
                Verdict::Failed,
                "the check was stopped before its end: check the store again".to_owned(),
            )
        } else {
            self.check(ability).await
        };
        self.is_checking = false;
        let result = CheckResult { ability, verdict, detail };
        self.results.push(result.clone());
        Some(result)
    }

    /// Removes everything that was written, and returns the objects that may still exist.
    ///
    /// After a step that was dropped half way it checks more than once, for writes that were still
    /// in flight. Cancel safe: the next call starts again.
    pub async fn clean_up(&mut self) -> Vec<DeleteFailure> {
        let mut failures = self.remove_written().await;
        if self.is_checking || self.was_stopped {
            for _ in 0..REMOVALS_AFTER_A_STOP {
                tokio::time::sleep(PAUSE_AFTER_A_STOP).await;
                failures = self.remove_written().await;
            }
            (self.is_checking, self.was_stopped) = (false, false);
        }
        let left: BTreeSet<&String> = failures.iter().map(|failure| &failure.key).collect();
        self.written.retain(|key| left.contains(key));
        failures
    }

    async fn remove_written(&self) -> Vec<DeleteFailure> {
        let keys: Vec<String> = self.written.iter().cloned().collect();
        let mut failures = Vec::new();
        if !keys.is_empty() {
            failures = self.store.delete(keys).await;
        }
        match self.store.inner.backend.as_ref() {
            Backend::Folder(_) => {
                for folder in &self.missing_folders {
                    match tokio::fs::remove_dir(folder).await {
                        Ok(()) => {}
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                        // A folder that others use in the meantime is not empty, and stays.
                        Err(_) => break,
                    }
                }
            }
            // A separate folder on WebDAV. No such object exists anywhere else.
            Backend::Objects { .. } if !self.written.is_empty() && failures.is_empty() => {
                failures = self.store.delete(vec![self.folder.clone()]).await;
            }
            Backend::Objects { .. } => {}
        }
        failures
    }

    /// Returns the folder that the checks work in, below the store's root.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// Returns the results so far.
    pub fn results(&self) -> &[CheckResult] {
        &self.results
    }

    /// Returns the latencies, as far as measured.
    pub fn latencies(&self) -> &[Latency] {
        &self.latencies
    }

    /// Returns how far the server's clock is ahead of ours, once measured.
    pub fn clock_offset(&self) -> Option<ClockOffset> {
        self.clock_offset
    }

    /// Returns the use that a log can make of this store; none before all checks are done.
    pub fn use_for_a_log(&self) -> Use {
        if self.results.len() < ABILITIES.len() {
            return Use::None;
        }
        let failed = self.results.iter().filter(|result| result.verdict == Verdict::Failed);
        failed.map(|result| result.ability.loss()).max().unwrap_or(Use::All)
    }
}

impl fmt::Debug for Doctor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doctor").field("store", &self.store).field("folder", &self.folder).finish()
    }
}
