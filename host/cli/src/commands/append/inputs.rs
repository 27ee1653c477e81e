//! Finds and opens all inputs before any of their data is appended.
//!
//! 1. An input that is missing, unreadable or not text is refused before the first event is
//!    appended. Of a regular file, only the first block is checked by then.
//! 2. A named pipe is opened in its turn. Opening it earlier may wait for a writer that waits for
//!    the pipe before it.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read as _, Seek as _};
use std::path::{Path, PathBuf};

use crate::commands::append::decoder::{BLOCK_BYTES, Stream};
use crate::commands::append::nature::{Nature, STDIN, Unfit, named, nature};
use crate::numbers::to_u64;
use crate::process::exit::Failure;
use crate::terminal::human;

/// The most files that are open at a time. Later files are opened, closed, and opened again. A
/// process usually may open 1,024 files, and stores need some.
const FILES_OPEN_MAX: usize = 200;

/// One input.
pub(crate) struct Input {
    pub(crate) name: String,
    from: From,
}

enum From {
    Stdin,
    Opened(File),
    /// A path that is opened in its turn.
    Path(PathBuf),
}

impl Input {
    /// Opens the stream of bytes.
    pub(crate) fn into_stream(self) -> io::Result<Stream> {
        Ok(match self.from {
            From::Stdin => Stream::Stdin(io::stdin().lock()),
            From::Opened(file) => Stream::File(file),
            From::Path(path) => Stream::File(File::open(path)?),
        })
    }
}

/// Opens the inputs, or stdin if there are none. Reports the first unusable one. With `binary`, any
/// bytes are usable.
pub(crate) fn open(files: &[PathBuf], binary: bool) -> Result<Vec<Input>, Failure> {
    if files.is_empty() {
        return Ok(vec![stdin()]);
    }
    let mut inputs = Vec::with_capacity(files.len());
    let mut opened: usize = 0;
    for file in files {
        if is_stdin(file) {
            inputs.push(stdin());
            continue;
        }
        let name = file.display().to_string();
        let failed = |error: io::Error| {
            let error = human::cause(&error);
            Failure::input(format!("cannot open {name}: {error}"))
        };
        let metadata = file.metadata().map_err(failed)?;
        let from = if is_pipe(&metadata) {
            check_readable(file).map_err(failed)?;
            From::Path(file.clone())
        } else {
            let mut file = open_file(file, &metadata).map_err(failed)?;
            if metadata.is_file() && !binary {
                check_text(&name, &mut file)?;
            }
            opened += 1;
            From::Opened(file)
        };
        let from = match from {
            From::Opened(_) if opened > FILES_OPEN_MAX => From::Path(file.clone()),
            from => from,
        };
        inputs.push(Input { name, from });
    }
    Ok(inputs)
}

fn open_file(file: &Path, metadata: &Metadata) -> io::Result<File> {
    if metadata.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    File::open(file)
}

/// Checks the first block of a file, and restores the file's offset.
fn check_text(name: &str, file: &mut File) -> Result<(), Failure> {
    let mut head = Vec::new();
    let block_bytes = to_u64(BLOCK_BYTES);
    let looked = file.stream_position().and_then(|position| {
        file.by_ref().take(block_bytes).read_to_end(&mut head)?;
        file.seek(io::SeekFrom::Start(position))
    });
    looked.map_err(|error| Failure::input(format!("cannot read {name}: {error}")))?;
    let unfit = match (nature(&head, true), named(name)) {
        (Some(Nature::Unfit(unfit)), _) => unfit,
        (Some(Nature::Text { .. }), Some(named)) => Unfit::NotPacked { named },
        _ => return Ok(()),
    };
    Err(Failure::input(unfit.of(name)))
}

fn stdin() -> Input {
    Input { name: STDIN.to_owned(), from: From::Stdin }
}

/// Returns whether a file is `-`.
pub(crate) fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}

#[cfg(unix)]
fn is_pipe(metadata: &Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&metadata.file_type())
}

#[cfg(unix)]
fn check_readable(file: &Path) -> io::Result<()> {
    Ok(rustix::fs::access(file, rustix::fs::Access::READ_OK)?)
}

#[cfg(not(unix))]
fn is_pipe(_: &Metadata) -> bool {
    false
}

#[cfg(not(unix))]
fn check_readable(_: &Path) -> io::Result<()> {
    Ok(())
}
