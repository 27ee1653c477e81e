//! Sweeps over all logs below a folder.

use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::{Duration, SystemTime};

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};

use super::Kept;
use super::due::{Known, Times};
use super::one::Task;
use super::policy::Policy;
use crate::error::Result;
use crate::host::Host;
use crate::log::{ListOptions, ListedLog, Logs, NameCounts};
use crate::store::Store;
use crate::types::StoreFailure;

/// The policy of the log with a name; none: the log is left alone.
type Policies = Box<dyn Fn(&str) -> Option<Policy> + Send + Sync>;

/// Keeps the logs below a folder of a store, sweep after sweep. It remembers of each log what
/// saves the next sweep a request, about 100 bytes.
pub struct Keeper {
    host: Host,
    store: Store,
    folder: String,
    policies: Policies,
    remembered: HashMap<String, Remembered>,
    swept: Option<SystemTime>,
    sweeps: u64,
}

/// A log as a sweep has seen it.
struct Remembered {
    /// A hash of what its names tell.
    names: u64,
    known: Known,
    /// The number of the sweep.
    sweep: u64,
}

/// The settings of a sweep.
#[derive(Clone, Copy, Debug)]
pub struct SweepOptions {
    dry_run: bool,
    jobs: usize,
    interval: Duration,
    now: Option<SystemTime>,
}

impl Default for SweepOptions {
    fn default() -> Self {
        let (jobs, interval) = (Self::JOBS_DEFAULT, Duration::from_hours(1));
        Self { dry_run: false, jobs, interval, now: None }
    }
}

impl SweepOptions {
    /// The number of logs that are worked on concurrently by default.
    pub const JOBS_DEFAULT: usize = 4;

    /// Creates options with all defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes nothing, and returns what would be done.
    #[must_use]
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Sets the number of logs that are worked on concurrently, at least 1.
    #[must_use]
    pub fn jobs(mut self, jobs: usize) -> Self {
        self.jobs = jobs.max(1);
        self
    }

    /// Sets the time between two sweeps, for the first one: a log whose turn to be verified was in
    /// this time before is verified. A later sweep takes the time since the one before.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Sets the time of the sweep, in place of the system's.
    #[must_use]
    pub fn now(mut self, now: SystemTime) -> Self {
        self.now = Some(now);
        self
    }
}

impl Keeper {
    /// Creates a keeper of the logs below a folder of a store, empty for all logs. `policies`
    /// returns the policy of a log by its name below the store's root.
    pub fn new(
        host: &Host,
        store: &Store,
        folder: &str,
        policies: impl Fn(&str) -> Option<Policy> + Send + Sync + 'static,
    ) -> Self {
        Self {
            host: host.clone(),
            store: store.clone(),
            folder: folder.to_owned(),
            policies: Box::new(policies),
            remembered: HashMap::new(),
            swept: None,
            sweeps: 0,
        }
    }

    /// Begins a sweep: lists the logs, and does what is due for each.
    ///
    /// # Errors
    /// As [`Host::logs`].
    pub async fn sweep(&mut self, options: SweepOptions) -> Result<Sweep<'_>> {
        let now = options.now.unwrap_or_else(SystemTime::now);
        let since_last = self.swept.and_then(|last| now.duration_since(last).ok());
        let at = Times { now, since_last: since_last.unwrap_or(options.interval) };
        let list = ListOptions::new().skip_denied(true);
        let logs = self.host.logs(&self.store, &self.folder, list).await?;
        self.sweeps += 1;
        let running = FuturesUnordered::new();
        Ok(Sweep { keeper: self, logs, options, at, is_listed: false, running })
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper")
            .field("store", &self.store)
            .field("folder", &self.folder)
            .field("remembered", &self.remembered.len())
            .finish_non_exhaustive()
    }
}

/// A sweep. Made by [`Keeper::sweep`].
pub struct Sweep<'k> {
    keeper: &'k mut Keeper,
    logs: Logs,
    options: SweepOptions,
    at: Times,
    is_listed: bool,
    running: FuturesUnordered<BoxFuture<'static, (Kept, Option<Known>)>>,
}

impl Sweep<'_> {
    /// Returns the next log, in the order in which their work ends. None at the end of the sweep.
    ///
    /// Dropping the sweep stops the work where it is, as a crash would: no event is lost, and the
    /// next sweep does the rest.
    ///
    /// # Errors
    /// [`Error::StoreFailed`](crate::Error::StoreFailed) if the listing fails. An error of one log
    /// is in its [`Kept`].
    pub async fn next(&mut self) -> Result<Option<Kept>> {
        loop {
            let may_begin = !self.is_listed && self.running.len() < self.options.jobs;
            tokio::select! {
                biased;
                Some((kept, known)) = self.running.next() => {
                    self.remember(&kept.log, known);
                    return Ok(Some(kept));
                }
                log = self.logs.next(), if may_begin => match log? {
                    Some(log) => if let Some(left_alone) = self.begin(log) {
                        return Ok(Some(left_alone));
                    },
                    None => {
                        self.is_listed = true;
                        self.forget_others();
                    }
                },
                else => return Ok(None),
            }
        }
    }

    /// Returns the folders that could not be listed, and forgets them.
    pub fn take_denied(&mut self) -> Vec<StoreFailure> {
        self.logs.take_denied()
    }

    /// Returns whether the folder itself is a log, once everything is listed. A sweep leaves it
    /// alone.
    pub fn is_log(&self) -> bool {
        self.logs.is_log()
    }

    /// Begins the work for a log. Returns a log that has no policy.
    fn begin(&mut self, log: ListedLog) -> Option<Kept> {
        let policy = (self.keeper.policies)(&log.name);
        let (Some(policy), Some(counts)) = (policy, log.counts.clone()) else {
            return Some(Kept { log, policy: None, done: Vec::new(), error: None });
        };
        let names = hash(&counts);
        let known = self.keeper.remembered.get_mut(&log.name).filter(|it| it.names == names);
        let known = known.map(|it| {
            it.sweep = self.keeper.sweeps;
            it.known
        });
        let task = Task {
            host: self.keeper.host.clone(),
            store: self.keeper.store.clone(),
            name: log.name,
            counts,
            policy,
            known,
            at: self.at,
            dry_run: self.options.dry_run,
        };
        self.running.push(Box::pin(task.run()));
        None
    }

    fn remember(&mut self, log: &ListedLog, known: Option<Known>) {
        let remembered = &mut self.keeper.remembered;
        match (known, &log.counts) {
            // The names of a log that was never compacted tell all of it.
            (Some(known), Some(counts)) if Known::by_names(counts).is_none() => {
                let (names, sweep) = (hash(counts), self.keeper.sweeps);
                remembered.insert(log.name.clone(), Remembered { names, known, sweep });
            }
            _ => _ = remembered.remove(&log.name),
        }
    }

    /// Forgets the logs that are gone. The times of the next sweep begin with this one.
    fn forget_others(&mut self) {
        let sweep = self.keeper.sweeps;
        self.keeper.swept = Some(self.at.now);
        self.keeper.remembered.retain(|_, it| it.sweep == sweep);
    }
}

impl fmt::Debug for Sweep<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweep").field("keeper", &self.keeper).finish_non_exhaustive()
    }
}

/// Returns a hash of what the names of a log tell. Two states of a log differ in it, but for one
/// in 2^64.
fn hash(counts: &NameCounts) -> u64 {
    let mut hasher = DefaultHasher::new();
    counts.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::log::logs::synthetic::Synthetic;

    #[tokio::test]
    async fn idle_logs_cost_a_list_per_1000_objects_and_no_get() {
        let (logs, batches) = (100_000, 1);
        let requests = AtomicUsize::new(0);
        let synthetic = Arc::new(Synthetic { logs, batches, requests, fails_at: 0 });
        // A get would fail: the store has nothing but its listing.
        let store = Store::of_pages(synthetic.clone());
        let host = Host::new().unwrap();
        let mut keeper = Keeper::new(&host, &store, "", |_| Some(Policy::new()));
        for sweeps in 1..=2 {
            let mut sweep = keeper.sweep(SweepOptions::new()).await.unwrap();
            let mut seen = 0;
            while let Some(kept) = sweep.next().await.unwrap() {
                assert!(kept.done.is_empty() && kept.error.is_none(), "{kept:?}");
                seen += 1;
            }
            assert_eq!(seen, logs);
            let lists = synthetic.requests.load(Ordering::SeqCst);
            assert_eq!(lists, sweeps * (logs * (batches + 3)).div_ceil(1_000));
        }
    }
}
