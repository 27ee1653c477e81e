//! Checks the system's limits on this process. Too little address space or too few files for any
//! command is an error before anything is done. The error names the limit to raise.

use std::io;

#[cfg(unix)]
use stratalog::Limits;

use crate::process::exit::{Code, Failure};

/// With less address space, the system may refuse a thread or the memory for one part of an upload.
/// That ends the process without a message.
#[cfg(unix)]
const ADDRESS_SPACE_MIN: u64 = 128 * 1024 * 1024;

/// With less than this, few threads are started, and they share one heap.
#[cfg(unix)]
const ADDRESS_SPACE_PLENTY: u64 = 16 * 1024 * 1024 * 1024;

/// Threads for blocking work, mostly on files, each with a stack of 2 MiB. The first number is the
/// runtime's own default, the second is for a limited address space.
const BLOCKING_THREADS_MAX: usize = 512;
const BLOCKING_THREADS_FEW: usize = 12;

/// The pipes, of two descriptors each, that a process with enough files for a command can open.
const PIPES: usize = 8;

/// Adapts to a limited address space. Must be called before threads are started.
pub(crate) fn save_address_space() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    if is_address_space_limited() {
        #[expect(unsafe_code, reason = "the C library has no other way to set this")]
        // SAFETY: this sets a parameter of the allocator before there is a second thread.
        unsafe {
            // Each additional heap would reserve 128 MiB.
            libc::mallopt(libc::M_ARENA_MAX, 1);
        }
    }
}

/// Returns the maximum number of threads for blocking work. More work waits for a thread.
pub(crate) fn blocking_threads_max() -> usize {
    if is_address_space_limited() { BLOCKING_THREADS_FEW } else { BLOCKING_THREADS_MAX }
}

/// Refuses a process that may have too little for any command.
pub(crate) fn check() -> Result<(), Failure> {
    check_address_space()?;
    let pipes = (0..PIPES).map(|_| io::pipe()).collect::<io::Result<Vec<_>>>();
    pipes.map(drop).map_err(|error| {
        let message = format!(
            "cannot start: this process may open too few files: {error}; raise the limit \
             (`ulimit -n`) to 64 or more"
        );
        Failure::new(Code::Plugin, message)
    })
}

#[cfg(unix)]
fn check_address_space() -> Result<(), Failure> {
    match address_space().filter(|bytes| *bytes < ADDRESS_SPACE_MIN) {
        None => Ok(()),
        Some(bytes) => Err(Failure::new(
            Code::Plugin,
            format!(
                "cannot start: this process may have {} KiB of address space; raise the limit \
                 (`ulimit -v`) to {} KiB or more",
                bytes / 1024,
                Limits::ADDRESS_SPACE_BYTES_MIN / 1024
            ),
        )),
    }
}

#[cfg(not(unix))]
fn check_address_space() -> Result<(), Failure> {
    Ok(())
}

#[cfg(unix)]
fn address_space() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::As).current
}

#[cfg(unix)]
fn is_address_space_limited() -> bool {
    address_space().is_some_and(|bytes| bytes < ADDRESS_SPACE_PLENTY)
}

#[cfg(not(unix))]
fn is_address_space_limited() -> bool {
    false
}
