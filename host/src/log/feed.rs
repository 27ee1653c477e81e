//! A log that takes events of a source that can be read again.
//!
//! 1. A batch has its name before its create is started, so that the caller can record both the
//!    name and the places of its events in between.
//! 2. A call in progress is owned by the feed: one that was dropped is completed by the next call.
//!    But the name of a batch that a dropped call has sealed is not known to the caller, so no call
//!    follows that.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt as _;
use tokio::sync::Notify;

use crate::error::{Error, Result};
use crate::log::background::Background;
use crate::log::notices::Notifier;
use crate::log::packed_lines::LineLimits;
use crate::numbers::{count, to_u64, to_usize};
use crate::options::{HandleLimits, LogOptions};
use crate::sandbox::calls::{Call, Calls};
use crate::sandbox::engine::SharedEngine;
use crate::sandbox::feeds::Resumed;
use crate::sandbox::instance::{Handle, Instance};
use crate::store::Store;
use crate::telemetry::{self, PendingEvents};
use crate::types::Written;

/// A log that takes the events of a source that can be read again, each exactly once through any
/// crash: see [`Host::feed`](crate::Host::feed).
pub struct Feed {
    calls: Calls<Answer>,
    handle: Handle,
    create_ended: Arc<Notify>,
    lines: LineLimits,
    creates_max: u64,
    /// The batches that were sealed, stored or not.
    sealed: Written,
    /// The number of them that were started.
    started: u64,
    written: Written,
    pending: PendingEvents,
    /// True once a call that sealed a batch was dropped.
    has_lost_name: bool,
    background: Option<Background>,
}

/// A feed that continues the batches of an earlier run: see
/// [`Host::resume_feed`](crate::Host::resume_feed).
#[derive(Debug)]
#[non_exhaustive]
pub struct ResumedFeed {
    /// The feed. Seal the batches that are not stored first, in order, with [`Feed::seal_again`].
    pub feed: Feed,
    /// The number of batches that are stored, from the first on.
    pub stored: usize,
    /// True if the first batch that is not stored may have been, and trimmed since. Do not seal it
    /// again: its events might be in the log twice.
    pub may_be_trimmed: bool,
}

const NOTHING: Written = Written { batches: 0, events: 0, bytes: 0 };

enum Answer {
    Sealed(String),
    Written(Written),
}

impl Feed {
    pub(crate) async fn open(
        engine: &SharedEngine,
        store: &Store,
        name: &str,
        options: LogOptions,
    ) -> Result<Self> {
        let mut instance = engine.instantiate(store).await?;
        let handle = instance.open(name, options.to_wit()?).await?;
        Self::of(engine, store, name, &options, (instance, handle)).await
    }

    pub(crate) async fn resume(
        engine: &SharedEngine,
        store: &Store,
        name: &str,
        options: LogOptions,
        batches: &[String],
    ) -> Result<ResumedFeed> {
        let mut instance = engine.instantiate(store).await?;
        let resumed = instance.resume(name, options.to_wit()?, batches).await?;
        let Resumed { log, stored, may_be_trimmed } = resumed;
        let feed = Self::of(engine, store, name, &options, (instance, log)).await?;
        Ok(ResumedFeed { feed, stored: to_usize(stored), may_be_trimmed })
    }

    async fn of(
        engine: &SharedEngine,
        store: &Store,
        name: &str,
        options: &LogOptions,
        (mut instance, handle): (Instance, Handle),
    ) -> Result<Self> {
        let effective = instance.effective_options(handle).await?;
        let background = options.compact_after_batches()?.map(|batches| {
            let (engine, store) = (engine.clone(), store.clone());
            Background::new(engine, store, name.into(), batches, Notifier::new())
        });
        Ok(Self {
            create_ended: instance.create_ended(),
            calls: Calls::new(instance),
            handle,
            lines: LineLimits::of(&HandleLimits::of(&effective)),
            creates_max: effective.creates_max.unwrap_or(1).into(),
            sealed: NOTHING,
            started: 0,
            written: NOTHING,
            pending: PendingEvents::new(),
            has_lost_name: false,
            background,
        })
    }

    /// Seals events, each ended by LF, as one batch, and returns its name. Writes nothing. Record
    /// the name and the places of the events durably, and then call [`Feed::start`].
    ///
    /// Waits if [`creates_max`](LogOptions::creates_max) batches, or as many bytes as
    /// [`buffer_bytes_max`](LogOptions::buffer_bytes_max), are not stored yet. If the call is
    /// dropped while it waits, nothing was sealed. If it is dropped later, the feed is closed:
    /// resume it, as after a crash.
    ///
    /// # Errors
    /// - [`Error::InvalidEvent`], [`Error::InvalidInput`] without events, or for more than
    ///   `buffer_bytes_max` bytes, or if it would wait for a batch that was not started.
    /// - [`Error::WriteFailed`]: a batch before it could not be written. The next call retries.
    /// - [`Error::Closed`].
    pub async fn seal(&mut self, lines: impl Into<Bytes>) -> Result<String> {
        self.seal_as(lines.into(), None).await
    }

    /// Seals the events of a batch that an earlier run has sealed, under the same name, as
    /// [`Feed::seal`]. They are the same events.
    ///
    /// # Errors
    /// As [`Feed::seal`]; [`Error::InvalidInput`] if the events are not those of the batch, or if
    /// it does not follow the batches before.
    pub async fn seal_again(&mut self, lines: impl Into<Bytes>, name: &str) -> Result<()> {
        self.seal_as(lines.into(), Some(name.to_owned())).await.map(drop)
    }

    async fn seal_as(&mut self, lines: Bytes, name: Option<String>) -> Result<String> {
        let events = self.lines.check_lines(&lines)?;
        let bytes = to_u64(lines.len());
        self.make_room(bytes).await?;
        let handle = self.handle;
        let sealed = self.call(move |instance| {
            async move { instance.seal(handle, lines, name.as_deref()).await.map(Answer::Sealed) }
                .boxed()
        });
        match sealed.await? {
            Answer::Sealed(name) => {
                self.sealed.batches += 1;
                self.sealed.events += events;
                self.sealed.bytes += bytes;
                telemetry::events_appended(events, bytes);
                self.pending.taken(self.sealed.events);
                Ok(name)
            }
            Answer::Written(_) => Err(Error::Closed),
        }
    }

    /// Starts to write the batches sealed so far. Does not wait for the store.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub async fn start(&mut self) -> Result<()> {
        let handle = self.handle;
        let started = self.call(move |instance| {
            async move {
                instance.start_sealed(handle).await?;
                instance.written(handle).await.map(Answer::Written)
            }
            .boxed()
        });
        started.await?;
        self.started = self.sealed.batches;
        Ok(())
    }

    /// Returns the number of batches that were started.
    pub fn started(&self) -> u64 {
        self.started
    }

    /// Returns what this feed has made durable, as of the last call: the batches that are stored,
    /// with no gap, from the first on.
    pub fn written(&self) -> Written {
        self.written
    }

    /// Returns what this feed has made durable. Does not wait for the store.
    ///
    /// # Errors
    /// [`Error::WriteFailed`], once for each failure of the oldest batch that is not stored.
    /// [`Feed::wait`] retries. [`Error::Closed`].
    pub async fn poll(&mut self) -> Result<Written> {
        let handle = self.handle;
        let polled = self.call(move |instance| {
            async move { instance.poll_flush(handle).await.map(Answer::Written) }.boxed()
        });
        polled.await?;
        Ok(self.written)
    }

    /// Waits until this many batches of the feed are stored, and returns what is durable. First
    /// retries those that have failed. Cancel safe.
    ///
    /// # Errors
    /// [`Error::WriteFailed`]: every batch is kept, and the next call retries it.
    /// [`Error::InvalidInput`] if fewer were started. [`Error::Closed`].
    pub async fn wait(&mut self, batches: u64) -> Result<Written> {
        if batches > self.started {
            return Err(Error::InvalidInput(format!(
                "cannot wait for {batches} batches: {} were started; start them first",
                self.started
            )));
        }
        if self.written.batches >= batches {
            return Ok(self.written);
        }
        let handle = self.handle;
        let retried = self.call(move |instance| {
            async move { instance.start_flush(handle, true).await.map(Answer::Written) }.boxed()
        });
        retried.await?;
        while self.written.batches < batches {
            let create_ended = self.create_ended.clone();
            create_ended.notified().await;
            self.poll().await?;
        }
        Ok(self.written)
    }

    /// Waits until all batches that were started are stored, and for a compaction in the
    /// background. Those that were not started are not written: no record of them is needed.
    ///
    /// # Errors
    /// As [`Feed::wait`].
    pub async fn close(mut self) -> Result<Written> {
        let written = self.wait(self.started).await?;
        if let Some(background) = &mut self.background {
            background.finish().await;
        }
        Ok(written)
    }

    /// Waits until a batch of this many bytes can be sealed.
    async fn make_room(&mut self, bytes: u64) -> Result<()> {
        let bytes_max = to_u64(self.lines.bytes_max);
        loop {
            let open = self.sealed.batches.saturating_sub(self.written.batches);
            let open_bytes = self.sealed.bytes.saturating_sub(self.written.bytes);
            let has_room = open < self.creates_max && open_bytes.saturating_add(bytes) <= bytes_max;
            if open == 0 || has_room {
                return Ok(());
            }
            if self.started <= self.written.batches {
                let sealed = count(open, "batch is", "batches are");
                return Err(Error::InvalidInput(format!(
                    "cannot seal another batch: {sealed} sealed and not started; start them first"
                )));
            }
            self.wait(self.written.batches + 1).await?;
        }
    }

    /// Records what is durable now.
    fn publish(&mut self, written: Written) {
        let before = std::mem::replace(&mut self.written, written);
        if written.batches > before.batches {
            telemetry::batches_durable(
                written.batches.saturating_sub(before.batches),
                written.events.saturating_sub(before.events),
                written.bytes.saturating_sub(before.bytes),
            );
        }
        self.pending.durable(written.events);
    }

    /// Completes the call that was dropped half way, if there is one, and makes this one.
    async fn call(
        &mut self,
        call: impl FnOnce(&mut Instance) -> Call<'_, Answer> + Send + 'static,
    ) -> Result<Answer> {
        if self.calls.is_in_progress() {
            let handle = self.handle;
            let ended = self.calls.end_or_make(move |instance| {
                async move { instance.written(handle).await.map(Answer::Written) }.boxed()
            });
            let ended = ended.await;
            self.has_lost_name |= matches!(ended, Ok(Answer::Sealed(_)));
        }
        if self.has_lost_name {
            return Err(Error::Closed);
        }
        let answer = self.calls.end_or_make(call).await?;
        if let Answer::Written(written) = answer {
            self.publish(written);
            if let Some(background) = &mut self.background {
                background.ended().now_or_never();
                background.begin_if_due(written.batches);
            }
        }
        Ok(answer)
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("written", &self.written).finish_non_exhaustive()
    }
}
