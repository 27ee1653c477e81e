//! What the tests stand on: a store that fails on request, the log's logic run natively and as the
//! built component behind one face, and servers.

pub mod faults;
pub mod faulty;
pub mod native;
mod records;
pub mod servers;
pub mod sim;
pub mod sim_ports;
pub mod subject;
mod warnings;
