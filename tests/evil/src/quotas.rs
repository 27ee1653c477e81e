//! Ignores that a log is full.

use crate::LABEL;
use crate::bindings::stratalog::log::host_bytes::Bytes;
use crate::bindings::stratalog::log::object_store::{Upload, WriteError, create};
use crate::say;

/// Appends this many events of 100 bytes, LF included, and flushes each.
pub(crate) fn append_on(count: u64) {
    let Some(log) = say::opened() else { return };
    let (mut accepted, mut refusal) = (0, None);
    for _ in 0..count {
        match log.append(&[b'x'; 99]) {
            Ok(()) => accepted += 1,
            Err(error) => refusal = refusal.or_else(|| Some(say::text(&error))),
        }
        if let Err(error) = log.flush() {
            return say::line(&format!("flush: {}", say::text(&error)));
        }
    }
    say::line(&format!("{accepted} accepted"));
    say::line(&refusal.unwrap_or_default());
}

/// Creates this many objects of 1,000 bytes of each kind, and uploads as many.
pub(crate) fn create_on(count: u64) {
    for start in ["batch", "other", "segment", "manifest", "generation", "position"] {
        let mut created = 0;
        let mut refusal = None;
        for number in 0..count {
            let key = format!("{LABEL}/{start}_{number}");
            let content = [b'x'; 1_000];
            let outcome = match number % 2 {
                0 => create(&key, &content, false),
                _ => upload(&key, &content),
            };
            match outcome {
                Ok(()) => created += 1,
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        let refusal = match refusal {
            Some(WriteError::NotWritten(error)) => error.message,
            _ => String::new(),
        };
        say::line(&format!("{created} of {start}: {refusal}"));
    }
}

fn upload(key: &str, content: &[u8]) -> Result<(), WriteError> {
    let upload = Upload::start(key)?;
    let (first, rest) = content.split_at(content.len() / 2);
    upload.write(Bytes::new(first))?;
    upload.write(Bytes::new(rest))?;
    upload.finish()
}
