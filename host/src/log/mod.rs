//! A handle that appends, for concurrent use by many tasks.
//!
//! 1. One task owns the writer; all other code reaches it through a bounded channel.
//! 2. Events reach the component in the order in which their appends returned.
//! 3. A flush covers every append that returned before it was called.

mod actor;
mod append_queue;
mod background;
mod copier;
mod durable;
mod events;
mod feed;
mod files;
mod follow;
#[cfg(feature = "serde")]
mod json;
pub(crate) mod logs;
mod notices;
mod packed_lines;
mod pages;
pub(crate) mod reader;
mod verifier;
mod writer;

use std::fmt;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::error::{Error, Result};
use crate::limits::COMMANDS_MAX;
use crate::options::{HandleLimits, LogOptions};
use crate::read_options::of_pending;
use crate::sandbox::engine::SharedEngine;
use crate::sandbox::instance::CallError;
use crate::store::Store;
use crate::types::interface::Pending;
use crate::types::{CompactOptions, Compaction, Written};

use actor::{Command, WriterActor};
use append_queue::AppendQueue;
use background::Background;
use durable::Durable;
use notices::{Notifier, WeakNotifier};
use writer::{Writer, WriterMemory};

pub use copier::{Copied, Copier, Mirror};
pub use events::{Event, Events};
pub use feed::{Feed, ResumedFeed};
pub use files::{Files, FilesOptions, LogFile};
pub use follow::Follow;
#[cfg(feature = "serde")]
pub use json::Values;
pub use logs::{ListOptions, ListedLog, Logs, NameCounts};
pub use notices::{Notice, Notices};
pub use pages::Pages;
pub use reader::Reader;
pub use verifier::Verifier;

/// A log opened for appending. Cheap to clone; all clones are one writer.
///
/// Close the last clone with [`Log::close`]. If it is dropped instead, its task flushes what is
/// left, while the runtime lives. A warning reports the number of events that it could not flush.
#[derive(Clone)]
pub struct Log {
    engine: SharedEngine,
    store: Store,
    name: Arc<str>,
    queue: Arc<AppendQueue>,
    commands: mpsc::Sender<Command>,
    /// The events that are known to be in the store, as the actor publishes them.
    durable: Arc<Durable>,
    notifier: WeakNotifier,
    memory: Arc<WriterMemory>,
}

impl Log {
    pub(crate) async fn open(
        engine: SharedEngine,
        store: Store,
        name: &str,
        options: LogOptions,
    ) -> Result<Self> {
        let compact_after = options.compact_after_batches()?;
        let seat = engine.seats().take().await?;
        let mut instance = engine.instantiate(&store).await?;
        let options_given = options.to_wit()?;
        let handle = instance.open(name, options_given).await?;
        // An event is counted when it is taken. From then on it must not be refused.
        instance.memory().charge_freely();
        let pool = engine.buffer_pool();
        let limits = HandleLimits::of(&instance.effective_options(handle).await?);
        let queue = Arc::new(AppendQueue::new(&limits, pool));
        let (commands, receiver) = mpsc::channel(COMMANDS_MAX);
        let name: Arc<str> = name.into();
        let notifier = Notifier::new();
        let background = compact_after.map(|batches| {
            let notifier = notifier.clone();
            Background::new(engine.clone(), store.clone(), name.clone(), batches, notifier)
        });
        let durable = Arc::new(Durable::default());
        let weak_notifier = notifier.downgrade();
        let shared = (queue.clone(), durable.clone(), notifier);
        let of_engine = (instance, handle, seat);
        let writer = Writer::new(engine.clone(), store.clone(), name.clone(), of_engine);
        let memory = writer.memory();
        let actor = WriterActor::new(writer, shared, limits.tick, background);
        tokio::spawn(actor.run(receiver));
        let notifier = weak_notifier;
        Ok(Self { engine, store, name, queue, commands, durable, notifier, memory })
    }

    /// Returns the log's name below the store's root.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Appends one event, without an LF.
    ///
    /// Success means that the event is in memory and in order, not that it is durable. The call
    /// waits if too many bytes are in memory already. Cancel safe: a dropped call has appended
    /// nothing.
    ///
    /// # Errors
    /// - [`Error::InvalidEvent`].
    /// - [`Error::WriteFailed`]: memory is full, and the store does not confirm the write in
    ///   flight. The event was not taken.
    pub async fn append(&self, event: impl AsRef<[u8]>) -> Result<()> {
        self.queue.push(event.as_ref()).await
    }

    /// Appends many events in one call, each ended by LF, all or nothing; returns their number.
    /// This is faster than many calls of [`Log::append`], and as cancel safe.
    ///
    /// # Errors
    /// As [`Log::append`]; [`Error::InvalidInput`] for more than `buffer_bytes_max` bytes.
    pub async fn append_lines(&self, lines: impl AsRef<[u8]>) -> Result<u64> {
        self.queue.push_lines(lines.as_ref()).await
    }

    /// Makes every event appended so far durable. Returns what this writer has made durable since
    /// it was opened. Concurrent flushes of several tasks share batches, and each returns as soon
    /// as the events before it are durable. Cancel safe: the flush of a dropped call continues.
    ///
    /// # Errors
    /// [`Error::WriteFailed`] if the oldest batch in flight could not be written: every event is
    /// kept, in order, and the next flush retries the same batches.
    pub async fn flush(&self) -> Result<Written> {
        self.ask(Command::Flush).await
    }

    /// Waits until every event appended so far is durable, without a flush: the triggers of the
    /// [options](LogOptions) seal the batches. Tasks that each wait for their events then share a
    /// few large batches. Returns as [`Log::flush`]. Without a flush interval and below the other
    /// triggers, it waits for the next flush. Cancel safe.
    ///
    /// # Errors
    /// [`Error::WriteFailed`] if a batch cannot be created, and a retry will not help. It outlasts
    /// a failure that may pass: put it under a timeout if that matters.
    pub async fn durable(&self) -> Result<Written> {
        self.ask(Command::Durable).await
    }

    /// Returns what happens in the background of this writer from now on: what becomes durable,
    /// creates that fail, and compactions. Once the log has ended, there are no more.
    pub fn notices(&self) -> Notices {
        self.notifier.listen()
    }

    /// Returns the number of bytes of this writer's events that are known to be durable. It counts
    /// in the order of the appends, with an LF for each event. Never waits, in any state of the
    /// store.
    ///
    /// Events appended after these bytes are in memory, in flight, or durable without being known
    /// to be.
    pub fn durable_bytes(&self) -> u64 {
        self.durable.bytes()
    }

    /// Returns the number of those events: see [`Log::durable_bytes`].
    pub fn durable_events(&self) -> u64 {
        self.durable.events()
    }

    /// Drops this handle without the warning of events that are not flushed. For a program that
    /// reports them itself, and ends.
    ///
    /// While the runtime lives, the task of the log flushes what is left, as after any drop of the
    /// last handle.
    pub fn abandon(self) {
        self.durable.set_loss_known();
    }

    /// Reads everything: the stored events, then those in this writer's memory now. A dropped call
    /// changes nothing.
    ///
    /// # Errors
    /// [`Error::Closed`], [`Error::Guest`].
    pub async fn read_all(&self) -> Result<Reader> {
        let pending = self.pending().await?;
        Reader::open(&self.engine, &self.store, &self.name, None, &of_pending(pending)).await
    }

    /// Compacts the stored events of the log, concurrently with appends and reads. Does not flush.
    /// [`LogOptions::compact_after`] calls it automatically. Before the first flush there is
    /// nothing to do. A dropped call has the effect of a dropped
    /// [`Host::compact`](crate::Host::compact).
    ///
    /// # Errors
    /// As [`Host::compact`](crate::Host::compact).
    pub async fn compact(&self, options: &CompactOptions) -> Result<Compaction> {
        let mut instance = self.engine.instantiate(&self.store).await?;
        match instance.compact(&self.name, options).await {
            Err(CallError::Returned(Error::NoLog(_))) => Ok(Compaction::default()),
            done => Ok(done?),
        }
    }

    /// Returns the number of objects with the log's stored events: segments and live batches.
    /// Cancel safe.
    ///
    /// # Errors
    /// [`Error::StoreFailed`], [`Error::Damaged`].
    pub async fn file_count(&self) -> Result<u64> {
        self.ask(Command::FileCount).await
    }

    /// Flushes and closes the writer. Later calls on any clone fail with [`Error::Closed`]. Waits
    /// for a compaction in the background.
    ///
    /// Cancel safe: the close of a dropped call continues. If it succeeds, the next call of this
    /// function returns its result.
    ///
    /// # Errors
    /// As [`Log::flush`]. The writer then stays open and keeps every event.
    pub async fn close(&self) -> Result<Written> {
        match self.ask(Command::Close).await {
            Ok(written) => {
                self.queue.take_closed();
                Ok(written)
            }
            // The close of a dropped call has succeeded.
            Err(Error::Closed) => self.queue.take_closed().ok_or(Error::Closed),
            Err(error) => Err(error),
        }
    }

    /// Appends one event if this needs no waiting; returns none otherwise.
    pub(crate) fn append_now(&self, event: &[u8]) -> Option<Result<()>> {
        self.queue.push_now(event)
    }

    /// Appends lines if this needs no waiting; returns none otherwise.
    pub(crate) fn append_lines_now(&self, lines: &[u8]) -> Option<Result<u64>> {
        self.queue.push_lines_now(lines)
    }

    /// Runs one maintenance tick; returns true if anything is still pending.
    pub(crate) async fn tick(&self) -> Result<bool> {
        self.ask(Command::Tick).await
    }

    /// Returns the events of this writer that may not be in the store yet.
    pub(crate) async fn pending(&self) -> Result<Pending> {
        self.ask(Command::Pending).await
    }

    /// Returns the most memory that [`Log::pending`] takes: the events are copied into the
    /// instance, out of it, and to the caller.
    pub(crate) fn pending_memory_bytes(&self) -> usize {
        self.memory.bytes().saturating_mul(3)
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T>>) -> Command,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let gone = || self.queue.ended().unwrap_or(Error::Closed);
        self.commands.send(command(answer)).await.map_err(|_| gone())?;
        answer_of(&self.commands, answered).await.unwrap_or_else(|| Err(gone()))
    }
}

/// Waits for the answer to a command; none if the actor has ended without one.
async fn answer_of<T>(
    commands: &mpsc::Sender<Command>,
    mut answered: oneshot::Receiver<T>,
) -> Option<T> {
    tokio::select! {
        biased;
        answer = &mut answered => answer.ok(),
        // A command that was sent while the actor ended may stay unread in the queue for as long as
        // there are senders.
        () = commands.closed() => answered.try_recv().ok(),
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;
    use crate::limits::PARK_AFTER;

    #[tokio::test]
    async fn command_that_nobody_will_see_is_not_waited_for() {
        let (commands, receiver) = mpsc::channel(1);
        let (answer, answered) = oneshot::channel();
        let sending = commands.reserve().await.unwrap();
        drop(receiver);
        sending.send(Command::Flush(answer));
        let waiting = answer_of(&commands, answered);
        assert!(waiting.now_or_never().expect("an end of the wait").is_none());
    }

    #[tokio::test]
    async fn log_that_rests_gives_its_instance_back_and_gets_another() {
        let host = crate::host::Host::new().unwrap();
        let store = Store::memory();
        let free = || host.engine().seats().free();
        let all = free();
        let log = host.open(&store, "log", LogOptions::new()).await.unwrap();
        log.append("a").await.unwrap();
        log.flush().await.unwrap();
        let flushed = std::time::Instant::now();
        while free() != all {
            assert!(flushed.elapsed() < 20 * PARK_AFTER, "it keeps its instance");
            tokio::time::sleep(PARK_AFTER / 100).await;
        }
        assert!(flushed.elapsed() >= PARK_AFTER, "{:?}", flushed.elapsed());
        // What needs no instance takes none.
        assert_eq!(log.flush().await.unwrap().events, 1);
        assert_eq!(log.durable().await.unwrap().events, 1);
        assert!(!log.tick().await.unwrap());
        assert_eq!(free(), all);
        assert_eq!(log.file_count().await.unwrap(), 1);
        assert_eq!(free(), all - 1);
        log.append("b").await.unwrap();
        assert_eq!(log.close().await.unwrap().events, 2);
        assert_eq!(host.stat(&store, "log").await.unwrap().events, 2);
    }

    #[tokio::test]
    async fn answer_given_before_the_actor_went_counts() {
        let (commands, receiver) = mpsc::channel(1);
        let (answer, answered) = oneshot::channel();
        drop(receiver);
        answer.send(7).unwrap();
        assert_eq!(answer_of(&commands, answered).await, Some(7));
    }
}
