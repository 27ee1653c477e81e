//! The time of a plugin's first output, which marks a point in its run.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// A standard output that records the time of its first bytes.
#[derive(Clone, Default)]
pub(crate) struct FirstWords(Arc<OnceLock<Instant>>);

impl FirstWords {
    pub(crate) fn at(&self) -> Option<Instant> {
        self.0.get().copied()
    }
}

impl IsTerminal for FirstWords {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for FirstWords {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for FirstWords {
    async fn ready(&mut self) {}
}

impl OutputStream for FirstWords {
    fn write(&mut self, _: Bytes) -> StreamResult<()> {
        self.0.get_or_init(Instant::now);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(usize::MAX)
    }
}
