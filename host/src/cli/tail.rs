//! `stratalog tail`: the last events, and those to come.

use std::io;

use stratalog::{Error, Page, ReadOptions, Reader};

use super::arguments::{Shared, Tail};
use super::exit::{Code, Failure, write_stdout};
use super::read::warn_of_missed;
use super::report::print_line;
use super::session::{Must, Session};
use super::signals::Signals;
use super::stdout;

/// Signals are left to the system, unless it follows.
pub(super) async fn run(command: &Tail, shared: &Shared) -> Result<Code, Failure> {
    if command.lines == 0 && !command.follow {
        let message = "--lines = 0 prints nothing: give 1 or more, or --follow";
        return Err(Failure::input(message));
    }
    let session = Session::open(&command.log, shared, false, Must::Exist)?;
    let Session { location, store, host } = &session;
    let tailed = async {
        let options = ReadOptions::new().last(command.lines);
        let reader = host.read_with(store, &location.name, options).await?;
        match command.follow {
            true => follow(reader, &location.to_string(), shared).await,
            false => print(reader).await,
        }
    };
    tailed.await.map_err(|failure| failure.context(format!("cannot read {location}")))
}

async fn print(mut reader: Reader) -> Result<Code, Failure> {
    let mut stdout = io::stdout().lock();
    while let Some(page) = reader.next().await? {
        if !write_stdout(&mut stdout, &page.lines)? {
            break;
        }
    }
    Ok(Code::Done)
}

/// Prints what comes until a signal or the reader of stdout ends it.
async fn follow(reader: Reader, log: &str, shared: &Shared) -> Result<Code, Failure> {
    let mut signals = Signals::listen()?;
    let follow = async {
        let mut follow = reader.follow().await?;
        let mut said = false;
        loop {
            let page = match follow.next().await {
                Ok(page) => page,
                Err(error @ Error::StoreFailed { .. }) if error.is_transient() => {
                    if !std::mem::replace(&mut said, true) {
                        print_line(shared.quiet, &format!("cannot read {log}, trying on: {error}"));
                    }
                    continue;
                }
                Err(error) => return Err(Failure::from(error)),
            };
            said = false;
            if !write(page).await? {
                return Ok(Code::Done);
            }
        }
    };
    tokio::select! {
        biased;
        code = signals.next() => Ok(code),
        () = stdout::closed() => Ok(Code::Done),
        done = follow => done,
    }
}

/// Writes where it may block for long: a pager may be in no hurry, and signals are to end that, too.
async fn write(page: Page) -> Result<bool, Failure> {
    warn_of_missed(&page);
    let written =
        tokio::task::spawn_blocking(move || write_stdout(&mut io::stdout().lock(), &page.lines));
    // It does not panic, and is not cancelled while this waits.
    written.await.unwrap_or(Ok(false))
}
