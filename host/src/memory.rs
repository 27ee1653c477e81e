//! What an instance holds in memory, inside the sandbox and outside: counted together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The memory of one instance. Clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Memory(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    bytes: AtomicUsize,
    bytes_peak: AtomicUsize,
    bytes_max: usize,
}

/// More memory was asked for than an instance may have.
#[derive(Debug, thiserror::Error)]
#[error("a component asked for more memory than memory_bytes_max = {bytes_max}")]
pub(crate) struct MemoryExceeded {
    bytes_max: usize,
}

impl Memory {
    pub(crate) fn new(bytes_max: usize) -> Self {
        let (bytes, bytes_peak) = (AtomicUsize::default(), AtomicUsize::default());
        Self(Arc::new(Counts { bytes, bytes_peak, bytes_max }))
    }

    /// Counts bytes that stay as long as the instance.
    pub(crate) fn take(&self, bytes: usize) -> Result<(), MemoryExceeded> {
        let Counts { bytes: taken, bytes_peak, bytes_max } = &*self.0;
        let before = taken.fetch_add(bytes, Ordering::Relaxed);
        let after = before.saturating_add(bytes);
        if after > *bytes_max {
            taken.fetch_sub(bytes, Ordering::Relaxed);
            return Err(MemoryExceeded { bytes_max: *bytes_max });
        }
        bytes_peak.fetch_max(after, Ordering::Relaxed);
        Ok(())
    }

    /// Refuses more bytes at once than there may be in all.
    pub(crate) fn check(&self, bytes: usize) -> Result<(), MemoryExceeded> {
        let bytes_max = self.0.bytes_max;
        if bytes <= bytes_max { Ok(()) } else { Err(MemoryExceeded { bytes_max }) }
    }

    /// Counts bytes until they are given back.
    pub(crate) fn borrow(&self, bytes: usize) -> Result<Borrowed, MemoryExceeded> {
        self.take(bytes)?;
        Ok(Borrowed { memory: self.clone(), bytes })
    }

    fn give_back(&self, bytes: usize) {
        self.0.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// The most there was at once.
    pub(crate) fn bytes_peak(&self) -> usize {
        self.0.bytes_peak.load(Ordering::Relaxed)
    }
}

/// Bytes that are counted for as long as this lives.
#[derive(Debug)]
pub(crate) struct Borrowed {
    memory: Memory,
    bytes: usize,
}

impl Borrowed {
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Counts so many bytes from now on.
    pub(crate) fn resize(&mut self, bytes: usize) -> Result<(), MemoryExceeded> {
        self.memory.take(bytes.saturating_sub(self.bytes))?;
        self.memory.give_back(self.bytes.saturating_sub(bytes));
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        self.memory.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_may_be_taken_again_and_what_was_refused_was_not_taken() {
        let memory = Memory::new(10);
        memory.take(4).unwrap();
        let mut borrowed = memory.borrow(6).unwrap();
        assert!(memory.take(1).is_err());
        assert!(memory.borrow(1).is_err());
        borrowed.resize(5).unwrap();
        memory.take(1).unwrap();
        assert!(borrowed.resize(6).is_err());
        drop(borrowed);
        drop(memory.borrow(5).unwrap());
        assert_eq!(memory.bytes_peak(), 10);
        let error = memory.take(6).unwrap_err().to_string();
        assert!(error.ends_with("memory_bytes_max = 10"), "{error}");
    }
}
