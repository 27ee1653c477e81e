//! Reads and writes stdin, stdout and stderr as the process received them: files, terminals or
//! pipes. They may be closed, and another process may have made them non-blocking.
//!
//! 1. If a stream is not ready (EAGAIN), the call waits, as on a blocking stream.
//! 2. Writes go directly to the descriptor, without a buffer. So data of a failed write is not
//!    written later.

use std::fs::File;
use std::io;

/// Returns stdout, if it is a regular file.
#[cfg(unix)]
pub(crate) fn stdout_as_file() -> Option<File> {
    use std::os::fd::AsFd as _;

    let file = File::from(io::stdout().as_fd().try_clone_to_owned().ok()?);
    file.metadata().is_ok_and(|metadata| metadata.is_file()).then_some(file)
}

/// Returns none: this system does not tell whether stdout is a regular file.
#[cfg(not(unix))]
pub(crate) fn stdout_as_file() -> Option<File> {
    None
}

/// Waits until the reader of stdout closes the pipe. Waits forever if stdout is not a pipe.
#[cfg(unix)]
pub(crate) async fn stdout_closed() {
    use std::os::fd::AsFd as _;

    use tokio::io::Interest;
    use tokio::net::unix::pipe::Sender;

    // Unchecked does not make it non-blocking, which would affect other processes. Files are
    // refused.
    let pipe = io::stdout().as_fd().try_clone_to_owned().and_then(Sender::from_owned_fd_unchecked);
    if let Ok(pipe) = pipe
        && pipe.ready(Interest::ERROR).await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

/// Waits forever: a write notices the closed pipe.
#[cfg(not(unix))]
pub(crate) async fn stdout_closed() {
    std::future::pending().await
}

/// Stdout. A call writes everything or fails.
pub(crate) struct Stdout;

/// Stderr. A call writes everything or fails.
pub(crate) struct Stderr;

impl io::Write for Stdout {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        write_whole(io::stdout().lock(), data).map(|()| data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

impl io::Write for Stderr {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        write_whole(io::stderr().lock(), data).map(|()| data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Writes all of the data directly, since the stream's own buffer is always empty. The lock keeps
/// the lines of threads apart.
#[cfg(unix)]
fn write_whole(stream: impl std::os::fd::AsFd, mut data: &[u8]) -> io::Result<()> {
    use rustix::event::PollFlags;
    use rustix::io::Errno;

    while !data.is_empty() {
        match rustix::io::write(&stream, data) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => data = data.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => wait_for(&stream, PollFlags::OUT)?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Writes all of the data.
#[cfg(not(unix))]
fn write_whole(mut stream: impl io::Write, data: &[u8]) -> io::Result<()> {
    stream.write_all(data)?;
    stream.flush()
}

/// Reads the available data once, or waits for some.
#[cfg(unix)]
pub(crate) fn read_once(
    stream: &mut (impl io::Read + std::os::fd::AsFd),
    block: &mut [u8],
) -> io::Result<usize> {
    loop {
        match stream.read(block) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                wait_for(&*stream, rustix::event::PollFlags::IN)?;
            }
            read => return read,
        }
    }
}

/// Reads the available data once, or waits for some.
#[cfg(not(unix))]
pub(crate) fn read_once(stream: &mut impl io::Read, block: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(block) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// Waits until the stream is ready, or has an error that the next attempt reports.
#[cfg(unix)]
fn wait_for(
    stream: &impl std::os::fd::AsFd,
    readiness: rustix::event::PollFlags,
) -> io::Result<()> {
    use rustix::event::{PollFd, poll};

    match poll(&mut [PollFd::new(stream, readiness)], None) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
