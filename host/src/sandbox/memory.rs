//! Memory inside a sandbox and outside: counted together, against one limit.
//!
//! 1. The memory of an instance counts against the instance's own limit. If the instance works for
//!    a plugin, its memory also counts against the plugin's limit: see [`Memory::charge`].
//! 2. The owner of counted bytes gives the count back when it drops them.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use crate::limits::Limits;
use crate::numbers::{size, to_u64};

/// The memory of one instance, or of one plugin with all its instances. Clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Memory(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    owner: Owner,
    bytes: AtomicUsize,
    bytes_peak: AtomicUsize,
    bytes_max: usize,
    /// A request for more was refused.
    refused: AtomicBool,
    /// The other memory that it counts against, if there is one.
    charged: OnceLock<Charged>,
}

/// A memory that another one counts against.
#[derive(Debug)]
struct Charged {
    memory: Memory,
    /// Bytes are counted there even beyond the limit.
    freely: AtomicBool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Instance,
    Plugin,
}

/// A request for more memory than the limit allows.
#[derive(Clone, Debug)]
pub(crate) struct MemoryExceeded {
    owner: Owner,
    bytes_max: usize,
}

impl MemoryExceeded {
    /// Returns true for a plugin's limit. The text then names the option that raises it.
    pub(crate) fn is_of_plugin(&self) -> bool {
        self.owner == Owner::Plugin
    }
}

impl fmt::Display for MemoryExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, bytes_max } = self;
        let bytes_max = size(to_u64(*bytes_max));
        match owner {
            Owner::Instance => {
                write!(
                    f,
                    "a component asked for more memory than memory_bytes_max = {bytes_max}; raise \
                     it with --memory-max, up to {}",
                    size(Limits::MEMORY_BYTES_MAX.into())
                )
            }
            Owner::Plugin => write!(
                f,
                "memory_bytes_max = {bytes_max} is reached by the plugin, its logs and its readers \
                 together; raise it with --plugin-memory-max"
            ),
        }
    }
}

impl std::error::Error for MemoryExceeded {}

impl Memory {
    /// Creates the memory of an instance of the log's component.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self::of(Owner::Instance, bytes_max)
    }

    /// Creates the memory of a plugin and all its instances.
    pub(crate) fn of_plugin(bytes_max: usize) -> Self {
        Self::of(Owner::Plugin, bytes_max)
    }

    fn of(owner: Owner, bytes_max: usize) -> Self {
        let (bytes, bytes_peak) = (AtomicUsize::default(), AtomicUsize::default());
        let (refused, charged) = (AtomicBool::default(), OnceLock::new());
        Self(Arc::new(Counts { owner, bytes, bytes_peak, bytes_max, refused, charged }))
    }

    /// Permanently counts all present and future bytes against another limit, too.
    pub(crate) fn charge(&self, memory: &Self) -> Result<(), MemoryExceeded> {
        memory.take(self.bytes())?;
        let charged = Charged { memory: memory.clone(), freely: AtomicBool::new(false) };
        if self.0.charged.set(charged).is_err() {
            memory.give_back(self.bytes());
        }
        Ok(())
    }

    /// As [`Memory::charge`], but even beyond that limit: see [`Memory::charge_freely`].
    pub(crate) fn charge_anyway(&self, memory: &Self) {
        let charged = Charged { memory: memory.clone(), freely: AtomicBool::new(true) };
        if self.0.charged.set(charged).is_ok() {
            memory.add(self.bytes());
        }
    }

    /// From now on, counts bytes against the other limit even beyond it. This is for an instance
    /// with bytes that were counted before, and that the host promised to keep.
    pub(crate) fn charge_freely(&self) {
        if let Some(charged) = self.0.charged.get() {
            charged.freely.store(true, Ordering::Relaxed);
        }
    }

    /// Counts bytes until they are given back: see [`Memory::give_back`].
    pub(crate) fn take(&self, bytes: usize) -> Result<(), MemoryExceeded> {
        self.take_own(bytes)?;
        let Some(charged) = self.0.charged.get() else { return Ok(()) };
        if charged.freely.load(Ordering::Relaxed) {
            charged.memory.add(bytes);
            return Ok(());
        }
        charged.memory.take(bytes).inspect_err(|_| self.subtract(bytes))
    }

    /// Counts bytes here and against no other limit: there they are counted already.
    fn take_own(&self, bytes: usize) -> Result<(), MemoryExceeded> {
        let Counts { owner, bytes: taken, bytes_peak, bytes_max, refused, .. } = &*self.0;
        let before = taken.fetch_add(bytes, Ordering::Relaxed);
        let after = before.saturating_add(bytes);
        if after > *bytes_max {
            self.subtract(bytes);
            refused.store(true, Ordering::Relaxed);
            return Err(MemoryExceeded { owner: *owner, bytes_max: *bytes_max });
        }
        bytes_peak.fetch_max(after, Ordering::Relaxed);
        Ok(())
    }

    /// Counts bytes that exist, even beyond the limit.
    fn add(&self, bytes: usize) {
        let before = self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.0.bytes_peak.fetch_max(before.saturating_add(bytes), Ordering::Relaxed);
    }

    fn subtract(&self, bytes: usize) {
        self.0.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Refuses one request for more bytes than the limit.
    pub(crate) fn check(&self, bytes: usize) -> Result<(), MemoryExceeded> {
        let Counts { owner, bytes_max, .. } = &*self.0;
        if bytes <= *bytes_max {
            return Ok(());
        }
        Err(MemoryExceeded { owner: *owner, bytes_max: *bytes_max })
    }

    /// Refuses if there is no room for this many bytes now. Counts nothing.
    pub(crate) fn check_room(&self, bytes: usize) -> Result<(), MemoryExceeded> {
        self.borrow(bytes).map(drop)
    }

    /// Counts bytes for as long as the returned value lives.
    pub(crate) fn borrow(&self, bytes: usize) -> Result<Borrowed, MemoryExceeded> {
        self.take(bytes)?;
        Ok(Borrowed { memory: self.clone(), bytes, scope: Scope::All })
    }

    /// Counts bytes as [`Memory::borrow`], but not against other limits: there they are counted
    /// already.
    pub(crate) fn borrow_own(&self, bytes: usize) -> Result<Borrowed, MemoryExceeded> {
        self.take_own(bytes)?;
        Ok(Borrowed { memory: self.clone(), bytes, scope: Scope::Own })
    }

    /// Counts bytes as [`Memory::borrow`], even beyond the limit: they exist already.
    pub(crate) fn borrow_freely(&self, bytes: usize) -> Borrowed {
        self.add(bytes);
        if let Some(charged) = self.0.charged.get() {
            charged.memory.add(bytes);
        }
        Borrowed { memory: self.clone(), bytes, scope: Scope::All }
    }

    /// Returns the memory of the plugin that it counts against, if there is one.
    pub(crate) fn of_the_plugin(&self) -> Option<&Self> {
        match self.0.owner {
            Owner::Plugin => Some(self),
            Owner::Instance => self.0.charged.get().map(|charged| &charged.memory),
        }
    }

    /// Returns the number of bytes left below the limit.
    pub(crate) fn room(&self) -> usize {
        self.0.bytes_max.saturating_sub(self.bytes())
    }

    /// Stops counting bytes that were taken.
    pub(crate) fn give_back(&self, bytes: usize) {
        self.subtract(bytes);
        if let Some(charged) = self.0.charged.get() {
            charged.memory.give_back(bytes);
        }
    }

    /// Returns the number of counted bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Returns the highest number of counted bytes so far.
    pub(crate) fn bytes_peak(&self) -> usize {
        self.0.bytes_peak.load(Ordering::Relaxed)
    }

    /// Returns true if a request was refused.
    pub(crate) fn was_refused(&self) -> bool {
        self.0.refused.load(Ordering::Relaxed)
    }
}

/// Bytes that are counted for as long as this lives.
#[derive(Debug)]
pub(crate) struct Borrowed {
    memory: Memory,
    bytes: usize,
    scope: Scope,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    All,
    /// The instance's own limit.
    Own,
}

impl Borrowed {
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Counts this many bytes from now on.
    pub(crate) fn resize(&mut self, bytes: usize) -> Result<(), MemoryExceeded> {
        let more = bytes.saturating_sub(self.bytes);
        match self.scope {
            Scope::All => self.memory.take(more)?,
            Scope::Own => self.memory.take_own(more)?,
        }
        self.give_back(self.bytes.saturating_sub(bytes));
        self.bytes = bytes;
        Ok(())
    }

    fn give_back(&self, bytes: usize) {
        match self.scope {
            Scope::All => self.memory.give_back(bytes),
            Scope::Own => self.memory.subtract(bytes),
        }
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        self.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests;
