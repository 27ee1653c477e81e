//! Detects that the process was started without stdout.
//!
//! A closed descriptor is visible only before Rust's runtime starts: it opens `/dev/null` instead.

use std::io;

/// Returns the error of a write to a missing stdout.
pub(crate) fn check_stdout() -> io::Result<()> {
    match stdout_was_closed() {
        false => Ok(()),
        true => Err(io::Error::other(
            "stdout is closed; connect it to a file, a pipe or /dev/null (`>/dev/null`)",
        )),
    }
}

#[cfg(target_os = "linux")]
use on_linux::stdout_was_closed;

/// Other systems do not provide this.
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
        // SAFETY: the call reads the flags of a descriptor, and fails if the descriptor does not
        // exist.
        let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
        WAS_CLOSED.store(flags == -1, Ordering::Relaxed);
    }

    #[expect(unsafe_code, reason = "what is in this section is called before `main`")]
    // SAFETY: the section holds pointers to functions of the C calling convention. Such a function
    // may be called with arguments that it does not take. This one uses nothing that is set up
    // later.
    #[used]
    #[unsafe(link_section = ".init_array")]
    static LOOK: extern "C" fn() = look;
}
