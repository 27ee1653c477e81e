//! A pool of buffers that are used again when their bytes are dropped. New memory costs a page
//! fault for every 4 KiB, which takes longer than filling it.
//!
//! 1. A buffer in use counts against a memory, if there is one, with all bytes reserved for it.
//! 2. A buffer in the pool counts against no memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;

use crate::sandbox::memory::{Borrowed, Memory, MemoryExceeded};

/// The number of buffers in the pool: at most 8 MiB, which count against no memory.
const BUFFERS_KEPT: usize = 4;

/// A larger buffer is dropped.
const BUFFER_BYTES_KEPT: usize = 2 * 1024 * 1024;

/// Buffers that are not in use. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct BufferPool {
    buffers: Arc<Buffers>,
    charged: Option<Memory>,
}

type Buffers = Mutex<Vec<Vec<u8>>>;

/// Bytes that grow.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    /// Counts the reserved bytes, if a memory counts them.
    counted: Option<Borrowed>,
}

impl BufferPool {
    /// Creates a pool whose buffers count against this memory while they are in use.
    pub(crate) fn charging(memory: &Memory) -> Self {
        Self { buffers: Arc::default(), charged: Some(memory.clone()) }
    }

    /// Returns an empty buffer.
    pub(crate) fn take(&self) -> Buffer {
        Buffer { bytes: lock(&self.buffers).pop().unwrap_or_default(), counted: None }
    }

    /// Reserves room for this many more bytes in a buffer.
    pub(crate) fn reserve(&self, buffer: &mut Buffer, more: usize) -> Result<(), MemoryExceeded> {
        let Some(memory) = &self.charged else { return Ok(()) };
        let needed = buffer.bytes.len() + more;
        if buffer.counted.as_ref().is_some_and(|counted| needed <= counted.bytes()) {
            return Ok(());
        }
        if buffer.bytes.is_empty() && buffer.bytes.capacity() / 2 > needed {
            // A buffer from the pool that is far larger than its new content.
            buffer.bytes = Vec::new();
        }
        let doubled = buffer
            .bytes
            .capacity()
            .max(needed)
            .max((buffer.bytes.len() * 2).min(BUFFER_BYTES_KEPT));
        let reserved = match buffer.count(memory, doubled) {
            Ok(()) => doubled,
            Err(_) if buffer.bytes.capacity() <= needed => {
                buffer.count(memory, needed)?;
                needed
            }
            Err(error) => return Err(error),
        };
        buffer.bytes.reserve_exact(reserved - buffer.bytes.len());
        Ok(())
    }

    /// Drops the buffers that are not in use, unless the pool is that of a plugin, whose logs share
    /// it.
    pub(crate) fn clear_own(&self) {
        if self.charged.is_none() {
            let unused = std::mem::take(&mut *lock(&self.buffers));
            drop(unused);
        }
    }

    /// Returns bytes whose memory returns to the pool when the last of them is dropped.
    pub(crate) fn freeze(&self, buffer: Buffer) -> Bytes {
        Bytes::from_owner(PooledBuffer { buffer, back: Arc::downgrade(&self.buffers) })
    }
}

impl Buffer {
    /// Counts this many bytes as reserved.
    fn count(&mut self, memory: &Memory, bytes: usize) -> Result<(), MemoryExceeded> {
        match &mut self.counted {
            Some(counted) => counted.resize(bytes),
            none => {
                *none = Some(memory.borrow(bytes)?);
                Ok(())
            }
        }
    }

    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

struct PooledBuffer {
    buffer: Buffer,
    back: Weak<Buffers>,
}

impl AsRef<[u8]> for PooledBuffer {
    fn as_ref(&self) -> &[u8] {
        &self.buffer.bytes
    }
}

impl Drop for PooledBuffer {
    fn drop(&mut self) {
        let Some(buffers) = self.back.upgrade() else { return };
        let mut bytes = std::mem::take(&mut self.buffer.bytes);
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

    fn pooled(pool: &BufferPool, bytes: usize) -> Bytes {
        pool.freeze(Buffer { bytes: vec![0; bytes], counted: None })
    }

    #[test]
    fn memory_comes_back_with_the_last_of_its_bytes() {
        let pool = BufferPool::default();
        let mut buffer = pool.take();
        buffer.extend(b"0123456789");
        let memory = buffer.bytes().as_ptr();
        let pooled = pool.freeze(buffer);
        let slice = pooled.slice(3..5);
        drop(pooled);
        assert_eq!(pool.take().bytes.capacity(), 0, "it is still in use");
        assert_eq!(&slice[..], b"34");
        drop(slice);
        let again = pool.take();
        assert_eq!((again.bytes.as_ptr(), again.bytes.len()), (memory, 0));
    }

    #[test]
    fn few_buffers_are_kept_and_no_large_ones() {
        let pool = BufferPool::default();
        let many: Vec<Bytes> = (0..10).map(|_| pooled(&pool, 10)).collect();
        drop((many, pooled(&pool, BUFFER_BYTES_KEPT + 1)));
        assert_eq!(lock(&pool.buffers).len(), BUFFERS_KEPT);
        let outlives = pooled(&pool, 10);
        drop(pool);
        assert_eq!(outlives.len(), 10);
    }

    #[test]
    fn buffer_in_use_counts_as_reserved_and_a_pooled_one_does_not() {
        let memory = Memory::of_plugin(1_000);
        let pool = BufferPool::charging(&memory);
        let mut buffer = pool.take();
        pool.reserve(&mut buffer, 300).unwrap();
        buffer.extend(&[b'x'; 300]);
        pool.reserve(&mut buffer, 100).unwrap();
        assert_eq!(memory.bytes(), 600);
        buffer.extend(&[b'x'; 300]);
        // The buffer grows to the bytes needed, not to twice its size.
        pool.reserve(&mut buffer, 300).unwrap();
        assert_eq!((memory.bytes(), buffer.bytes.capacity()), (900, 900));
        let refused = pool.reserve(&mut buffer, 500).unwrap_err();
        assert!(refused.is_of_plugin() && memory.was_refused(), "{refused}");
        let pooled = pool.freeze(buffer);
        let mut other = pool.take();
        assert!(pool.reserve(&mut other, 101).is_err());
        drop(pooled);
        assert_eq!(memory.bytes(), 0);
        let mut kept = pool.take();
        assert_eq!(kept.bytes.capacity(), 900);
        pool.reserve(&mut kept, 10).unwrap();
        assert_eq!((memory.bytes(), kept.bytes.capacity()), (10, 10), "a small one will do");
    }
}
