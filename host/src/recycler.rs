//! Memory that is used again once the bytes in it are no longer held: fresh memory costs a page fault
//! for every 4 KiB, which is more than to fill it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;

/// How many buffers are kept: at most 8 MiB, which count as nobody's.
const BUFFERS_KEPT: usize = 4;

/// A larger buffer is not kept.
const BUFFER_BYTES_KEPT: usize = 2 * 1024 * 1024;

/// Buffers that are not in use. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recycler(Arc<Buffers>);

type Buffers = Mutex<Vec<Vec<u8>>>;

impl Recycler {
    /// An empty buffer.
    pub(crate) fn take(&self) -> Vec<u8> {
        lock(&self.0).pop().unwrap_or_default()
    }

    /// Bytes whose memory comes back when the last of them is dropped.
    pub(crate) fn lend(&self, bytes: Vec<u8>) -> Bytes {
        Bytes::from_owner(Lent { bytes, back: Arc::downgrade(&self.0) })
    }
}

struct Lent {
    bytes: Vec<u8>,
    back: Weak<Buffers>,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(buffers) = self.back.upgrade() else { return };
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let mut buffers = lock(&buffers);
        if buffers.len() < BUFFERS_KEPT && bytes.capacity() <= BUFFER_BYTES_KEPT {
            buffers.push(bytes);
        }
    }
}

fn lock(buffers: &Buffers) -> MutexGuard<'_, Vec<Vec<u8>>> {
    // Nothing panics while it holds the lock.
    buffers.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_with_the_last_of_its_bytes() {
        let recycler = Recycler::default();
        let mut buffer = recycler.take();
        buffer.extend_from_slice(b"0123456789");
        let memory = buffer.as_ptr();
        let lent = recycler.lend(buffer);
        let slice = lent.slice(3..5);
        drop(lent);
        assert_eq!(recycler.take().capacity(), 0, "it is still in use");
        assert_eq!(&slice[..], b"34");
        drop(slice);
        let again = recycler.take();
        assert_eq!((again.as_ptr(), again.len()), (memory, 0));
    }

    #[test]
    fn few_buffers_are_kept_and_no_large_ones() {
        let recycler = Recycler::default();
        let lent = |bytes: usize| recycler.lend(vec![0; bytes]);
        let many: Vec<Bytes> = (0..10).map(|_| lent(10)).collect();
        drop((many, lent(BUFFER_BYTES_KEPT + 1)));
        assert_eq!(lock(&recycler.0).len(), BUFFERS_KEPT);
        let outlives = lent(10);
        drop(recycler);
        assert_eq!(outlives.len(), 10);
    }
}
