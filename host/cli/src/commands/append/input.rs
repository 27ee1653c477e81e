//! Reads the inputs block by block on its own thread, ahead of the consumer.
//!
//! 1. A read begins only when there is room for its block. So memory is bounded, and data that was
//!    read is never stuck in the thread.
//! 2. The end of all inputs is an item of its own: a thread that ends without it has failed.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::commands::append::decoder::{Decoder, Fault};
use crate::commands::append::inputs::Input;
use crate::process::exit::{Code, Failure};

/// The blocks that are read and not processed: one in use, one ready, one being read.
const BLOCKS_AHEAD: usize = 3;

/// The time after a signal in which a read that has returned is received.
const HAND_OVER: Duration = Duration::from_millis(20);

/// An item from the reading thread. Items are in order.
pub(crate) enum Item {
    /// An input begins, with its name for messages.
    Begin(String),
    /// The next bytes of the input, never empty.
    Block(Vec<u8>),
    /// The input ended.
    End,
    /// An input cannot be read any further. This is the last item.
    Unreadable(Fault),
    /// All inputs have ended. This is the last item.
    Finished,
}

/// The items of all inputs, one input after the other.
pub(crate) struct Items {
    items: mpsc::UnboundedReceiver<Item>,
    permits: Sender<()>,
    /// True if the last item took a permit. The next call returns the permit, since the block is
    /// processed by then.
    owes_permit: bool,
}

impl Items {
    /// Starts to read ahead. The thread is never joined: a read of a terminal may not return.
    pub(crate) fn start(inputs: Vec<Input>, binary: bool) -> Result<Self, Failure> {
        let (sender, items) = mpsc::unbounded_channel();
        let (permits, permitted) = channel();
        for _ in 0..BLOCKS_AHEAD {
            // The receiver is in scope, so the send succeeds.
            permits.send(()).ok();
        }
        let thread = Reading { items: sender, permitted, binary };
        std::thread::Builder::new()
            .name("stratalog-input".to_owned())
            .spawn(move || thread.run(inputs))
            .map_err(|error| Failure::system("cannot start a thread", &error))?;
        Ok(Self { items, permits, owes_permit: false })
    }

    /// Returns the next item.
    pub(crate) async fn next(&mut self) -> Item {
        if std::mem::take(&mut self.owes_permit) {
            // The thread may have ended and need no permit.
            self.permits.send(()).ok();
        }
        let item = self.items.recv().await;
        self.owes_permit = matches!(item, Some(Item::Block(_) | Item::End));
        item.unwrap_or_else(|| {
            let message = "the thread that reads the input has failed".to_owned();
            Item::Unreadable(Fault { code: Code::Failed, message })
        })
    }

    /// Returns the next item that was already read.
    pub(crate) async fn next_read(&mut self) -> Option<Item> {
        tokio::time::timeout(HAND_OVER, self.items.recv()).await.ok().flatten()
    }
}

/// The state of the reading thread.
struct Reading {
    items: mpsc::UnboundedSender<Item>,
    permitted: Receiver<()>,
    binary: bool,
}

/// The end of reading: an input failed, or the consumer is gone.
struct Ended;

impl Reading {
    fn run(self, inputs: Vec<Input>) {
        for input in inputs {
            if self.read(input).is_err() {
                return;
            }
        }
        // Without a consumer, the result is not needed.
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

    /// Sends the fault. Nothing is read after an input that cannot be read.
    fn end_with(&self, fault: Fault) -> Result<(), Ended> {
        self.send(Item::Unreadable(fault))?;
        Err(Ended)
    }

    fn send(&self, item: Item) -> Result<(), Ended> {
        self.items.send(item).map_err(|_| Ended)
    }
}
