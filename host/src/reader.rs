//! One reading pass, in an instance of its own.

use std::fmt;

use wasmtime::component::ResourceAny;

use crate::bindings::exports::stratalog::log::append_log::Pending;
use crate::engine::{Instance, LogEngine};
use crate::error::{Error, Result};
use crate::records::Page;
use crate::store::Store;

/// Reads a log from its beginning: each event once, in order, whatever is flushed or compacted
/// meanwhile.
pub struct Reader {
    instance: Instance,
    handle: ResourceAny,
}

impl Reader {
    pub(crate) async fn open(
        engine: &LogEngine,
        store: &Store,
        name: &str,
        pending: Option<&Pending>,
    ) -> Result<Self> {
        let mut instance = engine.instantiate(store).await?;
        let (guest, instances) = instance.begin();
        let handle = guest.call_read(instances, name, pending).await;
        let handle = handle.map_err(|error| Error::trapped(&error))??;
        Ok(Self { instance, handle })
    }

    /// The next events, or none at the end.
    ///
    /// # Errors
    /// [`Error::StoreFailed`]: call again, and the pass goes on where it stood. [`Error::Damaged`]:
    /// everything before the damaged object has been returned.
    pub async fn next(&mut self) -> Result<Option<Page>> {
        let (guest, instances) = self.instance.begin();
        let page = guest.reader().call_next(instances, self.handle).await;
        let page = page.map_err(|error| Error::trapped(&error))??;
        Ok(page.map(Page::from))
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}
