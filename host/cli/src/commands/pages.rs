//! The pages that a command prints: up to the end of the log, or without end.

use std::time::Duration;

use stratalog::store::Location;
use stratalog::{Error, Follow, Page, Reader, Skipped};

use crate::args::Shared;
use crate::report::print_line;
use crate::target::no_log;

/// The pause between first reads while the store is unreachable.
const FIRST_LOOK_PAUSE: Duration = Duration::from_secs(1);

/// The pages of a log. One that is followed may not exist yet, and its store may be unreachable for
/// a while.
pub(crate) struct Pages<'a> {
    log: &'a Location,
    shared: &'a Shared,
    source: Source,
    /// True before the first look of a follower, which shows whether there is a log.
    is_first: bool,
    /// True if the failure that lasts was reported.
    is_reported: bool,
}

enum Source {
    Read(Reader),
    Follow(Follow),
}

impl<'a> Pages<'a> {
    pub(crate) fn new(
        reader: Reader,
        is_followed: bool,
        log: &'a Location,
        shared: &'a Shared,
    ) -> Result<Self, Error> {
        let source = match is_followed {
            true => Source::Follow(reader.follow()?),
            false => Source::Read(reader),
        };
        Ok(Self { log, shared, source, is_first: true, is_reported: false })
    }

    /// Returns the next page. None: the end, unless the log is followed.
    pub(crate) async fn next(&mut self) -> Result<Option<Page>, Error> {
        loop {
            let next = match &mut self.source {
                Source::Read(reader) => return reader.next().await,
                Source::Follow(follow) if self.is_first => follow.next_now().await,
                Source::Follow(follow) => follow.next().await.map(Some),
            };
            match next {
                Err(error) if error.is_transient() => {
                    self.report(&error);
                    if self.is_first {
                        tokio::time::sleep(FIRST_LOOK_PAUSE).await;
                    }
                }
                Err(Error::NoLog(_)) if self.is_first => {
                    let waits = format!("{} yet: waiting for the first events", no_log(self.log));
                    print_line(self.shared.quiet, &waits);
                    self.is_first = false;
                }
                Err(error) => return Err(error),
                Ok(page) => {
                    (self.is_first, self.is_reported) = (false, false);
                    if page.is_some() {
                        return Ok(page);
                    }
                }
            }
        }
    }

    fn report(&mut self, error: &Error) {
        if !std::mem::replace(&mut self.is_reported, true) {
            let said = format!("cannot read {}, retrying: {error}", self.log);
            print_line(self.shared.quiet, &said);
        }
    }

    /// Returns the position behind the last page.
    pub(crate) async fn position(&mut self) -> Result<String, Error> {
        match &mut self.source {
            Source::Read(reader) => reader.position().await,
            Source::Follow(follow) => follow.position().await,
        }
    }

    /// Commits the position behind the last page under the reader's name.
    pub(crate) async fn commit(&mut self) -> Result<(), Error> {
        match &mut self.source {
            Source::Read(reader) => reader.commit().await,
            Source::Follow(follow) => follow.commit().await,
        }
    }

    /// Returns the damaged data that was skipped since the last call.
    pub(crate) async fn take_skipped(&mut self) -> Result<Vec<Skipped>, Error> {
        match &mut self.source {
            Source::Read(reader) => reader.take_skipped().await,
            Source::Follow(follow) => follow.take_skipped().await,
        }
    }
}
