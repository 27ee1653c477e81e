//! One reading pass, in an instance of its own.

use std::fmt;

use wasmtime::component::ResourceAny;

use crate::bindings::exports::stratalog::log::append_log as wit;
use crate::engine::{Instance, SharedEngine};
use crate::error::{Error, Result};
use crate::follow::Follow;
use crate::records::Page;
use crate::store::Store;

/// Reads a log: each event once, in order, whatever is flushed, compacted or trimmed meanwhile.
///
/// A call that is cancelled leaves the reader unusable; [`Follow`] can be cancelled.
pub struct Reader {
    instance: Instance,
    handle: ResourceAny,
    /// What ends the pass for good, if something does.
    ends_with: Option<&'static str>,
}

impl Reader {
    pub(crate) async fn open(
        engine: &SharedEngine,
        store: &Store,
        name: &str,
        options: &wit::ReadOptions,
    ) -> Result<Self> {
        let ends_with = match options {
            wit::ReadOptions { limit: Some(_), .. } => Some("with its limit"),
            wit::ReadOptions { pending: Some(_), .. } => Some("with what a handle held"),
            _ => None,
        };
        let mut instance = engine.instantiate(store).await?;
        let (guest, instances) = instance.begin();
        let handle = guest.call_read(instances, name, options).await;
        let handle = handle.map_err(|error| Error::trapped(&error))??;
        Ok(Self { instance, handle, ends_with })
    }

    /// The next events, or none at the end of what is stored now. Asked again, it looks again: see
    /// [`Reader::follow`]. A pass of [`Log::read_all`](crate::Log::read_all), and one that has
    /// reached its limit, has ended for good.
    ///
    /// # Errors
    /// [`Error::NoLog`] when the first look finds nothing of the log, but for a pass of an open
    /// [`Log`](crate::Log). It is said once: call again, and it looks again.
    /// [`Error::StoreFailed`]: call again, and the pass goes on where it stood. [`Error::Damaged`]:
    /// everything before the damaged object has been returned.
    pub async fn next(&mut self) -> Result<Option<Page>> {
        self.instance.next_page(self.handle).await
    }

    /// Where the reader stands: right behind the last page that [`Reader::next`] returned. A text of
    /// digits, letters and `_ , + @`, about 50 bytes for each live batch already yielded. Stored, and
    /// given to [`ReadOptions::start`](crate::ReadOptions::start) by anybody at any time, it lets a
    /// pass go on without repeating or skipping an event. Once the log has been compacted, it carries the
    /// log's identity, and another log refuses it.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a pass of [`Log::read_all`](crate::Log::read_all), which has none,
    /// [`Error::Guest`].
    pub async fn position(&mut self) -> Result<String> {
        let (guest, instances) = self.instance.begin();
        let position = guest.reader().call_position(instances, self.handle).await;
        let position = position.map_err(|error| Error::trapped(&error))?;
        position.ok_or_else(|| {
            let message = "a pass over what a handle holds has no position: use Host::read";
            Error::InvalidInput(message.to_owned())
        })
    }

    /// Goes on with this pass for ever: see [`Follow`].
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a pass that ends for good; [`Error::Guest`].
    pub async fn follow(self) -> Result<Follow> {
        if let Some(end) = self.ends_with {
            let message = format!("this pass ends {end}: follow one of Host::read without a limit");
            return Err(Error::InvalidInput(message));
        }
        Follow::new(self).await
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}
