//! Syncs of folders, one for all files that got their names before it began.
//!
//! Owns: the syncs in progress. Must not know: the files, or the reason for a sync.
//!
//! 1. A caller returns when a sync has ended that began after its call. Nothing else makes the
//!    names durable that were there before the call.
//! 2. One sync of a folder is in progress at a time. Callers that come meanwhile share the next
//!    one, its failure included.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::below::{Folder, Identity};

/// The syncs of all folders of a store.
#[derive(Debug, Default)]
pub(crate) struct FolderSyncs {
    folders: Mutex<BTreeMap<Identity, Arc<Shared>>>,
}

/// The syncs of one folder.
#[derive(Debug, Default)]
struct Shared {
    syncs: Mutex<Syncs>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Syncs {
    /// The number of syncs that have begun.
    begun: u64,
    is_in_progress: bool,
    /// The outcomes of syncs, with the callers that still wait for each.
    outcomes: BTreeMap<u64, Outcome>,
}

#[derive(Debug, Default)]
struct Outcome {
    waiting: usize,
    /// None until it has ended.
    result: Option<Result<(), Failed>>,
}

/// A failure that several callers share.
#[derive(Clone, Debug)]
struct Failed {
    code: Option<i32>,
    kind: io::ErrorKind,
    text: String,
}

impl FolderSyncs {
    /// Makes the names in the folder durable that are there now. Blocks.
    pub(crate) fn sync(&self, folder: &Folder) -> io::Result<()> {
        match folder.identity()? {
            Some(identity) => self.sync_shared(identity, || folder.sync()),
            None => folder.sync(),
        }
    }

    fn sync_shared(
        &self,
        identity: Identity,
        sync: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        let shared = Arc::clone(lock(&self.folders).entry(identity).or_default());
        let synced = shared.sync(sync);
        let mut folders = lock(&self.folders);
        // The map's own, and this one.
        if Arc::strong_count(&shared) <= 2 {
            folders.remove(&identity);
        }
        synced
    }
}

impl Shared {
    fn sync(&self, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let mut syncs = lock(&self.syncs);
        // One in progress may have begun before the caller's name was there.
        let number = syncs.begun + 1;
        syncs.outcomes.entry(number).or_default().waiting += 1;
        loop {
            if let Some(result) = syncs.take_result(number) {
                return result.map_err(Failed::into_error);
            }
            if !syncs.is_in_progress {
                break;
            }
            syncs = self.ended.wait(syncs).unwrap_or_else(PoisonError::into_inner);
        }
        (syncs.begun, syncs.is_in_progress) = (number, true);
        drop(syncs);
        let mut ending = Ending { shared: self, number, result: Err(Failed::stopped()) };
        ending.result = sync().map_err(|error| Failed::of(&error));
        drop(ending);
        let result = lock(&self.syncs).take_result(number);
        result.unwrap_or_else(|| Err(Failed::stopped())).map_err(Failed::into_error)
    }
}

impl Syncs {
    /// Returns the result of a sync, if it has ended, to one of its callers.
    fn take_result(&mut self, number: u64) -> Option<Result<(), Failed>> {
        let outcome = self.outcomes.get_mut(&number)?;
        let result = outcome.result.clone()?;
        outcome.waiting -= 1;
        if outcome.waiting == 0 {
            self.outcomes.remove(&number);
        }
        Some(result)
    }
}

/// Ends a sync, also if it panics.
struct Ending<'a> {
    shared: &'a Shared,
    number: u64,
    result: Result<(), Failed>,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let mut syncs = lock(&self.shared.syncs);
        syncs.is_in_progress = false;
        if let Some(outcome) = syncs.outcomes.get_mut(&self.number) {
            outcome.result = Some(self.result.clone());
        }
        self.shared.ended.notify_all();
    }
}

impl Failed {
    fn of(error: &io::Error) -> Self {
        Self { code: error.raw_os_error(), kind: error.kind(), text: error.to_string() }
    }

    fn stopped() -> Self {
        let text = "the sync of the folder was stopped".to_owned();
        Self { code: None, kind: io::ErrorKind::Other, text }
    }

    fn into_error(self) -> io::Error {
        let Self { code, kind, text } = self;
        code.map_or_else(|| io::Error::new(kind, text), io::Error::from_raw_os_error)
    }
}

/// Nothing panics while it holds the lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    /// Waits until this many callers wait for a sync.
    fn until_waiting(shared: &Shared, number: u64, callers: usize) {
        loop {
            let waiting = lock(&shared.syncs).outcomes.get(&number).map_or(0, |o| o.waiting);
            if waiting == callers {
                return;
            }
            thread::yield_now();
        }
    }

    #[test]
    fn callers_share_the_sync_that_begins_after_their_call() {
        for fails in [false, true] {
            let (shared, made) = (Arc::new(Shared::default()), Arc::new(AtomicUsize::new(0)));
            let (go, gate) = mpsc::channel::<()>();
            let (begun, begins) = mpsc::channel::<()>();
            let first = {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    shared.sync(|| {
                        begun.send(()).unwrap();
                        gate.recv().unwrap();
                        Ok(())
                    })
                })
            };
            begins.recv().unwrap();
            let later = (0..16).map(|_| {
                let (shared, made) = (Arc::clone(&shared), Arc::clone(&made));
                thread::spawn(move || {
                    shared.sync(|| {
                        made.fetch_add(1, Ordering::SeqCst);
                        if fails { Err(io::Error::from_raw_os_error(28)) } else { Ok(()) }
                    })
                })
            });
            let later: Vec<_> = later.collect();
            until_waiting(&shared, 2, 16);
            assert_eq!(made.load(Ordering::SeqCst), 0, "the sync in progress began too early");
            go.send(()).unwrap();
            first.join().unwrap().unwrap();
            for caller in later {
                let result = caller.join().unwrap();
                assert_eq!(result.err().and_then(|e| e.raw_os_error()), fails.then_some(28));
            }
            assert_eq!(made.load(Ordering::SeqCst), 1);
            assert!(lock(&shared.syncs).outcomes.is_empty());
        }
    }

    #[test]
    fn sync_that_panics_fails_and_is_over() {
        let shared = Arc::new(Shared::default());
        let panicking = Arc::clone(&shared);
        assert!(thread::spawn(move || panicking.sync(|| panic!("no"))).join().is_err());
        shared.sync(|| Ok(())).unwrap();
    }
}
