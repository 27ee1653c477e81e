//! One reading pass: a driver. What is yielded is the cursor's decision.

use std::borrow::Cow;
use std::collections::VecDeque;

use crate::cursor::{Cursor, Pending};
use crate::error::Error;
use crate::events;
use crate::limits::{MISSING_TRIES, PAGE_BYTES_TARGET};
use crate::names::LogName;
use crate::part::Part;
use crate::parts::{Interrupted, PartsRead};
use crate::ports::Store;
use crate::stored_log::{Look, StoredLog};

/// Some events, in order, each ended by LF.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub lines: Vec<u8>,
    pub events: u64,
}

impl Page {
    fn push(&mut self, lines: Cow<'_, [u8]>, events: u64) {
        match lines {
            // A whole batch, read in one piece, becomes the page without a copy.
            Cow::Owned(lines) if self.lines.is_empty() => self.lines = lines,
            lines => self.lines.extend_from_slice(&lines),
        }
        self.events += events;
    }
}

/// A pass over a log, from its beginning.
pub struct Reader<S: Store> {
    stored: StoredLog<S>,
    cursor: Cursor,
    /// What the snapshot of the writer still has to yield, after everything stored.
    tail: VecDeque<Vec<u8>>,
    page: Page,
    stage: Stage<S>,
    /// An error that waits until the events before it have been handed out.
    failed: Option<Error>,
    missing: Missing,
}

enum Stage<S: Store> {
    /// Look at the log, again if need be.
    Look,
    Parts(Box<PartsRead<S>>),
    Tail,
    Done,
}

/// The part that was gone last time.
#[derive(Default)]
struct Missing {
    part: Option<Part>,
    times: u32,
}

impl<S: Store> Reader<S> {
    /// Begins a pass. With what a writer holds, as that writer would read.
    pub fn new(store: S, log: LogName, pending: Option<Pending>) -> Self {
        Self {
            stored: StoredLog::new(store, log),
            cursor: Cursor::new(pending.as_ref()),
            tail: pending
                .map(|pending| {
                    let sealed = pending.sealed.map(|(_, lines)| lines).unwrap_or_default();
                    VecDeque::from([sealed, pending.lines])
                })
                .unwrap_or_default(),
            page: Page::default(),
            stage: Stage::Look,
            failed: None,
            missing: Missing::default(),
        }
    }

    /// The next events, or none at the end.
    ///
    /// # Errors
    /// After [`Error::StoreFailed`] the pass goes on where it stood when called again. Before
    /// [`Error::Damaged`] everything before the damage has been yielded.
    pub fn next_page(&mut self) -> Result<Option<Page>, Error> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        while self.page.lines.len() < PAGE_BYTES_TARGET {
            match self.advance() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    self.stage = Stage::Look;
                    if self.page.events == 0 {
                        return Err(error);
                    }
                    self.failed = Some(error);
                    break;
                }
            }
        }
        let page = std::mem::take(&mut self.page);
        Ok((page.events > 0).then_some(page))
    }

    /// Does one step. False when the pass is over.
    fn advance(&mut self) -> Result<bool, Error> {
        match &mut self.stage {
            Stage::Look => {
                let view = self.stored.look(Look::Reading)?;
                let parts = self.cursor.plan(&view);
                let log = self.stored.name.clone();
                self.stage =
                    Stage::Parts(Box::new(PartsRead::new(self.stored.store.clone(), log, parts)));
            }
            Stage::Parts(parts) => {
                let (cursor, page) = (&mut self.cursor, &mut self.page);
                let more = parts.next(|piece| {
                    let Some(from) = cursor.pass(&piece) else { return };
                    if from == 0 {
                        page.push(piece.lines, piece.events);
                    } else if let Some(rest) = piece.lines.get(from..) {
                        page.push(Cow::Borrowed(rest), events::count(rest));
                    }
                });
                match more {
                    Ok(true) => {}
                    Ok(false) => self.stage = Stage::Tail,
                    Err(Interrupted::Failed(error)) => return Err(error),
                    Err(Interrupted::Gone(part)) => self.look_again(part)?,
                }
            }
            Stage::Tail => {
                if self.cursor.met_sealed() && self.tail.len() == 2 {
                    self.tail.pop_front();
                }
                match self.tail.pop_front() {
                    Some(lines) => {
                        let events = events::count(&lines);
                        self.page.push(Cow::Owned(lines), events);
                    }
                    None => self.stage = Stage::Done,
                }
            }
            Stage::Done => return Ok(false),
        }
        Ok(true)
    }

    /// Somebody compacted: the part's events are in a segment now. Unless it is the same part again.
    fn look_again(&mut self, part: Part) -> Result<(), Error> {
        self.stage = Stage::Look;
        if self.missing.part != Some(part) {
            self.missing = Missing { part: Some(part), times: 1 };
            return Ok(());
        }
        self.missing.times += 1;
        match part {
            Part::Index(segment) => Err(self.stored.missing(segment.name.index())),
            Part::Segment(segment) => Err(self.stored.missing(segment.name)),
            Part::Batch(_) if self.missing.times < MISSING_TRIES => Ok(()),
            Part::Batch(batch) => Err(Error::StoreFailed {
                message: format!(
                    "{} is listed again and again but cannot be found",
                    self.stored.name.key(batch.name)
                ),
                transient: true,
            }),
        }
    }
}
