//! A handle that appends, usable from many tasks at once.
//!
//! 1. One task owns the handle's instance; all else reaches it through a queue with a bound.
//! 2. Events reach the component in the order in which their appends returned.
//! 3. A flush covers every append that returned before it was called.

mod actor;
mod append_queue;
mod background;
mod follow;
pub(crate) mod reader;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{mpsc, oneshot};

use crate::compact_options::CompactOptions;
use crate::error::{Error, Result};
use crate::limits::COMMANDS_MAX;
use crate::options::LogOptions;
use crate::read_options::of_pending;
use crate::records::{Compaction, Written};
use crate::sandbox::bindings::exports::stratalog::log::append_log::Pending;
use crate::sandbox::engine::SharedEngine;
use crate::sandbox::memory::Memory;
use crate::store::Store;

use actor::{Command, Owner};
use append_queue::Staging;
use background::Background;

pub use follow::Follow;
pub use reader::Reader;

/// A log opened for appending. Cheap to clone; all clones are one writer.
///
/// Close the last clone with [`Log::close`]: dropping it loses what was not flushed, and a warning
/// says how many events that were.
#[derive(Clone)]
pub struct Log {
    engine: SharedEngine,
    store: Store,
    name: Arc<str>,
    staging: Arc<Staging>,
    commands: mpsc::Sender<Command>,
    /// Bytes of the batches that are known to be in the store.
    durable_bytes: Arc<AtomicU64>,
    /// What the writer's instance takes.
    memory: Memory,
}

impl Log {
    pub(crate) async fn open(
        engine: SharedEngine,
        store: Store,
        name: &str,
        options: LogOptions,
    ) -> Result<Self> {
        let compact_after = options.compact_after_batches()?;
        let mut instance = engine.instantiate(&store).await?;
        let options_given = options.to_wit()?;
        let (guest, instances, time) = instance.begin();
        let log = guest.log();
        let opened = time.measure(log.call_open(instances, name, options_given)).await;
        let handle = opened.map_err(|error| Error::trapped(&error))??;
        // An event is counted when it is taken; from then on nothing may refuse it.
        let memory = instance.memory().clone();
        memory.charge_freely();
        let recycler = engine.recycler();
        let (event_bytes_max, buffer_bytes_max) =
            (options.event_bytes_limit(), options.buffer_bytes_limit());
        let staging = Arc::new(Staging::new(event_bytes_max, buffer_bytes_max, recycler));
        let (commands, queue) = mpsc::channel(COMMANDS_MAX);
        let name: Arc<str> = name.into();
        let background = compact_after
            .map(|batches| Background::new(engine.clone(), store.clone(), name.clone(), batches));
        let durable_bytes = instance.created_bytes();
        let owner = Owner::new(instance, handle, staging.clone(), options.tick(), background);
        tokio::spawn(owner.run(queue));
        Ok(Self { engine, store, name, staging, commands, durable_bytes, memory })
    }

    /// The log's name below the store's root.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Appends one event, without an LF.
    ///
    /// Success means it is in memory and in order, not that it is durable. Waits when too much is in
    /// memory already. Cancel safe: a call that is dropped before it has returned has taken nothing.
    ///
    /// # Errors
    /// [`Error::InvalidEvent`]; [`Error::WriteFailed`] when memory is full and the store does not
    /// take what is under way. The event was not taken then.
    pub async fn append(&self, event: impl AsRef<[u8]>) -> Result<()> {
        self.staging.push(event.as_ref()).await
    }

    /// Appends many events in one call, each ended by LF, all or nothing; returns their number. The
    /// fast way for who has many. Cancel safe, as [`Log::append`].
    ///
    /// # Errors
    /// As [`Log::append`]; [`Error::InvalidInput`] for more than `buffer_bytes_max` bytes.
    pub async fn append_lines(&self, lines: impl AsRef<[u8]>) -> Result<u64> {
        self.staging.push_lines(lines.as_ref()).await
    }

    /// Makes every event appended so far durable, and returns what this writer has made durable
    /// since it was opened. Flushes of many tasks at one time are one. Cancel safe: a flush goes on
    /// though the call is dropped, and the next call of any kind comes after it.
    ///
    /// # Errors
    /// [`Error::WriteFailed`]: every event is kept, in order, and the next flush tries the same
    /// batch again under the same name.
    pub async fn flush(&self) -> Result<Written> {
        self.ask(Command::Flush).await
    }

    /// The bytes of this writer's events that are known to be durable, an LF for each event
    /// included, in the order of the appends. Does not wait, whatever the store does.
    ///
    /// What was appended beyond them is in memory, on its way, or durable without being known to be.
    pub fn durable_bytes(&self) -> u64 {
        self.durable_bytes.load(Ordering::Relaxed)
    }

    /// Reads everything: what is stored, then what this writer holds in memory now. A dropped call
    /// changes nothing.
    ///
    /// # Errors
    /// [`Error::Closed`], [`Error::Guest`].
    pub async fn read_all(&self) -> Result<Reader> {
        let pending = self.pending().await?;
        Reader::open(&self.engine, &self.store, &self.name, &of_pending(pending)).await
    }

    /// Compacts what is stored of the log, beside appends and reads that go on. Does not flush.
    /// [`LogOptions::compact_after`] does it by itself. Before the first flush there is nothing to do.
    /// A dropped call is as one of [`Host::compact`](crate::Host::compact).
    ///
    /// # Errors
    /// As [`Host::compact`](crate::Host::compact).
    pub async fn compact(&self, options: &CompactOptions) -> Result<Compaction> {
        let mut instance = self.engine.instantiate(&self.store).await?;
        match instance.compact(&self.name, options).await {
            Err(Error::NoLog { .. }) => Ok(Compaction::default()),
            done => done,
        }
    }

    /// The number of objects that hold the log's stored events: segments and live batches. Cancel
    /// safe.
    ///
    /// # Errors
    /// [`Error::StoreFailed`], [`Error::Damaged`].
    pub async fn file_count(&self) -> Result<u64> {
        self.ask(Command::FileCount).await
    }

    /// Flushes and closes the writer: later calls on any clone fail with [`Error::Closed`]. Waits for
    /// a compaction in the background.
    ///
    /// Cancel safe: the close goes on though the call is dropped, and if it succeeds, the next call of
    /// this function returns what it came to.
    ///
    /// # Errors
    /// As [`Log::flush`]; the writer then stays open with everything kept.
    pub async fn close(&self) -> Result<Written> {
        match self.ask(Command::Close).await {
            Ok(written) => {
                self.staging.take_closed();
                Ok(written)
            }
            // It was closed for a call that was dropped.
            Err(Error::Closed) => self.staging.take_closed().ok_or(Error::Closed),
            Err(error) => Err(error),
        }
    }

    /// Appends one event if that needs no waiting; none if it does.
    pub(crate) fn append_now(&self, event: &[u8]) -> Option<Result<()>> {
        self.staging.push_now(event)
    }

    /// Appends lines if that needs no waiting; none if it does.
    pub(crate) fn append_lines_now(&self, lines: &[u8]) -> Option<Result<u64>> {
        self.staging.push_lines_now(lines)
    }

    /// Looks after what is pending now, and says whether anything still is.
    pub(crate) async fn tick(&self) -> Result<bool> {
        self.ask(Command::Tick).await
    }

    /// What this writer holds that may not be in the store yet.
    pub(crate) async fn pending(&self) -> Result<Pending> {
        self.ask(Command::Pending).await
    }

    /// The most memory that [`Log::pending`] takes: what there is is copied into the instance, out of
    /// it, and to the caller.
    pub(crate) fn pending_memory_bytes(&self) -> usize {
        self.memory.bytes().saturating_mul(3)
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T>>) -> Command,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let gone = || self.staging.ended().unwrap_or(Error::Closed);
        self.commands.send(command(answer)).await.map_err(|_| gone())?;
        answer_of(&self.commands, answered).await.unwrap_or_else(|| Err(gone()))
    }
}

/// Waits for the answer to a command; none if the owner has gone without one.
async fn answer_of<T>(
    commands: &mpsc::Sender<Command>,
    mut answered: oneshot::Receiver<T>,
) -> Option<T> {
    tokio::select! {
        biased;
        answer = &mut answered => answer.ok(),
        // A command that was sent while the owner went may stay in the queue, seen by nobody, for as
        // long as there are senders.
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

    #[tokio::test]
    async fn a_command_that_nobody_will_see_is_not_waited_for() {
        let (commands, queue) = mpsc::channel(1);
        let (answer, answered) = oneshot::channel();
        let sending = commands.reserve().await.unwrap();
        drop(queue);
        sending.send(Command::Flush(answer));
        let waiting = answer_of(&commands, answered);
        assert!(waiting.now_or_never().expect("an end of the wait").is_none());
    }

    #[tokio::test]
    async fn an_answer_given_before_the_owner_went_counts() {
        let (commands, queue) = mpsc::channel(1);
        let (answer, answered) = oneshot::channel();
        drop(queue);
        answer.send(7).unwrap();
        assert_eq!(answer_of(&commands, answered).await, Some(7));
    }
}
