//! The states of listings, reads and uploads, from their start until their handles are dropped.
//!
//! 1. A listing that has ended returns empty pages, and a read that has ended or failed returns
//!    nothing.
//! 2. An upload that failed or was finished is over: its memory is free, and each further call
//!    fails.

use std::mem;

use bytes::Bytes;
use stratalog_store_rules::error::{
    OrderedReadError, Outcome, StoreError, StoreErrorKind, WriteError,
};
use stratalog_store_rules::limits::{CHUNK_BYTES_MAX, CHUNK_BYTES_MIN, LIST_LIMIT_MAX};
use stratalog_store_rules::numbers::to_usize;
use stratalog_store_rules::objects::{Chunk, ListPage};

use crate::store::{Listing, OrderedRead, Upload};

/// A listing, until it has ended.
pub struct ListingSlot<L>(Option<L>);

impl<L: Listing> ListingSlot<L> {
    pub fn new(listing: L) -> Self {
        Self(Some(listing))
    }

    /// Returns the next page, of at most `limit` entries. A limit outside of the allowed ones is
    /// taken as the nearest of these.
    ///
    /// # Errors
    /// The next call returns the same page.
    pub fn next(&mut self, limit: u32) -> Result<ListPage, StoreError> {
        let limit = to_usize(limit.into()).clamp(1, LIST_LIMIT_MAX);
        let Some(listing) = &mut self.0 else { return Ok(ListPage::default()) };
        let page = listing.next(limit)?;
        if !page.more {
            self.0 = None;
        }
        Ok(page)
    }
}

/// An ordered read, until it has ended.
pub struct ReadSlot<R>(Option<R>);

impl<R: OrderedRead> ReadSlot<R> {
    pub fn new(read: R) -> Self {
        Self(Some(read))
    }

    /// Returns the next chunk, of at most `bytes_max` bytes, or none at the end. A limit outside of
    /// the allowed ones is taken as the nearest of these.
    ///
    /// # Errors
    /// The range that failed. The read is then over.
    pub fn next(&mut self, bytes_max: u32) -> Result<Option<Chunk>, OrderedReadError> {
        let bytes_max = bytes_max.clamp(CHUNK_BYTES_MIN, CHUNK_BYTES_MAX);
        let Some(read) = &mut self.0 else { return Ok(None) };
        let next = read.next(to_usize(bytes_max.into()));
        if !matches!(next, Ok(Some(_))) {
            self.0 = None;
        }
        next
    }
}

/// An upload, until it is over.
pub enum UploadSlot<U> {
    Open(U),
    Failed(WriteError),
    Finished,
}

impl<U: Upload> UploadSlot<U> {
    /// Adds bytes at the end.
    ///
    /// # Errors
    /// The upload is over, and every further call fails alike.
    pub fn write(&mut self, bytes: Bytes) -> Outcome {
        let upload = match self {
            Self::Open(upload) => upload,
            Self::Failed(error) => return Err(error.clone()),
            Self::Finished => return Err(already_finished()),
        };
        let written = upload.write(bytes);
        if let Err(error) = &written {
            *self = Self::Failed(error.clone());
        }
        written
    }

    /// Completes the object.
    ///
    /// # Errors
    /// The fate of the object.
    pub fn finish(&mut self) -> Outcome {
        match mem::replace(self, Self::Finished) {
            Self::Open(upload) => upload.finish(),
            Self::Failed(error) => Err(error),
            Self::Finished => Err(already_finished()),
        }
    }
}

fn already_finished() -> WriteError {
    let message = "the upload is already finished: start another";
    WriteError::NotWritten(StoreError::new(StoreErrorKind::Invalid, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pages(Vec<ListPage>);

    impl Listing for Pages {
        fn next(&mut self, limit: usize) -> Result<ListPage, StoreError> {
            assert_eq!(limit, LIST_LIMIT_MAX);
            Ok(self.0.remove(0))
        }
    }

    #[test]
    fn listing_that_has_ended_returns_empty_pages() {
        let more = ListPage { more: true, ..ListPage::default() };
        let mut slot = ListingSlot::new(Pages(vec![more.clone(), ListPage::default()]));
        let pages: Vec<_> = (0..4).map(|_| slot.next(u32::MAX).unwrap()).collect();
        assert_eq!(pages[0], more);
        assert_eq!(pages[1..], [ListPage::default(), ListPage::default(), ListPage::default()]);
    }

    struct Failing;

    impl OrderedRead for Failing {
        fn next(&mut self, bytes_max: usize) -> Result<Option<Chunk>, OrderedReadError> {
            assert_eq!(bytes_max, 1024);
            let error = StoreError::new(StoreErrorKind::NotFound, "no");
            Err(OrderedReadError { number: 3, error })
        }
    }

    #[test]
    fn read_that_failed_returns_nothing_more() {
        let mut slot = ReadSlot::new(Failing);
        assert_eq!(slot.next(0).unwrap_err().number, 3);
        assert_eq!(slot.next(0), Ok(None));
    }

    struct Full;

    impl Upload for Full {
        fn write(&mut self, bytes: Bytes) -> Outcome {
            let full = StoreError::new(StoreErrorKind::Unavailable, "full");
            if bytes.is_empty() { Ok(()) } else { Err(WriteError::NotWritten(full)) }
        }

        fn finish(self) -> Outcome {
            Ok(())
        }
    }

    #[test]
    fn upload_that_is_over_fails_each_call() {
        let mut slot = UploadSlot::Open(Full);
        slot.write(Bytes::new()).unwrap();
        let failed = slot.write(Bytes::from_static(b"x"));
        assert!(failed.is_err());
        assert_eq!(slot.write(Bytes::new()), failed);
        assert_eq!(slot.finish(), failed);
        assert_eq!(slot.finish(), Err(already_finished()));
        let mut slot = UploadSlot::Open(Full);
        assert_eq!(slot.finish(), Ok(()));
        assert_eq!(slot.write(Bytes::new()), Err(already_finished()));
    }
}
