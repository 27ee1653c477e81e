//! The command line, from start to end of the process.

use std::path::Path;
use std::process::{Command, Stdio};

use criterion::Criterion;

use crate::program;

/// Appends one event to a folder.
pub(crate) fn process(criterion: &mut Criterion) {
    let program = program();
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("cache");
    let mut group = criterion.benchmark_group("process");
    group.bench_function("stratalog append of one event to a folder", |bencher| {
        let mut number = 0;
        bencher.iter(|| {
            number += 1;
            append_one(&program, &cache, &folder.path().join(format!("log-{number}")));
        });
    });
    group.finish();
}

fn append_one(program: &Path, cache: &Path, log: &Path) {
    let mut child = Command::new(program)
        .args([Path::new("append"), log, Path::new("--quiet"), Path::new("--cache-dir"), cache])
        .stdin(Stdio::piped())
        .spawn()
        .expect("a process");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), b"{\"one\":1}\n")
        .expect("a write");
    assert!(child.wait().expect("an end").success());
}
