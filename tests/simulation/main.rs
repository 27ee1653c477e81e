//! The proofs that take processor time: random schedules, changed bytes, thousands of flushes, and
//! the model of the protocols.

mod growth;
mod model;
mod mutations;
mod schedules;
