//! Readers, page by page or event by event.

use std::collections::VecDeque;
use std::time::{Duration, UNIX_EPOCH};

use crate::wit::append_log;
use crate::wit::types::{BatchEvents, Page};
use crate::{Error, Event, ReadOptions};

/// Reads a log.
#[derive(Debug)]
pub struct Reader {
    label: String,
    reader: append_log::Reader,
}

/// The events of a reader, one after the other.
///
/// It ends at the end of the log as currently stored. Then `next` polls the store for new events:
/// to follow a log, call it again.
#[derive(Debug)]
pub struct Events {
    reader: Reader,
    /// The events of the current page, each with its line feed.
    lines: Vec<u8>,
    /// The offset of the next event in them.
    at: usize,
    /// The number of events returned from the page.
    returned: u64,
    missed: u64,
    batches: VecDeque<BatchEvents>,
    positions: Positions,
}

/// Some positions of the current page: those behind the events from number `first` on.
#[derive(Debug, Default)]
struct Positions {
    first: u64,
    text: String,
}

impl Reader {
    pub(crate) fn new(label: &str, reader: append_log::Reader) -> Self {
        Self { label: label.to_owned(), reader }
    }

    /// Reads the log with a label from its beginning.
    ///
    /// # Errors
    /// A label that is not granted or not valid.
    pub fn open(label: &str) -> Result<Self, Error> {
        ReadOptions::default().open(label)
    }

    /// Returns options to read a log with.
    pub fn options() -> ReadOptions {
        ReadOptions::default()
    }

    /// Returns the next page of events; none at the end of the log as currently stored.
    ///
    /// # Errors
    /// A store that fails, a damaged object, a log that does not exist. After a store that fails,
    /// the next call resumes at the same place.
    pub fn next_page(&mut self) -> Result<Option<Page>, Error> {
        self.reader.next().map_err(Error::failed("read", &self.label))
    }

    /// Returns the position right behind the last page, from which another reader resumes. None if
    /// the events of an open handle are read.
    pub fn position(&self) -> Option<String> {
        self.reader.position()
    }

    /// Commits the position right behind the last page under the name that the reader was opened
    /// with: see [`ReadOptions::open_named`].
    ///
    /// # Errors
    /// A case `conflict` if another reader has committed under the name. A store that fails: then
    /// call again.
    pub fn commit(&mut self) -> Result<(), Error> {
        self.commit_at(None)
    }

    fn commit_at(&self, position: Option<&str>) -> Result<(), Error> {
        self.reader.commit(position).map_err(Error::failed("commit a position of", &self.label))
    }

    /// Returns the events, one after the other.
    pub fn events(self) -> Events {
        Events {
            reader: self,
            lines: Vec::new(),
            at: 0,
            returned: 0,
            missed: 0,
            batches: VecDeque::new(),
            positions: Positions::default(),
        }
    }
}

impl Events {
    /// Returns the position right behind the last event that was returned, from which another
    /// reader resumes. Before the first event, it is the one that the read began at. None if the
    /// events of an open handle are read.
    ///
    /// Keep it once the event is dealt with: a plugin that resumes from it sees each event exactly
    /// once.
    pub fn position(&mut self) -> Option<String> {
        let Some(number) = self.returned.checked_sub(1) else { return self.reader.position() };
        if let Some(position) = self.positions.behind(number) {
            return Some(position.to_owned());
        }
        self.positions = Positions { first: number, text: self.reader.reader.positions(number)? };
        self.positions.behind(number).map(str::to_owned)
    }

    /// Commits the position right behind the last event that was returned, under the name that the
    /// read was opened with: see [`ReadOptions::open_named`]. The next plugin that opens the name
    /// begins behind that event. Flush first what you made of the events.
    ///
    /// # Errors
    /// As [`Reader::commit`].
    pub fn commit(&mut self) -> Result<(), Error> {
        match self.returned {
            0 => self.reader.commit(),
            _ => {
                let position = self.position();
                self.reader.commit_at(position.as_deref())
            }
        }
    }

    /// Returns the number of events that the log no longer has, and that were passed so far.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// Takes the next page; false at the end.
    fn load(&mut self) -> Result<bool, Error> {
        let Some(page) = self.reader.next_page()? else {
            // The positions of single events were those of the page before.
            (self.returned, self.positions) = (0, Positions::default());
            return Ok(false);
        };
        self.missed += page.missed;
        self.lines = page.lines;
        self.batches = self.reader.reader.batches().into();
        (self.at, self.returned, self.positions) = (0, 0, Positions::default());
        Ok(true)
    }

    /// Takes the next event of the page.
    fn take(&mut self) -> Option<Event> {
        let rest = self.lines.get(self.at..)?;
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let bytes = rest.get(..end)?.to_vec();
        self.at += end + 1;
        self.returned += 1;
        while self.batches.front().is_some_and(|batch| batch.events == 0) {
            self.batches.pop_front();
        }
        let batch = self.batches.front_mut();
        let time = batch.and_then(|batch| {
            batch.events -= 1;
            batch.time
        });
        Some(Event { bytes, time: time.map(|micros| UNIX_EPOCH + Duration::from_micros(micros)) })
    }
}

impl Iterator for Events {
    type Item = Result<Event, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(event) = self.take() {
                return Some(Ok(event));
            }
            match self.load() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl Positions {
    /// Returns the position behind an event, if it is one of these.
    fn behind(&self, number: u64) -> Option<&str> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.text.lines().nth(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_is_found_behind_its_event() {
        let positions = Positions { first: 5, text: "a\nb\n".to_owned() };
        let found = [4, 5, 6, 7].map(|number| positions.behind(number));
        assert_eq!(found, [None, Some("a"), Some("b"), None]);
    }
}
