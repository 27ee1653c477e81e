//! The state of a source in a file: how far each file was read, and which batches may be stored.
//!
//! 1. The state is replaced as a whole, durably, before a batch that it names is created.
//! 2. It belongs to one log, and one process uses it at a time.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::events_of::Rules;
use super::fingerprint::{Fingerprint, Likeness};
use super::read_at::FileId;
use crate::process::exit::{Code, Failure};
use crate::replaced_file::{NotKept, ReplacedFile, explained};

const FORMAT: u32 = 1;

/// The most bytes of a state: about 700 for each file, and 80 for each stretch of a batch.
const STATE_BYTES_MAX: u64 = 256 * 1024 * 1024;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    format: u32,
    /// The log that the events go to.
    log: String,
    /// The files, those of each path in the order in which they were written.
    pub(super) files: Vec<FileRecord>,
    /// The batches that may be stored, in order.
    pub(super) sealed: Vec<SealedBatch>,
    /// The number of the next file.
    pub(super) next_number: u64,
}

/// A file, and how far it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileRecord {
    pub(super) number: u64,
    /// The path that was given.
    pub(super) path: PathBuf,
    /// The place of the file before it was rotated, links followed.
    pub(super) place: PathBuf,
    pub(super) id: FileId,
    pub(super) read: Fingerprint,
    /// The lines before that.
    pub(super) lines: u64,
    /// The time of its last change, in microseconds since 1970.
    pub(super) modified: Option<u64>,
    /// True if the path led to another file.
    pub(super) rotated: bool,
    /// True if the file was read to its end and left. Its name may still look like a new one.
    pub(super) complete: bool,
}

/// A batch, and where its events are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SealedBatch {
    pub(super) name: String,
    pub(super) events: u64,
    pub(super) event_bytes_max: u64,
    pub(super) binary: bool,
    pub(super) stretches: Vec<Stretch>,
}

/// Whole lines of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stretch {
    /// The number of the file.
    pub(super) file: u64,
    pub(super) from: u64,
    pub(super) to: u64,
}

impl SealedBatch {
    /// Returns the rules by which its events were taken from lines.
    pub(super) fn rules(&self) -> Rules {
        let Self { event_bytes_max, binary, .. } = *self;
        Rules { event_bytes_max, binary, skip_invalid: true }
    }
}

impl FileRecord {
    /// Returns true if the file at a path has the content of this one.
    pub(super) fn is(&self, path: &Path) -> bool {
        let compared = File::open(path).and_then(|file| self.read.compare(&file));
        matches!(compared, Ok((Likeness::Same, _)))
    }

    pub(super) fn modified(&self) -> Option<SystemTime> {
        UNIX_EPOCH.checked_add(Duration::from_micros(self.modified?))
    }
}

/// Returns a time in microseconds since 1970; none before that.
pub(super) fn micros(time: SystemTime) -> Option<u64> {
    u64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_micros()).ok()
}

/// The file of a state.
pub(super) struct StateFile {
    /// The path as it was typed, for messages.
    path: PathBuf,
    file: ReplacedFile,
    saved: State,
}

impl StateFile {
    /// Locks the file for this process, and loads the state if the file exists. It must be that of
    /// this log.
    pub(super) fn open(path: &Path, log: &str) -> Result<Self, Failure> {
        let file = ReplacedFile::keep(path).map_err(|refused| not_kept(path, refused))?;
        let saved = State { format: FORMAT, log: log.to_owned(), ..State::default() };
        let mut state = Self { path: path.to_owned(), file, saved };
        match state.load() {
            Ok(Some(saved)) => state.saved = saved,
            Ok(None) => {}
            Err(why) => {
                return Err(state.unusable(&format!(
                    "{why}; restore the file, or name another one, which appends all lines of the \
                     files again"
                )));
            }
        }
        if state.saved.log != log {
            let of = &state.saved.log;
            return Err(state.unusable(&format!(
                "it is the state of another log, {of}; name a file for each log"
            )));
        }
        state.file.probe().map_err(|error| state.unwritable(Code::Input, &error))?;
        Ok(state)
    }

    /// Returns the state that was saved last.
    pub(super) fn saved(&self) -> &State {
        &self.saved
    }

    /// Saves the files, the batches that may be stored and the next number, durably.
    pub(super) fn save(
        &mut self,
        files: Vec<FileRecord>,
        sealed: Vec<SealedBatch>,
        next_number: u64,
    ) -> io::Result<()> {
        let State { format, log, .. } = &self.saved;
        let state = State { format: *format, log: log.clone(), files, sealed, next_number };
        if state != self.saved {
            let mut text = serde_json::to_vec(&state)?;
            text.push(b'\n');
            self.file.replace(&text)?;
            self.saved = state;
        }
        Ok(())
    }

    /// Returns the error for a file that cannot be written.
    pub(super) fn unwritable(&self, code: Code, error: &io::Error) -> Failure {
        let (path, error) = (self.path.display(), explained(error));
        Failure::new(code, format!("cannot write the state file {path}: {error}"))
    }

    fn unusable(&self, why: &str) -> Failure {
        let path = self.path.display();
        Failure::input(format!("cannot use the state file {path}: {why}"))
    }

    /// Loads the state. None: there is no such file.
    fn load(&self) -> Result<Option<State>, String> {
        let file = match self.file.open() {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("it cannot be read: {error}")),
        };
        let mut text = Vec::new();
        let read = file.take(STATE_BYTES_MAX + 1).read_to_end(&mut text);
        let bytes = read.map_err(|error| format!("it cannot be read: {error}"))?;
        if u64::try_from(bytes).is_ok_and(|bytes| bytes > STATE_BYTES_MAX) {
            return Err("it is larger than any state".to_owned());
        }
        let format: Format = serde_json::from_slice(&text)
            .map_err(|error| format!("it is no state of an append: {error}"))?;
        if format.format != FORMAT {
            let found = format.format;
            return Err(format!("it has format {found}, and this version reads format {FORMAT}"));
        }
        let state = serde_json::from_slice(&text);
        state.map(Some).map_err(|error| format!("it is damaged: {error}"))
    }
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

fn not_kept(path: &Path, refused: NotKept) -> Failure {
    let path = path.display();
    match refused {
        NotKept::Locked => Failure::new(
            Code::Failed,
            format!(
                "cannot use the state file {path}: another append uses it; wait until that one \
                 ends, or give this one its own file"
            ),
        ),
        NotKept::Error(error) => {
            let error = explained(&error);
            Failure::input(format!("cannot use the state file {path}: {error}"))
        }
    }
}
