//! Plugins through the real binary: the samples and hostile ones. The same component under Node and
//! Python, and the adapters.

mod adapters;
mod evil;
mod evil_in_one_host;
mod holding;
pub(crate) mod joined;
mod journals;
mod kit;
mod languages;
mod memory;
mod newest_hosts;
mod node_host;
mod python_host;
mod quotas;
mod records;
mod refused_parts;
#[cfg(target_os = "linux")]
mod stock;
mod streams;
