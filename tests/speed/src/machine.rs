//! The machine and the time of a measurement.

use std::fs;
use std::path::Path;
use std::process::Command;

/// A load above this is not idle.
const LOAD_IDLE_MAX: f64 = 0.3;

/// Returns a list in Markdown: date, revision, machine, load.
pub(crate) fn described(folder: &Path, runs: usize) -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(": ")).map_or("unknown", |(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned();
    let is_idle = load.parse().is_ok_and(|load: f64| load <= LOAD_IDLE_MAX);
    let load_note = match is_idle {
        true => "",
        false => ": not idle, so the figures are preliminary",
    };
    format!(
        "- date: {}, revision {}\n\
         - machine: {model}, {cores} cores, Linux {}, {}\n\
         - load average at the start: {load}{load_note}\n\
         - {runs} runs of each row, interleaved with those of the baseline",
        jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC"),
        revision(),
        read("/proc/sys/kernel/osrelease").trim(),
        file_system(folder, &read("/proc/mounts")),
    )
}

/// Returns the short hash of the commit, with `+` if files have changed since.
fn revision() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(hash) = git(&["rev-parse", "--short", "HEAD"]) else { return "unknown".to_owned() };
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]);
    match changed.is_some_and(|files| files.is_empty()) {
        true => hash,
        false => hash + "+",
    }
}

/// Returns the type of the file system of the folder.
fn file_system(folder: &Path, mounts: &str) -> String {
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let holding = mounts.filter(|(place, _)| folder.starts_with(place));
    holding
        .max_by_key(|(place, _)| place.len())
        .map_or("unknown file system".to_owned(), |(_, kind)| format!("{kind} (folders)"))
}
