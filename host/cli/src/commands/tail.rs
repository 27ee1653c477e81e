//! `stratalog tail`: prints the last events, and new ones.

use stratalog::{Page, ReadOptions};

use crate::args::Shared;
use crate::args::commands::Tail;
use crate::args::tail_start::TailStart;
use crate::commands::pages::Pages;
use crate::commands::read::{ended_by_stdout, warn_of_missed};
use crate::process::exit::{Code, Failure, write_stdout};
use crate::process::signals::Signals;
use crate::target::Target;

/// Runs the command. A signal may interrupt it anywhere: it keeps no state.
pub(crate) async fn run(
    command: &Tail,
    shared: &Shared,
    signals: &Signals,
) -> Result<Code, Failure> {
    let target = Target::open(&command.log, shared, false)?;
    let Target { location, store, host } = &target;
    let tailed = async {
        let (options, skipped) = match (command.since, command.lines) {
            (Some(time), _) => (ReadOptions::new().since(time), 0),
            (None, TailStart::Last(events)) => (ReadOptions::new().last(events), 0),
            (None, TailStart::From(number)) => (ReadOptions::new(), number.saturating_sub(1)),
        };
        let reader = host.read_with(store, &location.name, options).await?;
        let pages = Pages::new(reader, command.follow, location, shared)?;
        let printed = print(pages, Output { to_skip: skipped });
        ended_by_stdout(command.follow, printed).await
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

async fn print(mut pages: Pages<'_>, mut out: Output) -> Result<Code, Failure> {
    while let Some(page) = pages.next().await? {
        if !out.write(page).await? {
            break;
        }
    }
    Ok(Code::Done)
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
