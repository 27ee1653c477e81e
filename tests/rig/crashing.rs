//! A store in memory whose user crashes, or is left in doubt, at the n-th call. Clones are one
//! store and count their calls together.
//!
//! Each fetched source of an ordered read is a call, and so are each key of a delete and each step
//! of an upload.

use std::cell::RefCell;
use std::rc::Rc;

use stratalog_guest::ports::{
    ListPage, ObjectRange, Store, StoreError, StoreErrorKind, Upload, WriteError,
};

use crate::memory::{Created, GetPart, Memory, MemoryRead, MemoryUpload};

/// The trouble at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// This call and all later ones are not done.
    CrashBefore,
    /// This call is done, later ones are not.
    CrashAfter,
    /// This call is done and its reply is lost; later calls succeed.
    ReplyLost,
    /// This call is refused, surely not done; later calls succeed.
    Refused,
    /// This call is done and its reply is lost, and the next is refused; later calls succeed.
    ReplyLostThenRefused,
    /// This create is done when `land` is called, and its reply is lost; later calls succeed. Other
    /// calls lose their reply.
    LandsLate,
}

impl Trouble {
    pub const ALL: [Self; 6] = [
        Self::CrashBefore,
        Self::CrashAfter,
        Self::ReplyLost,
        Self::Refused,
        Self::ReplyLostThenRefused,
        Self::LandsLate,
    ];
}

/// An action of others right before a call.
type Hook = Box<dyn FnOnce()>;

/// A store in memory for one actor that meets trouble.
#[derive(Clone)]
pub struct Crashing {
    pub memory: Memory,
    calls: Rc<RefCell<Calls>>,
}

#[derive(Default)]
struct Calls {
    made: Vec<String>,
    trouble: Option<(usize, Trouble)>,
    crashed: bool,
    late: Vec<(String, Vec<u8>)>,
    hook: Option<(String, Hook)>,
}

/// The outcome of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Done,
    DoneUnseen,
    Late,
    NotDone,
}

impl Crashing {
    pub fn new(memory: Memory) -> Self {
        Self { memory, calls: Rc::default() }
    }

    /// Numbers the calls from here on; the n-th meets trouble.
    pub fn arm(&self, n: usize, trouble: Trouble) {
        let mut calls = self.calls.borrow_mut();
        calls.made.clear();
        calls.trouble = Some((n, trouble));
    }

    /// Runs a hook right before the first call that begins like this.
    pub fn before(&self, call: &str, hook: impl FnOnce() + 'static) {
        self.calls.borrow_mut().hook = Some((call.to_owned(), Box::new(hook)));
    }

    /// Returns the call that met trouble, if there were enough calls.
    pub fn troubled(&self) -> Option<String> {
        let calls = self.calls.borrow();
        let (n, _) = calls.trouble?;
        calls.made.get(n).cloned()
    }

    /// Completes the late creates, unless another create was faster.
    pub fn land(&self) {
        let late = std::mem::take(&mut self.calls.borrow_mut().late);
        for (key, bytes) in late {
            self.memory.create(&key, &bytes).ok();
        }
    }

    fn fate(&self, call: &str, key: &str) -> Fate {
        let hook = self.calls.borrow_mut().hook.take();
        match hook {
            Some((first, hook)) if format!("{call} {key}").starts_with(&first) => hook(),
            hook => self.calls.borrow_mut().hook = hook,
        }
        let mut calls = self.calls.borrow_mut();
        let number = calls.made.len();
        calls.made.push(format!("{call} {key}"));
        if calls.crashed {
            return Fate::NotDone;
        }
        match calls.trouble {
            Some((n, Trouble::ReplyLostThenRefused)) if n + 1 == number => Fate::NotDone,
            Some((n, trouble)) if n == number => {
                calls.crashed = matches!(trouble, Trouble::CrashBefore | Trouble::CrashAfter);
                match trouble {
                    Trouble::CrashBefore | Trouble::Refused => Fate::NotDone,
                    Trouble::CrashAfter => Fate::Done,
                    Trouble::ReplyLost | Trouble::ReplyLostThenRefused => Fate::DoneUnseen,
                    Trouble::LandsLate => Fate::Late,
                }
            }
            _ => Fate::Done,
        }
    }

    fn call<T>(&self, call: &str, key: &str, run: impl FnOnce() -> T) -> Result<T, StoreError> {
        match self.fate(call, key) {
            Fate::Done => Ok(run()),
            Fate::DoneUnseen | Fate::Late => {
                run();
                Err(failure("the reply was lost"))
            }
            Fate::NotDone => Err(failure("it was not done")),
        }
    }

    fn write(
        &self,
        call: &str,
        key: &str,
        bytes: &[u8],
        run: impl FnOnce() -> Result<(), WriteError>,
    ) -> Result<(), WriteError> {
        match self.fate(call, key) {
            Fate::Done => run(),
            Fate::DoneUnseen => {
                run().ok();
                Err(WriteError::Unknown(failure("the reply was lost")))
            }
            Fate::Late => {
                self.calls.borrow_mut().late.push((key.to_owned(), bytes.to_vec()));
                Err(WriteError::Unknown(failure("the reply was lost")))
            }
            Fate::NotDone => Err(WriteError::NotWritten(failure("it was not done"))),
        }
    }
}

fn failure(message: &str) -> StoreError {
    StoreError { kind: StoreErrorKind::Unavailable, message: message.to_owned() }
}

impl GetPart for Crashing {
    fn get_range(&self, wanted: &ObjectRange) -> Result<Vec<u8>, StoreError> {
        self.call("read", &wanted.key, || self.memory.get_range(wanted))?
    }

    fn go_on(&self, wanted: &ObjectRange) -> Result<(), StoreError> {
        self.call("read on", &wanted.key, || ())
    }
}

impl Store for Crashing {
    type Bytes = Vec<u8>;
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
    fn list(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<ListPage, StoreError> {
        self.call("list", prefix, || self.memory.list(prefix, after, limit))?
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
