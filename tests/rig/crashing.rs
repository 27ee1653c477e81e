//! A store in memory whose user crashes, or is left in doubt, at the n-th call. Clones are one
//! store and count their calls together.
//!
//! Each fetched source of an ordered read is a call, and so are each key of a delete and each step
//! of an upload.

use std::cell::RefCell;
use std::rc::Rc;

use stratalog_guest::ports::{
    ListPage, ObjectRange, Sizes, Store, StoreError, StoreErrorKind, Upload, WriteError,
};

use crate::faults::Fault;
use crate::memory::{Created, GetRange, Memory, MemoryRead, MemoryUpload};
use crate::pages::{PageListing, Pages};

/// An action of others right before a call.
type Hook = Box<dyn FnOnce()>;

/// A store in memory for one actor that meets faults.
#[derive(Clone)]
pub struct Crashing {
    pub memory: Memory,
    calls: Rc<RefCell<Calls>>,
}

#[derive(Default)]
struct Calls {
    made: Vec<String>,
    /// The faults of consecutive calls, and the number of the first.
    faults: (usize, &'static [Fault]),
    crashed: bool,
    late: Vec<(String, Vec<u8>)>,
    hook: Option<(String, Hook)>,
}

impl Crashing {
    pub fn new(memory: Memory) -> Self {
        Self { memory, calls: Rc::default() }
    }

    /// Numbers the calls from here on; the n-th and those after it meet these faults, one each.
    pub fn arm(&self, n: usize, faults: &'static [Fault]) {
        let mut calls = self.calls.borrow_mut();
        calls.made.clear();
        calls.faults = (n, faults);
    }

    /// Runs a hook right before the first call that begins like this.
    pub fn before(&self, call: &str, hook: impl FnOnce() + 'static) {
        self.calls.borrow_mut().hook = Some((call.to_owned(), Box::new(hook)));
    }

    /// Returns the call that met the first fault, if there were enough calls.
    pub fn failed(&self) -> Option<String> {
        let calls = self.calls.borrow();
        let (first, faults) = calls.faults;
        calls.made.get(first).filter(|_| !faults.is_empty()).cloned()
    }

    /// Completes the late creates, unless another create was faster.
    pub fn land(&self) {
        let late = std::mem::take(&mut self.calls.borrow_mut().late);
        for (key, bytes) in late {
            self.memory.create(&key, &bytes).ok();
        }
    }

    /// Records a call. Returns its fault, if it is not just done.
    fn fault(&self, call: &str, key: &str) -> Option<Fault> {
        let hook = self.calls.borrow_mut().hook.take();
        match hook {
            Some((first, hook)) if format!("{call} {key}").starts_with(&first) => hook(),
            hook => self.calls.borrow_mut().hook = hook,
        }
        let mut calls = self.calls.borrow_mut();
        let number = calls.made.len();
        calls.made.push(format!("{call} {key}"));
        if calls.crashed {
            return Some(Fault::Refused);
        }
        let (first, faults) = calls.faults;
        let fault = number.checked_sub(first).and_then(|at| faults.get(at).copied());
        calls.crashed = matches!(fault, Some(Fault::CrashBefore | Fault::CrashAfter));
        match fault {
            Some(Fault::CrashBefore) => Some(Fault::Refused),
            Some(Fault::CrashAfter) => None,
            fault => fault,
        }
    }

    fn call<T>(&self, call: &str, key: &str, run: impl FnOnce() -> T) -> Result<T, StoreError> {
        match self.fault(call, key) {
            None => Ok(run()),
            Some(Fault::Refused) => Err(failure("it was not done")),
            Some(Fault::ReplyLost | Fault::LandsLate) => {
                run();
                Err(failure("the reply was lost"))
            }
            Some(fault) => panic!("no call has the fault {fault:?} here"),
        }
    }

    fn write(
        &self,
        call: &str,
        key: &str,
        bytes: &[u8],
        run: impl FnOnce() -> Result<(), WriteError>,
    ) -> Result<(), WriteError> {
        match self.fault(call, key) {
            None => run(),
            Some(Fault::Refused) => Err(WriteError::NotWritten(failure("it was not done"))),
            Some(Fault::ReplyLost) => {
                run().ok();
                Err(WriteError::Unknown(failure("the reply was lost")))
            }
            Some(Fault::LandsLate) => {
                self.calls.borrow_mut().late.push((key.to_owned(), bytes.to_vec()));
                Err(WriteError::Unknown(failure("the reply was lost")))
            }
            Some(fault) => panic!("no write has the fault {fault:?} here"),
        }
    }
}

fn failure(message: &str) -> StoreError {
    StoreError { kind: StoreErrorKind::Unavailable, message: message.to_owned() }
}

impl GetRange for Crashing {
    fn get_range(&self, wanted: &ObjectRange) -> Result<Vec<u8>, StoreError> {
        self.call("read", &wanted.key, || self.memory.get_range(wanted))?
    }

    fn get_rest(&self, wanted: &ObjectRange) -> Result<(), StoreError> {
        self.call("read on", &wanted.key, || ())
    }
}

impl Pages for Crashing {
    fn page(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<ListPage, StoreError> {
        self.call("list", prefix, || self.memory.page(prefix, after, limit))?
    }
}

impl Store for Crashing {
    type Bytes = Vec<u8>;
    type Listing = PageListing<Self>;
    type Create = Created;
    type Read = MemoryRead<Self>;
    type Upload = CrashingUpload;

    fn create_exclusive(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
        let create = || self.memory.create_exclusive(key, bytes);
        self.write("create-exclusive", key, bytes, create)
    }
    fn create(&self, key: &str, bytes: &[u8]) -> Result<(), WriteError> {
        self.write("create", key, bytes, || self.memory.create(key, bytes))
    }
    fn start_create(&self, key: &str, bytes: &Vec<u8>) -> Created {
        Created(self.create(key, bytes))
    }
    fn ensure_exclusive(&self, prefix: &str) -> Result<(), StoreError> {
        self.call("ensure-exclusive", prefix, || ())
    }
    fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        self.call("get", key, || self.memory.get(key))?
    }
    fn list(&self, prefix: &str, after: Option<&str>, sizes: Sizes) -> PageListing<Self> {
        PageListing::new(self.clone(), prefix, after, sizes)
    }
    fn delete(&self, keys: &[String]) -> Vec<(String, StoreError)> {
        let deleted = keys.iter().map(|key| {
            let outcome = self.call("delete", key, || self.memory.delete_one(key));
            outcome.map_err(|error| (key.clone(), error))
        });
        deleted.filter_map(Result::err).collect()
    }
    fn read(&self, ranges: &[ObjectRange]) -> MemoryRead<Self> {
        MemoryRead::new(self.clone(), ranges)
    }
    fn start_upload(&self, key: &str) -> Result<CrashingUpload, WriteError> {
        self.call("start-upload", key, || ()).map_err(WriteError::NotWritten)?;
        let parts = MemoryUpload::new(self.memory.clone(), key);
        Ok(CrashingUpload { store: self.clone(), key: key.to_owned(), parts })
    }
}

/// An upload. Each of its steps is a call.
pub struct CrashingUpload {
    store: Crashing,
    key: String,
    parts: MemoryUpload<Memory>,
}

impl Upload for CrashingUpload {
    type Bytes = Vec<u8>;

    fn write(&self, bytes: Vec<u8>) -> Result<(), WriteError> {
        let write = || self.parts.write(bytes);
        self.store.call("write", &self.key, write).map_err(WriteError::NotWritten)?
    }
    fn finish(&self) -> Result<(), WriteError> {
        let bytes = self.parts.bytes();
        self.store.write("finish", &self.key, &bytes, || self.parts.finish())
    }
}
