//! Which requests to a store are to fail, and which were made.

use std::collections::VecDeque;
use std::sync::Mutex;

/// What happens to a request of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The create is refused: surely not written.
    CreateRefused,
    /// The create is not done, and nobody can know.
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

/// Faults to come.
#[derive(Debug, Default)]
pub struct Faults {
    /// With how many requests of their kind go well before.
    armed: Mutex<VecDeque<(Fault, usize)>>,
    requests: Mutex<Vec<String>>,
}

impl Faults {
    /// Lets the next requests of its kind fail.
    pub fn arm(&self, faults: impl IntoIterator<Item = Fault>) {
        self.armed.lock().unwrap().extend(faults.into_iter().map(|fault| (fault, 0)));
    }

    /// Lets a request of its kind fail after some have gone well.
    pub fn arm_after(&self, fault: Fault, well: usize) {
        self.armed.lock().unwrap().push_back((fault, well));
    }

    /// Lets no more requests fail.
    pub fn disarm(&self) {
        self.armed.lock().unwrap().clear();
    }

    /// The requests since the last call, each as its kind and key.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }

    /// Takes note of a request; the fault it meets, if it is one of these.
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
