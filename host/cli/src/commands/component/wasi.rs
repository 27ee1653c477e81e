//! The interfaces that every host with WASI 0.2 has.

use super::versions::{are_compatible, split};

const VERSION: &str = "0.2.0";

/// The imports of the worlds `wasi:cli/command` and `wasi:http/proxy`. Their unstable interfaces
/// are left out: most hosts have them off.
const INTERFACES: [&str; 29] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// Returns whether every host with WASI 0.2 has an interface, by its name with the version.
pub(super) fn has(name: &str) -> bool {
    let (interface, version) = split(name);
    INTERFACES.contains(&interface) && are_compatible(version, VERSION)
}

#[cfg(test)]
mod tests {
    use super::has;

    #[test]
    fn interfaces_of_wasi_0_2_are_those_of_a_host() {
        for name in ["wasi:cli/exit@0.2.0", "wasi:filesystem/types@0.2.12", "wasi:http/types@0.2.3"]
        {
            assert!(has(name), "{name}");
        }
        for name in [
            "wasi:filesystem/types@0.3.0",
            "wasi:filesystem/types@0.2.0-rc-2023-11-10",
            "wasi:filesystem/types",
            "wasi:cli/exit@1.0.0",
            "wasi:keyvalue/store@0.2.0",
            "wasi:logging/logging@0.1.0-draft",
            "acme:cli/exit@0.2.0",
        ] {
            assert!(!has(name), "{name}");
        }
    }
}
