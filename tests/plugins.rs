//! Plugins through the real binary: the samples, hostile ones, and the same component under Node.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "cli/binary.rs"]
#[allow(dead_code, reason = "the tests of the command line use the rest")]
mod binary;
#[path = "rig/plugins.rs"]
#[allow(dead_code, unreachable_pub, reason = "the rig and the benchmarks use the rest")]
#[allow(clippy::panic, clippy::expect_used, reason = "tests")]
mod built;
#[path = "rig/tools/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "the rig uses the rest")]
#[allow(clippy::panic, clippy::expect_used, reason = "tests")]
mod tools;
#[path = "rig/waits.rs"]
#[allow(unreachable_pub, reason = "the rig uses it, too")]
mod waits;

#[path = "plugins/evil.rs"]
mod evil;
#[path = "plugins/evil_in_one_host.rs"]
mod evil_in_one_host;
#[path = "plugins/holding.rs"]
mod holding;
#[path = "plugins/journals.rs"]
mod journals;
#[path = "plugins/languages.rs"]
mod languages;
#[path = "plugins/memory.rs"]
mod memory;
#[path = "plugins/node_host.rs"]
mod node_host;
#[path = "plugins/streams.rs"]
mod streams;
