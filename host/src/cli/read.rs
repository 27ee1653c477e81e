//! `stratalog read`: all events to stdout.

use std::io::{self, IsTerminal as _};

use super::arguments::{Read, Shared};
use super::exit::{Code, Failure, write_stdout};
use super::progress::Progress;
use super::session::{Must, Session};

/// Signals are left to the system: there is nothing to bring to an end.
pub(super) async fn run(command: &Read, shared: &Shared) -> Result<Code, Failure> {
    let session = Session::open(&command.log, shared, false, Must::Exist)?;
    let what = format!("cannot read {}", session.location);
    match print(&session, shared).await {
        Ok(()) => Ok(Code::Done),
        Err(failure) => Err(failure.context(what)),
    }
}

async fn print(session: &Session, shared: &Shared) -> Result<(), Failure> {
    let mut reader = session.host.read(&session.store, &session.location.name).await?;
    let mut progress = progress(session, shared);
    // A page ends with LF, so the line buffer of stdout passes it on as it is, in one write.
    let mut stdout = io::stdout().lock();
    while let Some(page) = reader.next().await? {
        if !write_stdout(&mut stdout, &page.lines)? {
            break;
        }
        progress.add(page.events, page.lines.len());
    }
    Ok(())
}

/// Shows progress only if the events go to a file: a terminal or a pager would show both.
fn progress(session: &Session, shared: &Shared) -> Progress {
    if stdout_is_file() {
        Progress::of_events(shared, &format!("reading {}:", session.location))
    } else {
        Progress::none()
    }
}

#[cfg(unix)]
fn stdout_is_file() -> bool {
    use std::os::fd::AsFd as _;

    let stdout = io::stdout();
    let is_file = |file: std::fs::File| file.metadata().is_ok_and(|metadata| metadata.is_file());
    !stdout.is_terminal() && stdout.as_fd().try_clone_to_owned().is_ok_and(|fd| is_file(fd.into()))
}

#[cfg(not(unix))]
fn stdout_is_file() -> bool {
    !io::stdout().is_terminal()
}
