//! Plugins through the real binary: the samples, hostile ones, and the same component under Node.

mod evil;
mod evil_in_one_host;
mod holding;
mod joined;
mod journals;
mod languages;
mod memory;
mod node_host;
mod streams;
