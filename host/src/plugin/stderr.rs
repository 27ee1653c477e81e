//! A plugin's stderr, and whether the plugin has written to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Whether something was written. Clones are one.
#[derive(Clone, Debug, Default)]
pub(super) struct Written(Arc<AtomicBool>);

impl Written {
    pub(super) fn is_any(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// An output stream that notes that something is written to it.
pub(super) struct Watched<S> {
    stream: S,
    written: Written,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, written: &Written) -> Self {
        Self { stream, written: written.clone() }
    }
}

impl<S: IsTerminal> IsTerminal for Watched<S> {
    fn is_terminal(&self) -> bool {
        self.stream.is_terminal()
    }
}

impl<S: StdoutStream> StdoutStream for Watched<S> {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Watched { stream: self.stream.p2_stream(), written: self.written.clone() })
    }

    // Only WASI 0.3 asks for it, which no plugin has.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        self.stream.async_stream()
    }
}

#[async_trait]
impl Pollable for Watched<Box<dyn OutputStream>> {
    async fn ready(&mut self) {
        self.stream.ready().await;
    }
}

#[async_trait]
impl OutputStream for Watched<Box<dyn OutputStream>> {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if !bytes.is_empty() {
            self.written.0.store(true, Ordering::Relaxed);
        }
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.stream.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.stream.check_write()
    }

    async fn cancel(&mut self) {
        self.stream.cancel().await;
    }
}
