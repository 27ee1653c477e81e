//! The faults of all stores of the rig, in the same words:
//!
//! | fault | the request | its caller |
//! |---|---|---|
//! | refused | is not done | knows that |
//! | lost | is not done | hears nothing, so the fate is unknown |
//! | reply lost | is done | hears nothing, so the fate is unknown |
//! | lands late | is done later | hears nothing, so the fate is unknown |
//!
//! [`crate::faulty`] has them at the store of a host, [`crate::crashing`] at the ports of the
//! logic, [`crate::proxy`] on the wire, and [`crate::sim`] at random.

use std::collections::VecDeque;
use std::sync::Mutex;

/// The fault of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Surely not done.
    Refused,
    /// Not done, and its fate is unknown.
    Lost,
    /// Done, and its fate is unknown.
    ReplyLost,
    /// Its fate is unknown, and a create is done when `land` is called. Other requests lose their
    /// reply.
    LandsLate,
    /// Waits until `release` is called, and is done then.
    Stalls,
    /// Waits until `release` is called, and is surely not done then.
    StallsRefused,
    /// Not done, and the store says that the object exists already.
    SaysExists,
    /// Another object takes the name, and the store says that it exists already.
    Taken,
    /// The object is not found, as if it were deleted in between.
    NotFound,
    /// The caller ends before the request: this one and all later ones are not done.
    CrashBefore,
    /// The caller ends after the request: this one is done, and later ones are not.
    CrashAfter,
}

/// The fault of one request on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireFault {
    /// No fault.
    None,
    /// The server never hears of the request.
    Lost(Silence),
    /// The server executes the request.
    ReplyLost(Silence),
    /// The client gets this status, and the server never hears of the request.
    Status(&'static str),
    /// The server executes the request, and the client gets this status.
    DoneButStatus(&'static str),
    /// The client gets this document with a status of success; the server never hears of the
    /// request.
    Lie(&'static str),
    /// The server executes the request, and the client gets this document with a status of success.
    DoneButLie(&'static str),
    /// The server gets the request without its condition, so a create-if-absent overwrites.
    DropCondition,
    /// The answer loses the elements of this name.
    DropElement(&'static str),
    /// The answer is cut after N bytes of its body.
    CutBody(usize),
}

impl WireFault {
    /// True if the client hears nothing until its timeout.
    pub fn is_stall(self) -> bool {
        matches!(self, Self::Lost(Silence::Stall) | Self::ReplyLost(Silence::Stall))
    }
}

/// The way in which a client hears nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// The connection is reset.
    Reset,
    /// Nothing happens until the client's timeout.
    Stall,
}

/// The kind of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Create,
    Get,
    List,
    Delete,
}

impl Call {
    fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Get => "get",
            Self::List => "list",
            Self::Delete => "delete",
        }
    }

    /// Returns true if a faulty store has this fault for requests of this kind.
    fn has(self, fault: Fault) -> bool {
        match self {
            Self::Create => {
                !matches!(fault, Fault::NotFound | Fault::CrashBefore | Fault::CrashAfter)
            }
            Self::Get => matches!(fault, Fault::Lost | Fault::NotFound | Fault::Stalls),
            Self::List | Self::Delete => fault == Fault::Lost,
        }
    }
}

/// Armed faults, and recorded requests.
#[derive(Debug, Default)]
pub struct Faults {
    /// Each fault, and the number of requests of its kind that succeed before it.
    armed: Mutex<VecDeque<(Call, Fault, usize)>>,
    requests: Mutex<Vec<String>>,
}

impl Faults {
    /// Makes the next requests of a kind fail.
    ///
    /// # Panics
    /// When requests of this kind do not have this fault.
    pub fn arm(&self, call: Call, faults: impl IntoIterator<Item = Fault>) {
        faults.into_iter().for_each(|fault| self.arm_after(0, call, fault));
    }

    /// Makes a request of a kind fail after some have succeeded.
    ///
    /// # Panics
    /// When requests of this kind do not have this fault.
    pub fn arm_after(&self, well: usize, call: Call, fault: Fault) {
        assert!(call.has(fault), "a {} has no fault {fault:?}", call.word());
        self.armed.lock().unwrap().push_back((call, fault, well));
    }

    /// Returns whether every armed fault was met.
    pub fn are_met(&self) -> bool {
        self.armed.lock().unwrap().is_empty()
    }

    /// Disarms all faults.
    pub fn disarm(&self) {
        self.armed.lock().unwrap().clear();
    }

    /// Returns the requests since the last call, each as its kind and key.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }

    /// Records a request; returns the fault that it meets.
    pub(crate) fn next(&self, call: Call, key: &str) -> Option<Fault> {
        self.requests.lock().unwrap().push(format!("{} {key}", call.word()));
        let mut faults = self.armed.lock().unwrap();
        let next = faults.iter().position(|(of, ..)| *of == call)?;
        match &mut faults[next].2 {
            0 => faults.remove(next).map(|(_, fault, _)| fault),
            well => {
                *well -= 1;
                None
            }
        }
    }
}
