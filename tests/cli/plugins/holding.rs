//! Bytes that the host keeps for a plugin, including those of its logs, count against one limit.

use std::io::{BufRead as _, BufReader};
use std::process::Child;

use crate::binary::{fresh, ok, run_with, stratalog};
use rig::plugins;

const MIB: usize = 1024 * 1024;

/// The additional memory of a run: pooled buffers, requests in flight, streams, stacks and the
/// allocator's own. Measured under 16 MiB: it grows by 9 to 15 MB in all.
const BESIDES: usize = 16 * MIB;

fn arguments(granted: &str, limit: &str, hazard: &str) -> Vec<String> {
    let plugin = plugins::rust("evil");
    let options = ["--log-handles-max", "200", "--calls-per-second", "10000000"];
    let mut all =
        vec!["run", plugin.to_str().unwrap(), "--log", granted, "--plugin-memory-max", limit];
    all.extend(options);
    all.extend(["--", hazard]);
    all.into_iter().map(str::to_owned).collect()
}

/// Returns the plugin's line when it has reached the limit, the peak memory of its host, and the
/// plugin's last line.
fn held(log: &str, limit: &str, hazard: &str) -> (String, usize, String) {
    let mut child = stratalog(&arguments(&format!("evil={log}"), limit, hazard)).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    stdout.read_line(&mut said).unwrap();
    let peak = peak_bytes(&child);
    drop(child.stdin.take());
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut stdout, &mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""), "{hazard}: {said}");
    (said, peak, rest)
}

#[cfg(target_os = "linux")]
fn peak_bytes(child: &Child) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

#[cfg(not(target_os = "linux"))]
fn peak_bytes(_: &Child) -> usize {
    0
}

#[test]
fn buffers_of_its_logs_count_as_a_plugins_memory() {
    // Everything is compiled by now, so that the compiler's memory is not measured.
    run_with(&arguments(&format!("evil={}", fresh().1), "16MiB", "buffers-none"), b"");
    let (_, nothing, _) = held(&fresh().1, "16MiB", "buffers-none");
    for (limit, mib) in [("16MiB", 16), ("64MiB", 64)] {
        for hazard in ["buffers-packed", "buffers-small"] {
            let (_folder, log) = fresh();
            let (said, peak, rest) = held(&log, limit, hazard);
            let refused = format!(
                "limit-reached: memory_bytes_max = {mib} MiB is reached by the plugin, its logs and its \
                 readers together; raise it with --plugin-memory-max\n"
            );
            assert!(said.ends_with(&refused), "{hazard} under {limit}: {said}");
            let grown = peak.saturating_sub(nothing);
            eprintln!("{hazard} under {limit}: {said} the host has grown by {grown} bytes");
            assert!(grown < mib * MIB + BESIDES, "{hazard} under {limit}: {grown} bytes, {said}");
            // A large part of the limit can be used, and accepted events are kept.
            let words: Vec<&str> = said.split(' ').collect();
            let used: usize = words[2].parse().unwrap();
            assert!(used >= mib / 4, "{hazard} under {limit}: {said}");
            assert_eq!(rest, "flush: ok\n", "{hazard} under {limit}");
            let bytes = ok(&["read", &log], "").len();
            assert!((used * MIB..(used + 1) * MIB).contains(&bytes), "{said}: {bytes} bytes read");
        }
    }
}
