//! Reads files and stdin block by block on a thread of its own, ahead of who takes them.
//!
//! 1. A block is passed on as soon as a read returns, however little it is.
//! 2. A read begins only when there is room for its block, so memory is bounded, and what has been
//!    read is never stuck in the thread.

use std::fs::File;
use std::io::{self, Read as _, StdinLock};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::cli::exit::Failure;

/// The most bytes of one read.
pub(super) const BLOCK_BYTES: usize = 256 * 1024;

/// Blocks that were read and are not done with: one is worked on, one is ready, one is under way.
const BLOCKS_AHEAD: usize = 3;

/// A read that has returned when a signal comes is with us by then.
const HAND_OVER: Duration = Duration::from_millis(20);

/// What the thread has to say, in order.
pub(super) enum Item {
    /// A file begins; its name for messages.
    Begin(String),
    /// The next bytes of the file; never empty.
    Block(Vec<u8>),
    /// The file ended.
    End,
    /// A file cannot be read; nothing comes after this.
    Unreadable(Failure),
}

/// The blocks of all files, one after the other.
pub(super) struct Source {
    items: mpsc::UnboundedReceiver<Item>,
    permits: Sender<()>,
    /// The item handed out last took a permit, which is given back when the next one is asked for:
    /// then the block is done with.
    owes_permit: bool,
}

impl Source {
    /// Starts to read ahead. The thread is not waited for: a read of a terminal may never end.
    pub(super) fn start(files: Vec<PathBuf>) -> Result<Self, Failure> {
        let (sender, items) = mpsc::unbounded_channel();
        let (permits, permitted) = channel();
        for _ in 0..BLOCKS_AHEAD {
            // Its receiver is two lines above.
            permits.send(()).ok();
        }
        let thread = Reading { items: sender, permitted };
        std::thread::Builder::new()
            .name("stratalog-input".to_owned())
            .spawn(move || thread.run(&files))
            .map_err(|error| Failure::system("cannot start a thread", &error))?;
        Ok(Self { items, permits, owes_permit: false })
    }

    /// The next item, or none after the last.
    pub(super) async fn next(&mut self) -> Option<Item> {
        if std::mem::take(&mut self.owes_permit) {
            // The thread may have ended, and needs none then.
            self.permits.send(()).ok();
        }
        let item = self.items.recv().await;
        self.owes_permit = matches!(item, Some(Item::Block(_) | Item::End));
        item
    }

    /// The next item of those that have been read already.
    pub(super) async fn next_read(&mut self) -> Option<Item> {
        tokio::time::timeout(HAND_OVER, self.items.recv()).await.ok().flatten()
    }
}

/// The thread's side.
struct Reading {
    items: mpsc::UnboundedSender<Item>,
    permitted: Receiver<()>,
}

/// Nothing more is to be read: a file failed, or nobody takes its blocks.
struct Ended;

impl Reading {
    fn run(self, files: &[PathBuf]) {
        for file in files {
            let name = name_of(file);
            let read = match open(file) {
                Ok(mut input) => self.read(&name, &mut input),
                Err(error) => {
                    let message = format!("cannot open {name}: {error}");
                    self.end_with(Failure::input(message))
                }
            };
            if read.is_err() {
                return;
            }
        }
    }

    fn read(&self, name: &str, input: &mut Input) -> Result<(), Ended> {
        self.send(Item::Begin(name.to_owned()))?;
        loop {
            self.permitted.recv().map_err(|_| Ended)?;
            let mut block = vec![0; BLOCK_BYTES];
            match input.read_block(&mut block) {
                Ok(0) => return self.send(Item::End),
                Ok(length) => {
                    block.truncate(length);
                    self.send(Item::Block(block))?;
                }
                Err(error) => {
                    return self.end_with(Failure::system(&format!("cannot read {name}"), &error));
                }
            }
        }
    }

    /// Nothing is read after a file that cannot be read.
    fn end_with(&self, failure: Failure) -> Result<(), Ended> {
        self.send(Item::Unreadable(failure))?;
        Err(Ended)
    }

    fn send(&self, item: Item) -> Result<(), Ended> {
        self.items.send(item).map_err(|_| Ended)
    }
}

enum Input {
    Stdin(StdinLock<'static>),
    File(File),
}

impl Input {
    /// Reads once: what is there, or waits for something.
    fn read_block(&mut self, block: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match self {
                // It has a small buffer, which a read as large as ours goes past.
                Self::Stdin(stdin) => stdin.read(block),
                Self::File(file) => file.read(block),
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}

/// Whether a file is `-`.
pub(super) fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn name_of(file: &Path) -> String {
    if is_stdin(file) { "<stdin>".to_owned() } else { file.display().to_string() }
}

fn open(path: &Path) -> io::Result<Input> {
    if is_stdin(path) {
        return Ok(Input::Stdin(io::stdin().lock()));
    }
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(Input::File(file))
}
