//! The address space that the memories of instances reserve.
//!
//! Wasmtime reserves 4 GiB for each memory, and uses no byte before the memory has grown to it.
//! Then no access needs a bounds check, and a memory never moves. Where a process may not have that
//! much (`ulimit -v`), a memory reserves little, and its accesses are checked.

use std::io;

use wasmtime::{Config, Engine, Memory, MemoryType, OutOfMemory, Store};

use crate::limits::Limits;
use crate::numbers::{size, to_u64};

/// A process that may have this much address space need not save any: a hundred memories.
const PLENTY_BYTES: u64 = 512 * GIB;

/// With less, one thread compiles a component: each thread takes up to 130 MiB of address space.
const MANY_THREADS_BYTES: u64 = 16 * GIB;

/// A limited process has room for this many memories, next to everything else.
const MEMORIES: u64 = 32;

/// The reservation of a memory where the limit is not known.
const SMALL_BYTES: u64 = 64 * 1024 * 1024;

/// The space left free behind a memory that reserves little.
const GUARD_BYTES: u64 = 64 * 1024;

/// The reservation beyond the size of a memory that has outgrown its first one.
const GROWTH_BYTES: u64 = 16 * 1024 * 1024;

/// A process with no more than this many memory maps left lacks them: an instance that fails to be
/// made gives back those that it has taken.
const FEW_MAPS: u64 = 16;

const GIB: u64 = 1024 * 1024 * 1024;

/// The process may have less address space than any component needs.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot run a component: this process may have {} KiB of address space; raise the limit \
     (`ulimit -v`) to {} KiB or more",
    bytes / 1024,
    Limits::ADDRESS_SPACE_BYTES_MIN / 1024
)]
pub(crate) struct TooLittle {
    bytes: u64,
}

/// Makes an engine whose memories fit into the address space that this process may have. A memory
/// may grow to at most `memory_bytes_max`.
pub(crate) fn engine(config: &mut Config, memory_bytes_max: usize) -> wasmtime::Result<Engine> {
    let limit = limit().filter(|bytes| *bytes < PLENTY_BYTES);
    if limit.is_none() {
        let engine = Engine::new(config)?;
        // Any other bound on the address space shows when space is requested.
        match Memory::new(Store::new(&engine, ()), MemoryType::new(0, None)) {
            Ok(_) => return Ok(engine),
            Err(error) => tracing::debug!("a memory cannot reserve 4 GiB: {error:#}"),
        }
    }
    if let Some(bytes) = limit.filter(|bytes| *bytes < Limits::ADDRESS_SPACE_BYTES_MIN) {
        return Err(TooLittle { bytes }.into());
    }
    if limit.is_some_and(|bytes| bytes < MANY_THREADS_BYTES) {
        config.parallel_compilation(false);
    }
    let bytes = reservation(limit, memory_bytes_max);
    tracing::debug!("each memory reserves {} of address space", size(bytes));
    config
        .memory_reservation(bytes)
        .memory_reservation_for_growth(GROWTH_BYTES)
        .memory_guard_size(GUARD_BYTES);
    Engine::new(config)
}

/// Returns the reservation of a memory under a limit. It is a power of two, since each value needs
/// a compilation of its own.
fn reservation(limit: Option<u64>, memory_bytes_max: usize) -> u64 {
    let share = limit.map_or(SMALL_BYTES, |bytes| bytes / MEMORIES);
    let needed = to_u64(memory_bytes_max);
    let needed = needed.checked_next_power_of_two().unwrap_or(u64::MAX);
    let share = share.checked_ilog2().map_or(0, |exponent| 1 << exponent);
    needed.min(share).min(4 * GIB)
}

/// Returns the bytes of address space that this process may have, if they are limited.
#[cfg(unix)]
fn limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::As).current
}

#[cfg(not(unix))]
fn limit() -> Option<u64> {
    None
}

/// Ends a component that does not get memory because the process lacks it. The component would
/// end, too, and not report the reason.
pub(crate) fn grow_failed(error: wasmtime::Error) -> wasmtime::Result<()> {
    if is_lacking(&error) { Err(error) } else { Ok(()) }
}

/// Returns true if the failure is a lack of address space or memory.
fn is_lacking(error: &wasmtime::Error) -> bool {
    error.chain().any(|cause| {
        let of_system = cause.downcast_ref::<io::Error>();
        of_system.is_some_and(|error| error.kind() == io::ErrorKind::OutOfMemory)
            || is_no_memory(cause)
            || cause.is::<OutOfMemory>()
    })
}

/// Returns the message for a failure by lack of address space. `option` names the setting that
/// lowers the need of a component.
pub(crate) fn lack(error: &wasmtime::Error, option: &str) -> Option<String> {
    if let Some(lack) = lack_of_file(error) {
        return Some(lack);
    }
    if !is_lacking(error) {
        return None;
    }
    let cause = error.root_cause();
    if let Some(lack) = memory_maps().and_then(|maps| maps.lack(cause)) {
        return Some(lack);
    }
    Some(match limit() {
        Some(bytes) => format!(
            "no address space is left for a component: {cause}; raise the limit of this process, \
             which is {} KiB (`ulimit -v`), or lower {option}",
            bytes / 1024
        ),
        None => format!("no memory is left for a component: {cause}; lower {option}"),
    })
}

/// The memory maps of this process. Each instance takes about seven.
struct MemoryMaps {
    used: u64,
    max: u64,
}

impl MemoryMaps {
    /// Returns the message for a lack of maps, if so few are left that an instance finds none.
    fn lack(&self, cause: &(dyn std::error::Error + 'static)) -> Option<String> {
        let Self { used, max } = *self;
        (used.saturating_add(FEW_MAPS) >= max).then(|| {
            format!(
                "no memory map is left for a component: {cause}; this process has {used} of at \
                 most {max}; close logs and readers, or raise the limit (`sysctl \
                 vm.max_map_count`)"
            )
        })
    }
}

#[cfg(target_os = "linux")]
fn memory_maps() -> Option<MemoryMaps> {
    let max = std::fs::read_to_string("/proc/sys/vm/max_map_count").ok()?.trim().parse().ok()?;
    let maps = std::fs::read("/proc/self/maps").ok()?;
    Some(MemoryMaps { used: to_u64(memchr::memchr_iter(b'\n', &maps).count()), max })
}

#[cfg(not(target_os = "linux"))]
fn memory_maps() -> Option<MemoryMaps> {
    None
}

/// Returns the message for a component's memory file that is larger than this process may write
/// (`ulimit -f`). The file is in memory, and counts all the same.
#[cfg(unix)]
fn lack_of_file(error: &wasmtime::Error) -> Option<String> {
    use rustix::io::Errno;

    let is_too_large = |cause: &(dyn std::error::Error + 'static)| {
        let of_system = cause.downcast_ref::<io::Error>();
        of_system.is_some_and(|error| error.kind() == io::ErrorKind::FileTooLarge)
            || cause.downcast_ref::<Errno>() == Some(&Errno::FBIG)
    };
    if !error.chain().any(is_too_large) {
        return None;
    }
    let limit = rustix::process::getrlimit(rustix::process::Resource::Fsize).current;
    let limit = limit.map_or_else(String::new, |bytes| format!(", which is {}", size(bytes)));
    Some(format!(
        "the memory of a component counts as a file, and is larger than this process may write: \
         {}; \
         raise the limit{limit} (`ulimit -f`)",
        error.root_cause()
    ))
}

#[cfg(not(unix))]
fn lack_of_file(_: &wasmtime::Error) -> Option<String> {
    None
}

#[cfg(unix)]
fn is_no_memory(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause.downcast_ref::<rustix::io::Errno>() == Some(&rustix::io::Errno::NOMEM)
}

#[cfg(not(unix))]
fn is_no_memory(_: &(dyn std::error::Error + 'static)) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn memory_reserves_its_share_of_the_limit_up_to_its_maximum() {
        let table = [
            (Some(2_000 * MIB), 256 * MIB, 32 * MIB),
            (Some(2_048 * MIB), 256 * MIB, 64 * MIB),
            (Some(16 * GIB), 256 * MIB, 256 * MIB),
            (Some(16 * GIB), 10 * MIB, 16 * MIB),
            (Some(511 * GIB), 100 * GIB, 4 * GIB),
            (Some(0), 256 * MIB, 0),
            (None, 256 * MIB, SMALL_BYTES),
            (None, 10 * MIB, 16 * MIB),
        ];
        for (limit, memory_bytes_max, expected) in table {
            let memory_bytes_max = usize::try_from(memory_bytes_max).unwrap();
            let bytes = reservation(limit, memory_bytes_max);
            assert_eq!(bytes, expected, "{limit:?}, {memory_bytes_max}");
        }
    }

    #[test]
    fn lack_of_maps_is_named_only_if_few_are_left() {
        let cause = io::Error::from(io::ErrorKind::OutOfMemory);
        let lack = |used| MemoryMaps { used, max: 65_530 }.lack(&cause);
        assert_eq!(lack(65_530 - FEW_MAPS - 1), None);
        let text = lack(65_530 - FEW_MAPS).unwrap();
        assert!(text.contains("65514 of at most 65530") && text.contains("vm.max_map_count"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn maps_of_this_process_are_counted() {
        let maps = memory_maps().unwrap();
        assert!(maps.used > 10 && maps.max > maps.used, "{} of {}", maps.used, maps.max);
    }

    #[test]
    fn unlimited_process_reserves_enough_for_no_checks() {
        // The tests run without a limit. A limited process is a test of the command line.
        if limit().is_some() {
            return;
        }
        let engine = engine(&mut Config::new(), 1).unwrap();
        let plain = Engine::new(&Config::new()).unwrap();
        let hash = |engine: &Engine| {
            use std::hash::{DefaultHasher, Hash as _, Hasher as _};
            let mut hasher = DefaultHasher::new();
            engine.precompile_compatibility_hash().hash(&mut hasher);
            hasher.finish()
        };
        assert_eq!(hash(&engine), hash(&plain));
    }
}
