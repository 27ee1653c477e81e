//! The descriptors of this process, read and written without a buffer, whether they block or not.

use std::fs::File;
use std::io;

/// The source of an input stream.
pub(super) struct Stdin;

/// The destination of an output stream.
#[derive(Clone, Copy)]
pub(super) enum Out {
    Stdout,
    Stderr,
}

#[cfg(unix)]
mod system {
    use std::io;
    use std::os::fd::AsFd;

    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::io::{Errno, read, write};

    use super::{Out, Stdin};

    impl io::Read for Stdin {
        fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
            let stdin = io::stdin();
            loop {
                match read(&stdin, &mut *block) {
                    Ok(bytes) => return Ok(bytes),
                    Err(Errno::INTR) => {}
                    Err(Errno::AGAIN) => wait(&stdin, PollFlags::IN)?,
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }

    impl io::Write for Out {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            match self {
                Self::Stdout => write_once(&io::stdout(), data),
                Self::Stderr => write_once(&io::stderr(), data),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn write_once(stream: &impl AsFd, data: &[u8]) -> io::Result<usize> {
        loop {
            match write(stream, data) {
                Ok(bytes) => return Ok(bytes),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => wait(stream, PollFlags::OUT)?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits until the stream is ready, or has an error that the next attempt returns.
    fn wait(stream: &impl AsFd, readiness: PollFlags) -> io::Result<()> {
        match poll(&mut [PollFd::new(stream, readiness)], None) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Returns a writable descriptor of the stream that never blocks, if there is one. A regular file
/// is always ready. A pipe is opened again, since a change of the shared descriptor to non-blocking
/// would also affect the other processes that share it.
#[cfg(unix)]
fn ready_descriptor(stream: &impl std::os::fd::AsFd) -> Option<File> {
    use std::os::fd::{AsFd as _, AsRawFd as _};
    use std::os::unix::fs::FileTypeExt as _;

    use rustix::fs::{Mode, OFlags, open};

    let shared = File::from(stream.as_fd().try_clone_to_owned().ok()?);
    let kind = shared.metadata().ok()?.file_type();
    if kind.is_file() {
        return Some(shared);
    }
    if !kind.is_fifo() || !cfg!(target_os = "linux") {
        return None;
    }
    let own = format!("/proc/self/fd/{}", shared.as_fd().as_raw_fd());
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    open(own, flags, Mode::empty()).ok().map(File::from)
}

#[cfg(not(unix))]
mod system {
    use std::io::{self, Read as _, Write as _};

    use super::{Out, Stdin};

    impl io::Read for Stdin {
        fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
            io::stdin().read(block)
        }
    }

    impl io::Write for Out {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            match self {
                Self::Stdout => io::stdout().write(data),
                Self::Stderr => io::stderr().write(data),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            match self {
                Self::Stdout => io::stdout().flush(),
                Self::Stderr => io::stderr().flush(),
            }
        }
    }
}

impl Stdin {
    pub(super) fn is_terminal() -> bool {
        io::IsTerminal::is_terminal(&io::stdin())
    }
}

impl Out {
    pub(super) fn is_terminal(self) -> bool {
        match self {
            Self::Stdout => io::IsTerminal::is_terminal(&io::stdout()),
            Self::Stderr => io::IsTerminal::is_terminal(&io::stderr()),
        }
    }

    /// Returns a descriptor of the stream that never blocks, if there is one.
    #[cfg(unix)]
    pub(super) fn ready(self) -> Option<File> {
        match self {
            Self::Stdout => ready_descriptor(&io::stdout()),
            Self::Stderr => ready_descriptor(&io::stderr()),
        }
    }

    /// Returns none: on this system no descriptor is known not to block.
    #[cfg(not(unix))]
    pub(super) fn ready(self) -> Option<File> {
        None
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stratalog-stdout",
            Self::Stderr => "stratalog-stderr",
        }
    }
}
