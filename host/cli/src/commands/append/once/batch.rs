//! A batch in the making: events, and where they are in the files.

use std::io;
use std::time::{Duration, Instant};

use super::events_of::{Invalid, Room, Rules};
use super::source_file::{Next, SourceFile};
use super::state::{SealedBatch, Stretch};
use crate::commands::append::nature::{Nature, Unfit, nature};
use crate::numbers::to_u64;
use crate::process::exit::Failure;

/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// When a batch is full.
#[derive(Clone, Copy, Debug)]
pub(super) struct Triggers {
    pub(super) events: u64,
    pub(super) bytes: u64,
    /// None: age does not matter.
    pub(super) age: Option<Duration>,
    /// The most bytes of a batch.
    pub(super) bytes_max: u64,
}

/// Events that are not sealed yet.
pub(super) struct Batch {
    rules: Rules,
    triggers: Triggers,
    pub(super) lines: Vec<u8>,
    pub(super) events: u64,
    pub(super) stretches: Vec<Stretch>,
    begun: Option<Instant>,
    /// True if the next event has no room.
    is_full: bool,
    /// The blank and the invalid lines left out.
    pub(super) blank: u64,
    pub(super) skipped: u64,
}

/// The reason why no more lines are taken.
pub(super) struct Stop(pub(super) Failure);

impl Batch {
    pub(super) fn new(rules: Rules, triggers: Triggers) -> Self {
        let (lines, stretches) = (Vec::new(), Vec::new());
        Self {
            rules,
            triggers,
            lines,
            events: 0,
            stretches,
            begun: None,
            is_full: false,
            blank: 0,
            skipped: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// Returns true if the batch takes no more.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
            || self.events >= self.triggers.events
            || to_u64(self.lines.len()) >= self.triggers.bytes
    }

    /// Returns the time until the batch is to be sealed by its age; none if it never is.
    pub(super) fn due_in(&self) -> Option<Duration> {
        Some(self.triggers.age?.saturating_sub(self.begun?.elapsed()))
    }

    pub(super) fn line_bytes_max(&self) -> u64 {
        self.rules.event_bytes_max
    }

    /// Empties the batch. The counts of lines left out stay.
    pub(super) fn clear(&mut self) {
        let Self { rules, triggers, blank, skipped, .. } = *self;
        let lines = std::mem::take(&mut self.lines);
        *self = Self { blank, skipped, lines, ..Self::new(rules, triggers) };
    }

    /// Returns the record of the batch once it has this name.
    pub(super) fn sealed(&self, name: String) -> SealedBatch {
        let Rules { event_bytes_max, binary, .. } = self.rules;
        let (events, stretches) = (self.events, self.stretches.clone());
        SealedBatch { name, events, event_bytes_max, binary, stretches }
    }

    /// Takes what a file has next.
    pub(super) fn take(&mut self, file: &mut SourceFile, next: &Next) -> Result<(), Stop> {
        match next {
            Next::Lines => self.take_lines(file),
            Next::TooLong(bytes) => self.pass(file, *bytes),
            Next::Nothing | Next::Truncated => Ok(()),
        }
    }

    fn take_lines(&mut self, file: &mut SourceFile) -> Result<(), Stop> {
        if file.offset == 0 {
            self.check_text(file)?;
        }
        let room = Room {
            events: self.triggers.events.saturating_sub(self.events),
            bytes: self.triggers.bytes_max.saturating_sub(to_u64(self.lines.len())),
        };
        let from = file.offset;
        let taken = self.rules.take(file.ahead(), room, &mut self.lines);
        for (line, invalid) in &taken.skipped {
            self.skip(file, line + 1, *invalid);
        }
        self.is_full = taken.bytes == 0 && taken.stop.is_none();
        file.take(taken.bytes, taken.lines);
        self.events += taken.events;
        self.blank += taken.blank;
        if taken.events > 0 {
            self.begun.get_or_insert_with(Instant::now);
            self.add_stretch(Stretch { file: file.number, from, to: file.offset });
        }
        match taken.stop {
            Some(invalid) => Err(self.stopped(file, invalid)),
            None => Ok(()),
        }
    }

    fn pass(&mut self, file: &mut SourceFile, bytes: u64) -> Result<(), Stop> {
        if !self.rules.skip_invalid {
            return Err(self.stopped(file, Invalid::TooLong));
        }
        self.skip(file, 1, Invalid::TooLong);
        file.pass(bytes).map_err(|error| cannot_read(file, &error))
    }

    fn add_stretch(&mut self, stretch: Stretch) {
        match self.stretches.last_mut() {
            Some(last) if last.file == stretch.file && last.to == stretch.from => {
                last.to = stretch.to;
            }
            _ => self.stretches.push(stretch),
        }
    }

    /// Refuses a file that is not plain text, and passes over a byte order mark.
    fn check_text(&self, file: &mut SourceFile) -> Result<(), Stop> {
        if self.rules.binary {
            return Ok(());
        }
        let name = file.place.display().to_string();
        match nature(file.ahead(), true) {
            Some(Nature::Unfit(unfit @ (Unfit::Wide | Unfit::OtherPacking { .. }))) => {
                Err(Stop(Failure::input(unfit.of(&name))))
            }
            Some(Nature::Packed(packing)) => Err(Stop(Failure::input(format!(
                "cannot append {name}: it is compressed with {}, and --state takes plain files; \
                 append it without --state",
                packing.name()
            )))),
            _ => {
                if file.ahead().starts_with(MARK) {
                    file.take(MARK.len(), 0);
                }
                Ok(())
            }
        }
    }

    /// Leaves out a line, the one of this number behind those of the file that were taken.
    fn skip(&mut self, file: &SourceFile, number: u64, invalid: Invalid) {
        /// The number of skipped lines that are named by default.
        const NAMED_MAX: u64 = 10;
        self.skipped += 1;
        let (place, line) = (file.place.display(), file.lines + number);
        let why = self.reason(invalid);
        match self.skipped {
            0..=NAMED_MAX => tracing::warn!("left out {place}:{line}: {why}"),
            _ => tracing::info!("left out {place}:{line}: {why}"),
        }
    }

    fn stopped(&self, file: &SourceFile, invalid: Invalid) -> Stop {
        let (place, line) = (file.place.display(), file.lines + 1);
        Stop(Failure::input(format!(
            "cannot append {place}:{line}: {}; --skip-invalid leaves such lines out",
            self.reason(invalid)
        )))
    }

    fn reason(&self, invalid: Invalid) -> String {
        match invalid {
            Invalid::TooLong => {
                let bytes_max = crate::args::sizes::limit_size(self.rules.event_bytes_max);
                format!("the line is longer than --event-bytes-max, {bytes_max}")
            }
            Invalid::Nul => "the line has a NUL byte".to_owned(),
        }
    }
}

/// Makes the events of a batch again, from the stretches of its files.
pub(super) fn events_again(
    batch: &SealedBatch,
    file_of: impl Fn(u64) -> Option<io::Result<Vec<u8>>>,
) -> io::Result<Option<Vec<u8>>> {
    let all = Room { events: u64::MAX, bytes: u64::MAX };
    let mut events = Vec::new();
    for (number, _) in batch.stretches.iter().enumerate() {
        let Some(lines) = file_of(to_u64(number)) else { return Ok(None) };
        let mut lines = lines?;
        // The last line of a file that is complete may lack it.
        if !lines.ends_with(b"\n") {
            lines.push(b'\n');
        }
        batch.rules().take(&lines, all, &mut events);
    }
    Ok(Some(events))
}

pub(super) fn cannot_read(file: &SourceFile, error: &io::Error) -> Stop {
    let place = file.place.display();
    Stop(Failure::input(format!("cannot read {place}: {error}; what was read before is appended")))
}
