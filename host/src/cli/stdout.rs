//! What stdout is: a file, or something that may be closed.

use std::fs::File;
use std::io;

/// Stdout, if it is a regular file.
#[cfg(unix)]
pub(super) fn as_file() -> Option<File> {
    use std::os::fd::AsFd as _;

    let file = File::from(io::stdout().as_fd().try_clone_to_owned().ok()?);
    file.metadata().is_ok_and(|metadata| metadata.is_file()).then_some(file)
}

/// Stdout, if it is a regular file, which cannot be told here.
#[cfg(not(unix))]
pub(super) fn as_file() -> Option<File> {
    None
}

/// Waits until the reader of a pipe that is stdout has closed it; for ever, if stdout is none.
#[cfg(unix)]
pub(super) async fn closed() {
    use std::os::fd::AsFd as _;

    use tokio::io::Interest;
    use tokio::net::unix::pipe::Sender;

    // Unchecked leaves it blocking, as it has to be for who writes. Files are refused.
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
pub(super) async fn closed() {
    std::future::pending().await
}
