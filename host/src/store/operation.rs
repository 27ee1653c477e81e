//! The operations of a store that are in progress: their time limits, the outcomes of their
//! attempts, and the oldest one.
//!
//! Owns: the time limit of an operation, and the count of its attempts.
//! Must not know: the work of an operation, or how the library repeats a request.
//!
//! 1. An operation ends within the store's timeout, however the store behaves.
//! 2. An operation is without effect only if every attempt of a changing request is known to be.
//!    Such an attempt never got through, or was refused. An attempt in flight may have an effect.
//! 3. Nothing is repeated here. The one retry layer is the library's.
//! 4. A panic of the library, or of an embedder's store, ends its operation and nothing else.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::{Instrument as _, Span, field};

use super::Store;
use super::backend::panics::{Caught, Panicked};
use super::config::redact::Redactor;
use super::encryption::Reported;
use super::outcome::{self, Outcome};
use super::{Inner, StoreError};
use crate::telemetry::{self, OUTCOME, Timer};

use crate::numbers::{count, to_u64};

tokio::task_local! {
    /// The operation that a request is made for, found by the client that sends it.
    static CURRENT: Arc<Operation>;
}

/// The operations of one store.
pub(super) struct Operations {
    timeout: Duration,
    in_progress: Mutex<InProgress>,
    /// Requests sent since the store was opened.
    requests: Arc<AtomicU64>,
    /// Bytes that uploads have taken since the store was opened.
    uploaded: AtomicU64,
    /// The encryption that answers reported.
    pub(super) encryption: Arc<Reported>,
}

#[derive(Default)]
struct InProgress {
    /// By number, so the first is the oldest.
    operations: BTreeMap<u64, Arc<Operation>>,
    begun: u64,
}

/// One operation, from its beginning to its end or its time limit.
pub(super) struct Operation {
    action: &'static str,
    key: String,
    begun: Instant,
    seen: Mutex<Attempts>,
    requests: Arc<AtomicU64>,
    encryption: Arc<Reported>,
}

/// The outcomes of an operation's attempts so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Attempts {
    count: u32,
    /// Attempts that changed something, or may have.
    perhaps_effective: u32,
    last_failure: Option<String>,
    /// True if the last attempt that ended has failed.
    is_failing: bool,
}

/// An operation was abandoned at its time limit, or because its work panicked.
#[derive(Debug)]
pub(super) struct Abandoned {
    pub(super) attempts: Attempts,
    timeout: Duration,
    panicked: Option<Panicked>,
}

/// The operation that a caller waits for; see [`Store::waiting`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// The action, such as `create` or `list`.
    pub action: &'static str,
    /// The object's key, or the prefix of a listing.
    pub key: String,
    /// The time since the operation began.
    pub elapsed: Duration,
    /// The number of requests that were sent for it so far. 0 where that is not known.
    pub attempts: u32,
    /// The cause of the last failed request, without secrets.
    pub last_failure: Option<String>,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, key, elapsed, attempts, last_failure } = self;
        write!(f, "{action} {key:?} for {} s", elapsed.as_secs())?;
        if *attempts > 1 {
            write!(f, ", attempt {attempts}")?;
        }
        match last_failure {
            Some(failure) => write!(f, ", the last failure: {failure}"),
            None => Ok(()),
        }
    }
}

impl Store {
    /// Returns the number of bytes that all uploads of this store have taken since it was opened,
    /// finished or not. Compactions write by uploads.
    ///
    /// For programs that show the progress of a compaction. A plan states its total.
    pub fn uploaded_bytes(&self) -> u64 {
        self.inner.operations.uploaded.load(Ordering::Relaxed)
    }

    /// Returns the oldest operation in progress, if there is one.
    ///
    /// For programs that show what they wait for. A store in memory has none.
    pub fn waiting(&self) -> Option<Waiting> {
        let oldest = self.inner.operations.oldest()?;
        let Attempts { count, last_failure, .. } = oldest.attempts();
        Some(Waiting {
            action: oldest.action,
            key: oldest.key.clone(),
            elapsed: oldest.begun.elapsed(),
            attempts: count,
            last_failure: last_failure.map(|text| self.inner.context.redactor.clean(&text)),
        })
    }
}

impl Inner {
    /// Runs one operation within the store's timeout. In memory nothing waits.
    pub(super) async fn run_operation<T: Outcome>(
        &self,
        action: &'static str,
        key: &str,
        work: impl Future<Output = T>,
    ) -> Result<T, Abandoned> {
        let (timer, span) = (Timer::start(), self.span(action, key));
        let done = async {
            match self.is_in_process {
                true => Ok(work.await),
                false => self.operations.run(action, key, work).await,
            }
        };
        let ended = done.instrument(span.clone()).await;
        if telemetry::is_on() {
            let (operation, end) = (outcome::of_action(action), outcome_of(&ended));
            telemetry::operation_ended(timer, self.kind, operation, end);
        }
        if !span.is_disabled() {
            span.record(OUTCOME, outcome_of(&ended));
        }
        ended
    }

    /// Returns the span of an operation. Its values are made only if a subscriber takes it.
    fn span(&self, action: &'static str, key: &str) -> Span {
        tracing::info_span!(
            target: telemetry::SPANS,
            "store",
            otel.name = format!("store {}", outcome::of_action(action)),
            stratalog.store = self.kind,
            stratalog.key = key,
            stratalog.outcome = field::Empty,
        )
    }

    /// As [`Inner::run_operation`], for an operation whose failure is certain: a read, or a step of
    /// an upload.
    pub(super) async fn run_certain<T>(
        &self,
        action: &'static str,
        key: &str,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        match self.run_operation(action, key, work).await {
            Ok(result) => result,
            Err(abandoned) => Err(self.context.abandoned(action, key, &abandoned)),
        }
    }
}

impl Operations {
    /// Counts bytes that an upload has taken.
    pub(super) fn has_uploaded(&self, bytes: usize) {
        let bytes = to_u64(bytes);
        self.uploaded.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            in_progress: Mutex::default(),
            requests: Arc::default(),
            uploaded: AtomicU64::new(0),
            encryption: Arc::default(),
        }
    }

    /// Runs the work for at most the timeout.
    pub(super) async fn run<T>(
        &self,
        action: &'static str,
        key: &str,
        work: impl Future<Output = T>,
    ) -> Result<T, Abandoned> {
        let (begun, seen) = (Instant::now(), Mutex::default());
        let (key, requests) = (key.to_owned(), Arc::clone(&self.requests));
        let encryption = Arc::clone(&self.encryption);
        let operation = Arc::new(Operation { action, key, begun, seen, requests, encryption });
        let _entered = self.enter(Arc::clone(&operation));
        let work = CURRENT.scope(Arc::clone(&operation), Caught::new(work));
        let panicked = match tokio::time::timeout(self.timeout, work).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(panicked)) => Some(panicked),
            Err(_) => None,
        };
        Err(Abandoned { attempts: operation.attempts(), timeout: self.timeout, panicked })
    }

    /// Returns the number of requests since the store was opened, repeated ones included.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    fn enter(&self, operation: Arc<Operation>) -> Entered<'_> {
        let mut in_progress = lock(&self.in_progress);
        in_progress.begun = in_progress.begun.wrapping_add(1);
        let number = in_progress.begun;
        in_progress.operations.insert(number, operation);
        Entered { operations: self, number }
    }

    fn oldest(&self) -> Option<Arc<Operation>> {
        lock(&self.in_progress).operations.first_key_value().map(|(_, oldest)| Arc::clone(oldest))
    }
}

/// Keeps an operation among those in progress, also if its caller goes away.
struct Entered<'a> {
    operations: &'a Operations,
    number: u64,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        lock(&self.operations.in_progress).operations.remove(&self.number);
    }
}

impl Operation {
    /// Returns the operation of the calling task, if it is in one.
    pub(super) fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    fn attempts(&self) -> Attempts {
        lock(&self.seen).clone()
    }

    /// Counts an attempt that begins now. `changes` states that it may change something. Returns
    /// true if it follows a failed one.
    pub(super) fn attempt_begins(&self, changes: bool) -> bool {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let mut seen = lock(&self.seen);
        seen.count += 1;
        seen.perhaps_effective += u32::from(changes);
        std::mem::take(&mut seen.is_failing)
    }

    /// Records that an attempt at a change certainly had no effect.
    pub(super) fn attempt_had_no_effect(&self) {
        let mut seen = lock(&self.seen);
        seen.perhaps_effective -= 1;
    }

    /// Records the head of a successful answer.
    pub(super) fn attempt_succeeded(&self, headers: &http::HeaderMap) {
        self.encryption.note(headers);
    }

    /// Records why an attempt failed.
    pub(super) fn attempt_failed(&self, why: impl fmt::Display) {
        let mut seen = lock(&self.seen);
        (seen.last_failure, seen.is_failing) = (Some(why.to_string()), true);
    }
}

impl Attempts {
    /// Returns the attempts of the calling task's operation so far; none outside of an operation.
    pub(super) fn of_current() -> Self {
        Operation::current().map(|operation| operation.attempts()).unwrap_or_default()
    }

    /// Returns whether attempts were seen, and none that could change something had an effect.
    pub(super) fn had_no_effect(&self) -> bool {
        self.count > 0 && self.perhaps_effective == 0
    }

    /// Returns whether attempts were seen at all. Those of foreign clients are not.
    pub(super) fn were_seen(&self) -> bool {
        self.count > 0
    }

    /// Returns whether there was more than one.
    pub(super) fn were_several(&self) -> bool {
        self.count > 1
    }
}

impl Abandoned {
    /// Returns whether the time limit was the cause, so that a later retry may succeed.
    pub(super) fn is_a_matter_of_time(&self) -> bool {
        self.panicked.is_none()
    }

    /// Explains the cause, without secrets. `settings` names the settings to check if the library
    /// panicked.
    pub(super) fn reason(&self, redactor: &Redactor, settings: &str) -> String {
        let Self { attempts, timeout, panicked } = self;
        if let Some(Panicked(words)) = panicked {
            let words = redactor.clean(words);
            return format!("a library behind the store failed ({words}); {settings}");
        }
        let mut reason = format!("not done within {timeout:?}");
        if attempts.count > 0 {
            let attempts = count(attempts.count.into(), "attempt", "attempts");
            reason.push_str(&format!(", in {attempts}"));
        }
        if let Some(failure) = &attempts.last_failure {
            reason.push_str(&format!(", the last failure: {}", redactor.clean(failure)));
        }
        reason.push_str("; try again, with a longer timeout if the store is slow");
        reason
    }
}

/// Nothing panics while it holds one of these locks, and their content is consistent at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the word for the end of an operation, for metrics and spans.
fn outcome_of<T: Outcome>(ended: &Result<T, Abandoned>) -> &'static str {
    match ended {
        Ok(done) => done.outcome(),
        Err(abandoned) if abandoned.is_a_matter_of_time() => "timeout",
        Err(_) => "panicked",
    }
}
