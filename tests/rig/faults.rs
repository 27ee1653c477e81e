//! The requests to a store that are to fail, and those that were made.

use std::collections::VecDeque;
use std::sync::Mutex;

/// The outcome of a request of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The create is refused: surely not written.
    CreateRefused,
    /// The create is not done, and its fate is unknown.
    CreateLost,
    /// The create is done and its reply is lost.
    ReplyLost,
    /// The create's reply is lost, and it is done when `land` is called.
    LandsLate,
    /// The create is not done, and the store says that the object exists already.
    SaysExists,
    /// Another object takes the name, and the store says that it exists already.
    Taken,
    /// The create waits until `release` is called.
    Stalls,
    GetFails,
    /// The object is not found, as if it were deleted in between.
    GetMissing,
    ListFails,
    DeleteFails,
}

/// Armed faults, and recorded requests.
#[derive(Debug, Default)]
pub struct Faults {
    /// Each fault, and the number of requests of its kind that succeed before it.
    armed: Mutex<VecDeque<(Fault, usize)>>,
    requests: Mutex<Vec<String>>,
}

impl Faults {
    /// Makes the next requests of its kind fail.
    pub fn arm(&self, faults: impl IntoIterator<Item = Fault>) {
        self.armed.lock().unwrap().extend(faults.into_iter().map(|fault| (fault, 0)));
    }

    /// Makes a request of its kind fail after some have succeeded.
    pub fn arm_after(&self, fault: Fault, well: usize) {
        self.armed.lock().unwrap().push_back((fault, well));
    }

    /// Disarms all faults.
    pub fn disarm(&self) {
        self.armed.lock().unwrap().clear();
    }

    /// Returns the requests since the last call, each as its kind and key.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }

    /// Records a request; returns the fault that it meets, if it is one of these.
    pub(crate) fn next(&self, request: &str, key: &str, kinds: &[Fault]) -> Option<Fault> {
        self.requests.lock().unwrap().push(format!("{request} {key}"));
        let mut faults = self.armed.lock().unwrap();
        let next = faults.iter().position(|(fault, _)| kinds.contains(fault))?;
        match &mut faults[next].1 {
            0 => faults.remove(next).map(|(fault, _)| fault),
            well => {
                *well -= 1;
                None
            }
        }
    }
}
