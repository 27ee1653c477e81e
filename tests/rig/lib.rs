//! The base of the tests: a store that fails on request, the log's logic run natively and as the
//! built component behind one interface, and servers.

pub mod alone;
pub mod backends;
pub mod counting;
pub mod crashing;
pub mod faults;
pub mod faulty;
pub mod hesitant;
pub mod memory;
pub mod native;
pub mod passes;
pub mod plugins;
pub mod proxy;
mod records;
pub mod servers;
pub mod sim;
pub mod subject;
pub mod tools;
pub mod waits;
mod warnings;
