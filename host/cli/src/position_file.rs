//! Keeps a reader's position in a file.
//!
//! 1. The file is replaced as a whole or not at all, by one reader at a time.
//! 2. It holds a position and a line feed. The position is not parsed here.

use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use crate::process::exit::{Code, Failure};
use crate::replaced_file::{NotKept, ReplacedFile, explained};

/// The most bytes of a position: 50 for each of a million live batches. The component accepts less.
const POSITION_BYTES_MAX: u64 = 64 * 1024 * 1024;

pub(crate) struct PositionFile {
    /// The path as it was typed, for messages.
    path: PathBuf,
    file: ReplacedFile,
    saved: Option<String>,
}

impl PositionFile {
    /// Locks the file for this process, and loads the position if the file exists.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let file = ReplacedFile::keep(path).map_err(|refused| not_kept(path, refused))?;
        let mut file = Self { path: path.to_owned(), file, saved: None };
        match file.load() {
            Ok(None) => return Err(file.broken("the file is larger than any position")),
            Ok(Some(text)) if text.trim_end().is_empty() => {
                return Err(file.broken("the file is empty"));
            }
            Ok(Some(text)) => file.saved = Some(text.trim_end().to_owned()),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                return Err(file.broken("the file is not text"));
            }
            Err(error) => {
                let path = path.display();
                return Err(Failure::input(format!(
                    "cannot read the position file {path}: {error}; allow this user to read it, \
                     or name another file"
                )));
            }
        }
        Ok(file)
    }

    /// Returns the position in the file.
    pub(crate) fn position(&self) -> Option<&str> {
        self.saved.as_deref()
    }

    /// Checks that the file can be replaced, before there is a position to write.
    pub(crate) fn probe(&self) -> io::Result<()> {
        self.file.probe()
    }

    /// Writes a position to the file, durably.
    pub(crate) fn save(&mut self, position: String) -> io::Result<()> {
        if self.saved.as_ref() != Some(&position) {
            self.file.replace(format!("{position}\n").as_bytes())?;
            self.saved = Some(position);
        }
        Ok(())
    }

    /// Returns the error for a file that holds no position.
    fn broken(&self, why: &str) -> Failure {
        let action = "restore the file, or remove it to read from the beginning";
        self.unusable(why, action)
    }

    /// Returns the error for a file whose position the log refuses with this message.
    pub(crate) fn refused(&self, message: &str) -> Failure {
        // The action in the message is for programs that keep positions themselves.
        let why = message.rsplit_once("; ").map_or(message, |(why, _)| why);
        match message.starts_with("the position belongs to") {
            true => self.unusable(
                why,
                "name the position file of this log, or remove this one to read from the beginning",
            ),
            false => self.broken(why),
        }
    }

    fn unusable(&self, why: &str, action: &str) -> Failure {
        let path = self.path.display();
        Failure::input(format!("cannot use the position file {path}: {why}; {action}"))
    }

    /// Returns the error for a file that cannot be written, with this code: before there is
    /// something to write, the path is wrong, and later the system has failed.
    pub(crate) fn unwritable(&self, code: Code, error: &io::Error) -> Failure {
        let path = self.path.display();
        let error = explained(error);
        Failure::new(code, format!("cannot write the position file {path}: {error}"))
    }

    /// Loads the content of the file. None: it is larger than any position.
    fn load(&self) -> io::Result<Option<String>> {
        let mut text = String::new();
        let bytes = self.file.open()?.take(POSITION_BYTES_MAX + 1).read_to_string(&mut text)?;
        Ok(u64::try_from(bytes).is_ok_and(|bytes| bytes <= POSITION_BYTES_MAX).then_some(text))
    }
}

fn not_kept(path: &Path, refused: NotKept) -> Failure {
    let path = path.display();
    match refused {
        NotKept::Locked => Failure::new(
            Code::Failed,
            format!(
                "cannot use the position file {path}: another reader uses the file; wait until \
                 that reader ends, or give this one its own file"
            ),
        ),
        NotKept::Error(error) => {
            let error = explained(&error);
            Failure::input(format!("cannot use the position file {path}: {error}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn position_is_taken_from_where_it_was_put() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("position");
        assert_eq!(PositionFile::open(&path).unwrap().position(), None);
        for position in ["0", "12,a+b", "3"] {
            let mut file = PositionFile::open(&path).unwrap();
            file.save(position.to_owned()).unwrap();
            assert_eq!(file.position(), Some(position));
            drop(file);
            assert_eq!(PositionFile::open(&path).unwrap().position(), Some(position));
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn file_that_holds_no_text_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("position");
        for bytes in [&b""[..], b"\n", b" \n", b"\xff\xfe"] {
            fs::write(&path, bytes).unwrap();
            assert!(PositionFile::open(&path).is_err(), "{bytes:?}");
        }
        assert!(PositionFile::open(folder.path()).is_err());
    }
}
