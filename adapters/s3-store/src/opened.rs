//! Calls on a store that could not be opened: each fails alike.

use stratalog_store_exports::store::{Listing, OrderedRead, PendingCreate};
use stratalog_store_rules::error::{OrderedReadError, Outcome, StoreError, WriteError};
use stratalog_store_rules::objects::{Chunk, ListPage};

/// A state behind a handle, or the reason why the store could not be opened.
pub enum Opened<S> {
    Open(S),
    Failed(StoreError),
}

impl<C: PendingCreate> PendingCreate for Opened<C> {
    fn poll(&mut self) -> Option<Outcome> {
        match self {
            Self::Open(create) => create.poll(),
            Self::Failed(error) => Some(Err(WriteError::NotWritten(error.clone()))),
        }
    }

    fn wait(&mut self) -> Outcome {
        match self {
            Self::Open(create) => create.wait(),
            Self::Failed(error) => Err(WriteError::NotWritten(error.clone())),
        }
    }
}

impl<L: Listing> Listing for Opened<L> {
    fn next(&mut self, limit: usize) -> Result<ListPage, StoreError> {
        match self {
            Self::Open(listing) => listing.next(limit),
            Self::Failed(error) => Err(error.clone()),
        }
    }
}

impl<R: OrderedRead> OrderedRead for Opened<R> {
    fn next(&mut self, bytes_max: usize) -> Result<Option<Chunk>, OrderedReadError> {
        match self {
            Self::Open(read) => read.next(bytes_max),
            Self::Failed(error) => Err(OrderedReadError { number: 0, error: error.clone() }),
        }
    }
}
