//! Stdin, stdout and stderr as the process was given them: files, terminals or pipes, which may be
//! closed, and which others may have set to non-blocking.
//!
//! 1. A stream that is not ready (EAGAIN) is waited for, as one that blocks would be.
//! 2. What is written goes to the descriptor as it is, without a buffer: what failed to be written is
//!    written by nobody later.

use std::fs::File;
use std::io;

/// Stdout, if it is a regular file.
#[cfg(unix)]
pub(crate) fn stdout_as_file() -> Option<File> {
    use std::os::fd::AsFd as _;

    let file = File::from(io::stdout().as_fd().try_clone_to_owned().ok()?);
    file.metadata().is_ok_and(|metadata| metadata.is_file()).then_some(file)
}

/// Stdout, if it is a regular file, which is not known here.
#[cfg(not(unix))]
pub(crate) fn stdout_as_file() -> Option<File> {
    None
}

/// Waits until the reader of a pipe that is stdout has closed it; for ever, if stdout is none.
#[cfg(unix)]
pub(crate) async fn stdout_closed() {
    use std::os::fd::AsFd as _;

    use tokio::io::Interest;
    use tokio::net::unix::pipe::Sender;

    // Unchecked leaves it blocking, as it may have to be for others. Files are refused.
    let pipe = io::stdout().as_fd().try_clone_to_owned().and_then(Sender::from_owned_fd_unchecked);
    if let Ok(pipe) = pipe
        && pipe.ready(Interest::ERROR).await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

/// Waits for ever: a closed pipe is noticed when something is written.
#[cfg(not(unix))]
pub(crate) async fn stdout_closed() {
    std::future::pending().await
}

/// Stdout, all of a write or an error.
pub(crate) struct Stdout;

/// Stderr, all of a write or an error.
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

/// Writes all of the data, past the stream's own buffer, which nobody else fills. The lock keeps the
/// lines of threads apart.
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

/// Reads once: what is there, or waits for something.
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

/// Reads once: what is there, or waits for something.
#[cfg(not(unix))]
pub(crate) fn read_once(stream: &mut impl io::Read, block: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(block) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// Waits until the stream is ready, or has an error that the next try shows.
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
