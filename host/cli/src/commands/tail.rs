//! `stratalog tail`: prints the last events, and new ones.

use std::time::Duration;

use stratalog::store::Location;
use stratalog::{Error, Page, ReadOptions, Reader};

use crate::args::Shared;
use crate::args::commands::Tail;
use crate::args::tail_start::TailStart;
use crate::commands::read::warn_of_missed;
use crate::process::exit::{Code, Failure, write_stdout};
use crate::process::signals::Signals;
use crate::report::print_line;
use crate::target::{Target, no_log};
use crate::terminal::streams::stdout_closed;

/// The pause between first reads while the store is unreachable.
const FIRST_LOOK_PAUSE: Duration = Duration::from_secs(1);

/// Runs the command. A signal may interrupt it anywhere: it keeps no state.
pub(crate) async fn run(
    command: &Tail,
    shared: &Shared,
    signals: &Signals,
) -> Result<Code, Failure> {
    let target = Target::open(&command.log, shared, false)?;
    let Target { location, store, host } = &target;
    let tailed = async {
        let (options, skipped) = match command.lines {
            TailStart::Last(events) => (ReadOptions::new().last(events), 0),
            TailStart::From(number) => (ReadOptions::new(), number.saturating_sub(1)),
        };
        let reader = host.read_with(store, &location.name, options).await?;
        let out = Output { to_skip: skipped };
        match command.follow {
            true => follow(reader, out, location, shared).await,
            false => print(reader, out).await,
        }
    };
    let explained = async {
        match tailed.await {
            Ok(code) => Ok(code),
            Err::<Code, Failure>(failure) => Err(target.explain("read", failure).await),
        }
    };
    tokio::select! {
        biased;
        code = signals.wait() => Ok(code),
        done = explained => done,
    }
}

async fn print(mut reader: Reader, mut out: Output) -> Result<Code, Failure> {
    while let Some(page) = reader.next().await? {
        if !out.write(page).await? {
            break;
        }
    }
    Ok(Code::Done)
}

/// Prints new events until the reader of stdout closes it.
async fn follow(
    reader: Reader,
    out: Output,
    log: &Location,
    shared: &Shared,
) -> Result<Code, Failure> {
    tokio::select! {
        biased;
        () = stdout_closed() => Ok(Code::Done),
        done = follow_on(reader, out, log, shared) => done,
    }
}

async fn follow_on(
    mut reader: Reader,
    mut out: Output,
    log: &Location,
    shared: &Shared,
) -> Result<Code, Failure> {
    let mut said = false;
    let try_on = |said: &mut bool, error: &Error| {
        if !std::mem::replace(said, true) {
            print_line(shared.quiet, &format!("cannot read {log}, retrying: {error}"));
        }
    };
    // The first read shows whether there is a log.
    let first = loop {
        match reader.next().await {
            Err(error) if error.is_transient() => {
                try_on(&mut said, &error);
                tokio::time::sleep(FIRST_LOOK_PAUSE).await;
            }
            Err(Error::NoLog(_)) => {
                print_line(
                    shared.quiet,
                    &format!("{} yet: waiting for the first events", no_log(log)),
                );
                break None;
            }
            first => break first?,
        }
    };
    if let Some(page) = first
        && !out.write(page).await?
    {
        return Ok(Code::Done);
    }
    let mut follow = reader.follow()?;
    said = false;
    loop {
        let page = match follow.next().await {
            Ok(page) => page,
            Err(error) if error.is_transient() => {
                try_on(&mut said, &error);
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        said = false;
        if !out.write(page).await? {
            return Ok(Code::Done);
        }
    }
}

/// The printed part of the pages.
struct Output {
    /// The events still to skip.
    to_skip: u64,
}

impl Output {
    /// Writes on a thread that may block for long. A pager may be slow, and signals must still end
    /// the command.
    async fn write(&mut self, page: Page) -> Result<bool, Failure> {
        warn_of_missed(&page);
        let mut begin = 0;
        while self.to_skip > 0 {
            let Some(line) = page.lines.get(begin..).and_then(|rest| memchr::memchr(b'\n', rest))
            else {
                return Ok(true);
            };
            begin += line + 1;
            self.to_skip -= 1;
        }
        let written = tokio::task::spawn_blocking(move || {
            write_stdout(page.lines.get(begin..).unwrap_or_default())
        });
        // The task does not panic, and is not cancelled during this wait.
        written.await.unwrap_or(Ok(false))
    }
}
