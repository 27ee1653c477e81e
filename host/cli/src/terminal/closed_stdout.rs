//! Tells that the process was started without a stdout.
//!
//! A closed descriptor is known as such only before the runtime of Rust starts, which opens `/dev/null`
//! in its place.

use std::io;

/// The error of a write to a stdout that is none.
pub(crate) fn check_stdout() -> io::Result<()> {
    match stdout_was_closed() {
        false => Ok(()),
        true => Err(io::Error::other(
            "it is closed; give it a file, a pipe or /dev/null (`>/dev/null`)",
        )),
    }
}

#[cfg(target_os = "linux")]
use on_linux::stdout_was_closed;

/// Elsewhere that is not known.
#[cfg(not(target_os = "linux"))]
fn stdout_was_closed() -> bool {
    false
}

#[cfg(target_os = "linux")]
mod on_linux {
    use std::sync::atomic::{AtomicBool, Ordering};

    static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

    pub(crate) fn stdout_was_closed() -> bool {
        WAS_CLOSED.load(Ordering::Relaxed)
    }

    #[expect(unsafe_code, reason = "no safe wrapper takes a descriptor that may be closed")]
    extern "C" fn look() {
        // SAFETY: it reads flags of a descriptor, and fails if there is none of that number.
        let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
        WAS_CLOSED.store(flags == -1, Ordering::Relaxed);
    }

    #[expect(unsafe_code, reason = "what is in this section is called before `main`")]
    // SAFETY: the section holds pointers to functions of the C calling convention, which may be given
    // arguments that they do not take; this one needs nothing that is set up later.
    #[used]
    #[unsafe(link_section = ".init_array")]
    static LOOK: extern "C" fn() = look;
}
