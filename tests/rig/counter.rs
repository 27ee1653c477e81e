//! The requests that a store received, counted as a provider bills them.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex};

use object_store::path::Path;

/// A recorded request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The operation, and the kind of object: `get segment`.
    pub what: String,
    /// The object's key; empty for a bulk delete.
    pub key: String,
    /// Bytes created or got; for a bulk delete, the number of keys.
    pub amount: u64,
}

/// Recorded requests. Clones are one counter.
#[derive(Clone, Debug, Default)]
pub struct Counter {
    requests: Arc<Mutex<Vec<Request>>>,
    gate: Arc<Gate>,
}

/// Holds gets, to count the concurrent ones.
#[derive(Debug, Default)]
struct Gate {
    holds: AtomicBool,
    waiting: AtomicUsize,
    most: AtomicUsize,
}

/// The number of turns that a held get gives to all others before it assumes that no more come.
const TURNS: usize = 2_000;

impl Counter {
    /// Returns the requests since the last call.
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }

    /// Returns the number of requests of each kind since the last call.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for request in self.requests() {
            *counts.entry(request.what).or_default() += 1;
        }
        counts
    }

    /// Makes each get wait, from now on, until no more come.
    pub fn hold_gets(&self) {
        self.gate.holds.store(true, SeqCst);
    }

    /// Returns the largest number of gets that have waited concurrently.
    pub fn gets_concurrent_max(&self) -> usize {
        self.gate.most.load(SeqCst)
    }

    /// Records a request for an object.
    pub(crate) fn object(&self, call: &str, key: &Path, amount: u64) {
        self.record(format!("{call} {}", kind(key)), key.as_ref(), amount);
    }

    /// Records a request for another thing than an object.
    pub(crate) fn other(&self, call: &str, key: &str, amount: u64) {
        self.record(call.to_owned(), key, amount);
    }

    fn record(&self, what: String, key: &str, amount: u64) {
        self.requests.lock().unwrap().push(Request { what, key: key.to_owned(), amount });
    }

    /// Holds a get while gets are held.
    pub(crate) async fn hold(&self) {
        let gate = &self.gate;
        if !gate.holds.load(SeqCst) {
            return;
        }
        let waiting = gate.waiting.fetch_add(1, SeqCst) + 1;
        gate.most.fetch_max(waiting, SeqCst);
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        gate.waiting.fetch_sub(1, SeqCst);
    }
}

/// Returns the kind of an object, by its key.
fn kind(key: &Path) -> &'static str {
    let name = key.filename().unwrap_or_default();
    if name.starts_with("batch_mirror") {
        return "mark";
    }
    match name.split('_').next().unwrap_or_default() {
        "batch" => "batch",
        "manifest" => "manifest",
        "segment" if name.ends_with(".index") => "index",
        "segment" => "segment",
        "generation" => "marker",
        "position" => "position",
        _ => "other",
    }
}
