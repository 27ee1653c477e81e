//! Host bytes: a component can check and forward bytes from the store without copying them into its
//! memory.
//!
//! 1. They count as the component's memory until the last of them is dropped. They count once,
//!    however often they are sliced. Their bookkeeping also counts.
//! 2. A join is at most as long as the component's memory limit, although joined bytes count only
//!    once. Otherwise a few bytes, appended to themselves again and again, would be more than any
//!    call could process.
//! 3. A small part of a large buffer is copied, so that the memory used is not much more than the
//!    memory counted.
//! 4. Everything that a component passes in is hostile: offsets and sizes are checked before use.

use std::sync::Arc;

use bytes::Bytes;
use object_store::PutPayload;
use stratalog_store_rules::limits::{PIECES_JOINED_BYTES, READ_BYTES_MAX};
use stratalog_store_rules::pieces::{
    OutOfRange, Summary, Summing, cut, join, line_end, range, summarize,
};
use twox_hash::XxHash3_64;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};

use super::check_count;
use super::{HasObjectStore, ObjectStoreView};
use crate::numbers::{size, to_u64};
use crate::sandbox::bindings::stratalog::log::host_bytes as wit;
use crate::sandbox::interface::{of_package, replace};
use crate::sandbox::memory::{Borrowed, Memory};

/// The bookkeeping of a piece, besides its bytes.
const PIECE_OVERHEAD_BYTES: usize = 128;

/// Digests and counts with the instructions of the processor.
struct Sums;

impl Summing for Sums {
    type Hasher = XxHash3_64;

    fn digest(bytes: &[u8]) -> u64 {
        XxHash3_64::oneshot(bytes)
    }

    fn line_feeds(bytes: &[u8]) -> usize {
        bytecount::count(bytes, b'\n')
    }
}

#[expect(unreachable_pub, reason = "the bindings name it in public")]
/// Some bytes, in pieces as they came from the store or the caller.
#[derive(Debug)]
pub struct HostBytes {
    pieces: Vec<Piece>,
    length: usize,
    overhead: Borrowed,
}

#[derive(Clone, Debug)]
struct Piece {
    bytes: Bytes,
    /// Counts the bytes, and the buffer that they were sliced from.
    counted: Arc<Borrowed>,
}

impl Piece {
    /// Returns the bytes for a caller that may keep them: a copy if they are a small part of the
    /// counted buffer.
    fn kept(&self) -> Bytes {
        let is_small = self.bytes.len() < self.counted.bytes() / 2;
        if is_small { Bytes::copy_from_slice(&self.bytes) } else { self.bytes.clone() }
    }
}

impl HostBytes {
    pub(super) fn new(bytes: Bytes, memory: &Memory) -> wasmtime::Result<Self> {
        let counted = memory.borrow(bytes.len())?;
        Self::of_one(bytes, counted, memory)
    }

    /// Wraps bytes that their source already counts against every limit but the instance's own.
    pub(super) fn of_counted(bytes: Bytes, memory: &Memory) -> wasmtime::Result<Self> {
        let counted = memory.borrow_own(bytes.len())?;
        Self::of_one(bytes, counted, memory)
    }

    fn of_one(bytes: Bytes, counted: Borrowed, memory: &Memory) -> wasmtime::Result<Self> {
        let length = bytes.len();
        let overhead = memory.borrow(overhead_of(1))?;
        let pieces = vec![Piece { bytes, counted: Arc::new(counted) }];
        Ok(Self { pieces, length, overhead })
    }

    /// Returns the bytes, in pieces, for a caller that may keep them.
    pub(super) fn into_pieces(self) -> impl Iterator<Item = Bytes> + Send {
        self.pieces.into_iter().map(|piece| piece.kept())
    }

    /// Returns the bytes, without a copy if they are in one piece.
    pub(crate) fn to_bytes(&self) -> Bytes {
        if let [Piece { bytes, .. }] = &self.pieces[..] {
            return bytes.clone();
        }
        join(self.bytes(), self.length)
    }

    /// Returns the payload for a store: a few pieces unchanged, many small ones joined. The bytes
    /// count for as long as the second value is kept.
    pub(super) fn to_payload(
        &self,
        memory: &Memory,
    ) -> wasmtime::Result<(PutPayload, impl Send + use<>)> {
        if self.length / PIECES_JOINED_BYTES < self.pieces.len() {
            let counted = vec![Arc::new(memory.borrow(self.length)?)];
            return Ok((self.to_bytes().into(), counted));
        }
        let payload = self.pieces.iter().map(|piece| piece.bytes.clone()).collect();
        let counted = self.pieces.iter().map(|piece| piece.counted.clone()).collect();
        Ok((payload, counted))
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Returns the bytes for a caller that may keep them.
    pub(super) fn into_kept(self) -> Bytes {
        match &self.pieces[..] {
            [piece] => piece.kept(),
            _ => self.to_bytes(),
        }
    }

    fn slice(&self, start: u64, end: u64, memory: &Memory) -> wasmtime::Result<Self> {
        let range = range(self.length, start, end)?;
        let length = range.len();
        let mut overhead = memory.borrow(overhead_of(self.pieces.len()))?;
        let mut cut = cut(range);
        let within = self.pieces.iter().filter_map(|Piece { bytes, counted }| {
            Some(Piece { bytes: cut(bytes)?, counted: Arc::clone(counted) })
        });
        let pieces: Vec<Piece> = within.collect();
        overhead.resize(overhead_of(pieces.len()))?;
        Ok(Self { pieces, length, overhead })
    }

    fn append(&mut self, more: Self, memory: &Memory) -> wasmtime::Result<()> {
        let length = self.length + more.length;
        memory.check(length)?;
        let pieces = self.pieces.len() + more.pieces.len();
        self.overhead.resize(overhead_of(pieces))?;
        self.length = length;
        self.pieces.extend(more.pieces);
        Ok(())
    }

    fn summarize(&self, start: u64, lengths: &[u64]) -> Result<Vec<Summary>, OutOfRange> {
        summarize::<Sums>(self.bytes(), self.length, start, lengths)
    }

    fn line_end(&self, line_feeds: u64) -> usize {
        line_end(self.bytes(), line_feeds)
    }

    fn bytes(&self) -> impl Iterator<Item = &Bytes> {
        self.pieces.iter().map(|piece| &piece.bytes)
    }
}

fn overhead_of(pieces: usize) -> usize {
    (pieces + 1) * PIECE_OVERHEAD_BYTES
}

impl wit::Host for ObjectStoreView<'_> {}

impl wit::HostBytes for ObjectStoreView<'_> {
    fn new(&mut self, content: Vec<u8>) -> wasmtime::Result<Resource<HostBytes>> {
        let bytes = HostBytes::new(content.into(), &self.in_flight.memory)?;
        Ok(self.table.push(bytes)?)
    }

    fn length(&mut self, bytes: Resource<HostBytes>) -> wasmtime::Result<u64> {
        Ok(to_u64(self.table.get(&bytes)?.length))
    }

    fn slice(
        &mut self,
        bytes: Resource<HostBytes>,
        start: u64,
        end: u64,
    ) -> wasmtime::Result<Resource<HostBytes>> {
        let slice = self.table.get(&bytes)?.slice(start, end, &self.in_flight.memory)?;
        Ok(self.table.push(slice)?)
    }

    fn append(
        &mut self,
        bytes: Resource<HostBytes>,
        more: Resource<HostBytes>,
    ) -> wasmtime::Result<()> {
        let more = self.table.delete(more)?;
        self.table.get_mut(&bytes)?.append(more, &self.in_flight.memory)
    }

    fn summarize(
        &mut self,
        bytes: Resource<HostBytes>,
        start: u64,
        lengths: Vec<u64>,
    ) -> wasmtime::Result<Option<Vec<wit::Summary>>> {
        check_count("ranges to summarize", lengths.len())?;
        let summaries = self.table.get(&bytes)?.summarize(start, &lengths)?.into_iter();
        let converted =
            summaries.map(|Summary { digest, line_feeds }| wit::Summary { digest, line_feeds });
        Ok(Some(converted.collect()))
    }

    fn line_end(&mut self, bytes: Resource<HostBytes>, line_feeds: u64) -> wasmtime::Result<u64> {
        let end = self.table.get(&bytes)?.line_end(line_feeds);
        Ok(to_u64(end))
    }

    fn read(&mut self, bytes: Resource<HostBytes>) -> wasmtime::Result<Vec<u8>> {
        self.read_within_limit(&bytes).map(Vec::from)
    }

    fn drop(&mut self, bytes: Resource<HostBytes>) -> wasmtime::Result<()> {
        self.table.delete(bytes)?;
        Ok(())
    }
}

impl ObjectStoreView<'_> {
    fn read_within_limit(&mut self, bytes: &Resource<HostBytes>) -> wasmtime::Result<Bytes> {
        let bytes = self.table.get(bytes)?;
        if bytes.length <= READ_BYTES_MAX {
            return Ok(bytes.to_bytes());
        }
        Err(wasmtime::Error::msg(format!(
            "cannot read {} of host bytes in one call: at most {}",
            size(to_u64(bytes.length)),
            size(to_u64(READ_BYTES_MAX))
        )))
    }
}

/// Adds the interface to a linker.
pub(super) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> ObjectStoreView<'_>,
) -> wasmtime::Result<()> {
    wit::add_to_linker::<T, HasObjectStore>(linker, view)?;
    // The generated bindings would make one more copy of the bytes.
    const READ: &str = "[method]bytes.read";
    let read = move |mut context: StoreContextMut<'_, T>, (bytes,): (Resource<HostBytes>,)| {
        Ok((view(context.data_mut()).read_within_limit(&bytes)?,))
    };
    replace(linker, of_package!("host-bytes"), &[READ], |instance| instance.func_wrap(READ, read))
}

#[cfg(test)]
mod tests;
