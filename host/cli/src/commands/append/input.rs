//! Reads the inputs block by block on a thread of its own, ahead of who takes them.
//!
//! 1. A read begins only when there is room for its block, so memory is bounded, and what has been
//!    read is never stuck in the thread.
//! 2. The end of all inputs is said: a thread that ends without it has failed.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::commands::append::decoder::{Decoder, Fault};
use crate::commands::append::inputs::Input;
use crate::process::exit::{Code, Failure};

/// Blocks that were read and are not done with: one is worked on, one is ready, one is under way.
const BLOCKS_AHEAD: usize = 3;

/// A read that has returned when a signal comes is with us by then.
const HAND_OVER: Duration = Duration::from_millis(20);

/// What the thread has to say, in order.
pub(crate) enum Item {
    /// An input begins; its name for messages.
    Begin(String),
    /// The next bytes of the input; never empty.
    Block(Vec<u8>),
    /// The input ended.
    End,
    /// An input cannot be read on; nothing comes after this.
    Unreadable(Fault),
    /// All inputs have ended; nothing comes after this.
    Finished,
}

/// The blocks of all inputs, one after the other.
pub(crate) struct Source {
    items: mpsc::UnboundedReceiver<Item>,
    permits: Sender<()>,
    /// The item handed out last took a permit, which is given back when the next one is asked for:
    /// then the block is done with.
    owes_permit: bool,
}

impl Source {
    /// Starts to read ahead. The thread is not waited for: a read of a terminal may never end.
    pub(crate) fn start(inputs: Vec<Input>, binary: bool) -> Result<Self, Failure> {
        let (sender, items) = mpsc::unbounded_channel();
        let (permits, permitted) = channel();
        for _ in 0..BLOCKS_AHEAD {
            // Its receiver is two lines above.
            permits.send(()).ok();
        }
        let thread = Reading { items: sender, permitted, binary };
        std::thread::Builder::new()
            .name("stratalog-input".to_owned())
            .spawn(move || thread.run(inputs))
            .map_err(|error| Failure::system("cannot start a thread", &error))?;
        Ok(Self { items, permits, owes_permit: false })
    }

    /// The next item.
    pub(crate) async fn next(&mut self) -> Item {
        if std::mem::take(&mut self.owes_permit) {
            // The thread may have ended, and needs none then.
            self.permits.send(()).ok();
        }
        let item = self.items.recv().await;
        self.owes_permit = matches!(item, Some(Item::Block(_) | Item::End));
        item.unwrap_or_else(|| {
            let message = "the thread that reads the input has failed".to_owned();
            Item::Unreadable(Fault { code: Code::Failed, message })
        })
    }

    /// The next item of those that have been read already.
    pub(crate) async fn next_read(&mut self) -> Option<Item> {
        tokio::time::timeout(HAND_OVER, self.items.recv()).await.ok().flatten()
    }
}

/// The thread's side.
struct Reading {
    items: mpsc::UnboundedSender<Item>,
    permitted: Receiver<()>,
    binary: bool,
}

/// Nothing more is to be read: an input failed, or nobody takes its blocks.
struct Ended;

impl Reading {
    fn run(self, inputs: Vec<Input>) {
        for input in inputs {
            if self.read(input).is_err() {
                return;
            }
        }
        // Nobody takes it: then nobody waits for it.
        self.send(Item::Finished).ok();
    }

    fn read(&self, input: Input) -> Result<(), Ended> {
        let name = input.name.clone();
        self.send(Item::Begin(name.clone()))?;
        self.permitted.recv().map_err(|_| Ended)?;
        let mut decoder = match self.begin(&name, input) {
            Ok(decoder) => decoder,
            Err(fault) => return self.end_with(fault),
        };
        loop {
            match decoder.next_block() {
                Ok(block) if block.is_empty() => return self.send(Item::End),
                Ok(block) => self.send(Item::Block(block))?,
                Err(fault) => return self.end_with(fault),
            }
            self.permitted.recv().map_err(|_| Ended)?;
        }
    }

    fn begin(&self, name: &str, input: Input) -> Result<Decoder, Fault> {
        let stream = input.into_stream().map_err(|error| Fault {
            code: Code::Input,
            message: format!("cannot open {name}: {error}"),
        })?;
        Decoder::begin(name, stream, self.binary)
    }

    /// Nothing is read after an input that cannot be read.
    fn end_with(&self, fault: Fault) -> Result<(), Ended> {
        self.send(Item::Unreadable(fault))?;
        Err(Ended)
    }

    fn send(&self, item: Item) -> Result<(), Ended> {
        self.items.send(item).map_err(|_| Ended)
    }
}
