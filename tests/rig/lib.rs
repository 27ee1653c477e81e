//! The base of the tests: the log's logic run natively and as the built component behind one
//! interface, stores that fail on request, and servers.
//!
//! - `subject` and `passes`: the log as tests see it, and the operations on it; `kept`: many logs.
//! - `faults`: the words for all that goes wrong, and `counter`: the requests.
//! - Stores of a host: `faulty` fails on request and counts, `hesitant` waits in every call.
//! - Stores at the ports of the logic: `native` passes on to a store of a host, `memory` is a map,
//!   `crashing` ends its caller, `altered` gives other answers, `sim` is a whole world. `pages`
//!   makes their listings.
//! - `backends` and `servers`: each kind of store, and `proxy`: the wire to it. `objects`: the
//!   calls of a store, which is that of the host or an `adapter`.
//! - `tools` and `plugins`: all that must be built or installed.
//! - `waits` for conditions, and `alone` for a process of its own.

pub mod adapter;
pub mod alone;
pub mod altered;
pub mod backends;
mod copying;
pub mod counter;
pub mod crashing;
pub mod faults;
pub mod faulty;
mod files;
pub mod hesitant;
mod kept;
pub mod memory;
pub mod native;
pub mod objects;
pub mod pages;
pub mod passes;
pub mod plugins;
pub mod proxy;
pub mod records;
pub mod servers;
pub mod shuffling;
pub mod sim;
pub mod subject;
pub mod tools;
pub mod waits;
mod warnings;
