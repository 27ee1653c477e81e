//! The compilation of plugins: its limits, and its cache.

use super::*;

#[test]
fn components_that_no_compiler_makes_are_refused_or_stopped() {
    let folder = tempfile::TempDir::new().unwrap();
    let table = [
        (
            "table-bomb",
            6,
            "was stopped: table_elements_max = 100,000 is reached; raise it with --table-elements-max",
        ),
        (
            "memory-hoard",
            6,
            "was stopped: memory_bytes_max = 256 MiB is reached; raise it with --plugin-memory-max",
        ),
        (
            "many-instances",
            6,
            "was stopped: instances_max = 200 is reached; raise it with --instances-max",
        ),
        (
            "handle-list",
            6,
            "was stopped: host_call_bytes_max = 64 MiB is reached; raise it with --host-call-bytes-max",
        ),
        (
            "other-major",
            5,
            "was made for stratalog:log/append-log@1.0.0, and this host has version 0.1.0: build it \
             against the wit/ of version 0.1.0, or use a stratalog of version 1.0.0",
        ),
        (
            "imports-http",
            5,
            "imports wasi:http/types@0.2.0, which this host provides to no plugin: components have \
             no network. Build the component without HTTP; JavaScript with `componentize-js \
             --disable http fetch-event`",
        ),
        (
            "imports-unknown",
            5,
            "imports evil:host/secrets@0.1.0, which this host provides to no plugin. A plugin can \
             import stratalog:log/append-log, ",
        ),
        ("no-command", 5, "is not a command: it exports nothing, and no wasi:cli/run@0.2.0. "),
        (
            "later-wasi",
            5,
            "was made for wasi:cli/run@0.3.0, and this host has WASI 0.2: a later WASI; build \
             the component for WASI 0.2",
        ),
    ];
    for (name, code, error) in table {
        let file = folder.path().join(format!("{name}.wasm"));
        std::fs::write(&file, plugins::wat(name)).unwrap();
        let ran = run_with(&["run", file.to_str().unwrap()], b"");
        let said = format!("error: {} {error}", file.display());
        assert!(ran.stderr.starts_with(&said), "{name}: {}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{name}: {}", ran.stderr);
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{name}: {}", ran.stderr);
        // A refused file is not compiled first.
        let ran = run_with(&["-vv", "run", file.to_str().unwrap()], b"");
        let is_loaded = |line: &str| line.contains(" compiled ") || line.contains(" loaded ");
        assert_eq!(ran.stderr.lines().any(is_loaded), code == 6, "{name}: {}", ran.stderr);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn plugin_in_little_address_space_runs_or_names_the_limit() {
    let cache = tempfile::TempDir::new().unwrap();
    let (_folder, log) = fresh();
    let (plugin, granted) = (plugins::rust("evil"), format!("evil={log}"));
    let run = |kib, options: &[&str], words: &[&str]| {
        let arguments = arguments(plugin.to_str().unwrap(), &granted, options, words);
        let command = stratalog_caching_in(cache.path(), &arguments);
        let output = within_address_space(kib, &command).stdin(Stdio::null()).output().unwrap();
        Ran::from(output)
    };
    for kib in [1_200_000, 2_000_000] {
        let ran = run(kib, &[], &["tiny-appends", "1000"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "1000 appended\nflush: ok\n"), "{kib}");
        assert_eq!(ran.stderr, "", "{kib}");
    }
    let ran = run(700_000, &["--plugin-memory-max", "2GiB"], &["memory-bomb"]);
    let error = "trapped: no address space is left for a component: Cannot allocate memory (os \
                 error 12); raise the limit of this process, which is 700000 KiB (`ulimit -v`), \
                 or lower memory_bytes_max (--plugin-memory-max)\n";
    assert_eq!(ran.stderr, format!("error: {} {error}", plugin.display()));
    assert_eq!((ran.code, ran.stdout.as_str()), (6, ""));
}

#[test]
fn compilation_that_takes_too_long_is_a_limit_that_is_named() {
    let cache = tempfile::TempDir::new().unwrap();
    let plugin = plugins::rust("evil");
    let arguments = ["run", plugin.to_str().unwrap(), "--compile-time-max", "1ms"];
    let ran = Ran::from(stratalog_caching_in(cache.path(), &arguments).output().unwrap());
    let hit = "compile_time_max = 1ms is reached; raise it with --compile-time-max";
    assert_eq!(ran.stderr, format!("error: {}: {hit}\n", plugin.display()));
    assert_eq!((ran.code, ran.stdout.as_str()), (6, ""));
}

#[test]
fn plugin_is_compiled_once_and_a_damaged_module_of_it_is_not_run() {
    let cache = tempfile::TempDir::new().unwrap();
    let plugin = plugins::rust("hello");
    let run = |options: &[&str]| {
        let arguments = [&["run", plugin.to_str().unwrap()], options].concat();
        let ran = Ran::from(stratalog_caching_in(cache.path(), &arguments).output().unwrap());
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "hello\n"), "{}", ran.stderr);
        ran.stderr
    };
    assert_eq!(run(&[]), "");
    assert!(run(&["-vv"]).contains("hello.wasm from "));
    let folder = cache.path().join("compiled");
    let module = folder.read_dir().unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&module).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&module, bytes).unwrap();
    let said = run(&[]);
    let warning = format!(
        "warning: {} is compiled again: {} is damaged: the digest in it is not that of its \
         content\n",
        plugin.display(),
        module.display()
    );
    assert_eq!(said, warning);
    assert_eq!(run(&[]), "");
}
