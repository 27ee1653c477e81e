//! Checks a log, object by object, in an instance of its own.

use std::fmt;

use futures::FutureExt as _;

use crate::error::Result;
use crate::sandbox::calls::Calls;
use crate::sandbox::engine::SharedEngine;
use crate::sandbox::instance::Handle;
use crate::store::Store;
use crate::types::VerifyProgress;

/// Checks everything there is of a log: manifests, their order, each segment with its index, each
/// live batch, and that no batch is in the log twice; and lists what is left over. Changes nothing.
///
/// Every call is cancel safe: the step that a dropped future would have returned is returned by the
/// next call.
pub struct Verifier {
    calls: Calls<Option<VerifyProgress>>,
    handle: Handle,
}

impl Verifier {
    pub(crate) async fn open(engine: &SharedEngine, store: &Store, name: &str) -> Result<Self> {
        let mut instance = engine.instantiate(store).await?;
        let handle = instance.verify(name).await?;
        Ok(Self { calls: Calls::new(instance), handle })
    }

    /// Does one step of the work, of about 2 MiB. None when everything is checked. Damage is a
    /// finding, not an error, and the work continues behind it.
    ///
    /// Cancel safe: the next call ends a step that a dropped call has started.
    ///
    /// # Errors
    /// [`StoreFailed`](crate::Error::StoreFailed): call again. [`NoLog`](crate::Error::NoLog) in
    /// the first step. [`Unsupported`](crate::Error::Unsupported) for a manifest of a newer format.
    pub async fn next(&mut self) -> Result<Option<VerifyProgress>> {
        let handle = self.handle;
        let checked = self.calls.end_or_make(move |instance| instance.next_checked(handle).boxed());
        Ok(checked.await?)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}
