//! Feeds: logs of events that can be read again from their source.

use super::Host;
use crate::error::Result;
use crate::log::{Feed, ResumedFeed};
use crate::options::LogOptions;
use crate::store::Store;

impl Host {
    /// Opens a log for the events of a source that can be read again: a file, a queue, a table.
    /// Each event gets into the log exactly once, through any crash of this program. Lists the log
    /// once and creates nothing.
    ///
    /// A [`Log`](crate::Log) decides itself when to write, so after a crash a program cannot know
    /// which of its last events are stored. With a feed, the program makes the batches. It knows
    /// the name of each one before it is written, and records it together with the places of its
    /// events in the source. After a crash [`Host::resume_feed`] continues.
    ///
    /// The triggers of the options, such as `flush_bytes`, are not used.
    ///
    /// ```
    /// # use stratalog::store::Store;
    /// # use stratalog::{Host, LogOptions};
    /// # struct Record { batches: Vec<(String, u64, u64)>, next: u64 }
    /// # impl Record { fn save(&self) {} }
    /// # fn lines(from: u64, to: u64) -> String {
    /// #     (from..to).map(|n| format!("{n}\n")).collect()
    /// # }
    /// # async fn example(
    /// #     host: Host,
    /// #     store: Store,
    /// #     mut record: Record,
    /// # ) -> Result<(), stratalog::Error> {
    /// // Batches of the last run that may be stored or not, as it has recorded them.
    /// if !record.batches.is_empty() {
    ///     let names: Vec<_> = record.batches.iter().map(|(name, ..)| name.clone()).collect();
    ///     let mut last = host.resume_feed(&store, "errors", LogOptions::new(), &names).await?;
    ///     for (name, from, to) in &record.batches[last.stored..] {
    ///         last.feed.seal_again(lines(*from, *to), name).await?;
    ///         last.feed.start().await?;
    ///     }
    ///     last.feed.close().await?;
    ///     record.batches.clear();
    /// }
    /// let mut feed = host.feed(&store, "errors", LogOptions::new()).await?;
    /// for _ in 0..10 {
    ///     let (from, to) = (record.next, record.next + 1_000);
    ///     let name = feed.seal(lines(from, to)).await?;
    ///     record.batches.push((name, from, to));
    ///     record.next = to;
    ///     // Durably, before the create is started.
    ///     record.save();
    ///     feed.start().await?;
    /// }
    /// feed.close().await?;
    /// record.batches.clear();
    /// record.save();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Host::open`].
    pub async fn feed(&self, store: &Store, name: &str, options: LogOptions) -> Result<Feed> {
        Feed::open(&self.engine, store, name, options).await
    }

    /// Continues the batches that an earlier feed has sealed, in order: those recorded last, of
    /// which some may be stored. Finds out which are. Loads the log as a read does, and creates
    /// nothing.
    ///
    /// Then seal the others again, each with its events and its name. If these events cannot be
    /// read any more, leave this batch and those after it, and pass their events to a feed of
    /// [`Host::feed`].
    ///
    /// No create of the earlier run may still be on its way to the store. A process that has ended
    /// has none, unless its host died with a request in progress: then wait for the time limit of a
    /// request.
    ///
    /// # Errors
    /// [`Error::InvalidInput`](crate::Error::InvalidInput) for names that are not those of batches
    /// of one feed in a row, and as [`Host::open`] and [`Reader::next`](crate::Reader::next).
    pub async fn resume_feed(
        &self,
        store: &Store,
        name: &str,
        options: LogOptions,
        batches: &[String],
    ) -> Result<ResumedFeed> {
        Feed::resume(&self.engine, store, name, options, batches).await
    }
}
