//! The log, natively and through the library, in memory: its promises, its format, its cost, and
//! its plugins.

mod contract;
mod cost;
mod crash_points;
mod faults;
mod golden;
mod handles;
mod holes;
mod incomplete_listings;
mod invalid_listings;
mod keeping;
mod limits;
mod memory;
mod metrics;
mod open_writers;
mod positions;
mod repairs;
mod sandbox;
mod verifications;
