//! Plugins in languages whose runtimes decide the end of a plugin and its message.

use std::path::Path;

use crate::binary::{Ran, fresh, run_with, stratalog_caching_in};
use rig::{plugins, tools};

fn run(plugin: &Path, options: &[&str], words: &[&str]) -> Ran {
    let mut arguments = vec!["run", plugin.to_str().unwrap()];
    arguments.extend(options);
    arguments.push("--");
    arguments.extend(words);
    run_with(&arguments, b"")
}

/// Returns the warning for a plugin that failed after a call that was denied.
pub(crate) fn denied(plugin: &Path) -> String {
    format!(
        "warning: 1 call of {} denied: grant a log with --log LABEL=LOG, and rights other than \
         append and read with --grant LABEL=RIGHT,...\n",
        plugin.display()
    )
}

/// Returns the message for a plugin that ended with an error and printed nothing.
fn silent(plugin: &Path) -> String {
    format!(
        "error: {} ended with an error and printed nothing: its `run` returned an error, which has \
         no text. Have the plugin catch its errors and print them to stderr\n",
        plugin.display()
    )
}

#[test]
fn end_of_a_plugin_in_python_is_reported() {
    let Some(plugin) = tools::require_or_skip("a plugin in Python", plugins::ending_python())
    else {
        return;
    };
    let trace = "Traceback (most recent call last):\n";
    let ran = run(&plugin, &[], &["exception"]);
    assert!(ran.stderr.starts_with(trace), "{}", ran.stderr);
    assert!(ran.stderr.contains("ValueError: there was no header\n"), "{}", ran.stderr);
    assert_eq!((ran.code, ran.stdout.as_str()), (6, ""));

    let ran = run(&plugin, &[], &["log-error"]);
    assert_eq!((ran.code, ran.stderr), (1, denied(&plugin) + &silent(&plugin)));
    let ran = run(&plugin, &[], &["sys-exit-words"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, "there was no header\n"));
    // Python's own way to exit has only 0 and 1.
    let ran = run(&plugin, &[], &["sys-exit"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    let ran = run(&plugin, &[], &["exit-with-code"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (3, ""));
}

#[test]
fn end_of_a_plugin_in_javascript_is_reported() {
    let built = plugins::ending_javascript(&["http", "fetch-event"]);
    let Some(plugin) = tools::require_or_skip("a plugin in JavaScript", built) else { return };
    let (_folder, log) = fresh();
    let ran = run(&plugin, &["--log", &format!("code={log}")], &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (3, ""));
    let ran = run(&plugin, &[], &[]);
    assert_eq!((ran.code, ran.stderr), (1, denied(&plugin) + &silent(&plugin)));
}

#[test]
fn runtime_with_a_network_is_refused_early_with_a_remedy() {
    for without in [&[][..], &["http"], &["fetch-event"]] {
        let built = plugins::ending_javascript(without);
        let Some(plugin) = tools::require_or_skip("a plugin in JavaScript", built) else { return };
        let cache = tempfile::TempDir::new().unwrap();
        let arguments = ["-vv", "run", plugin.to_str().unwrap()];
        let ran = Ran::from(stratalog_caching_in(cache.path(), &arguments).output().unwrap());
        let error = ran.stderr.lines().last().unwrap();
        let front = format!("error: {} imports wasi:http/types@0.2.", plugin.display());
        let back = "which this host provides to no plugin: components have no network. Build the \
                    component without HTTP; JavaScript with `componentize-js --disable http \
                    fetch-event`";
        assert!(error.starts_with(&front) && error.ends_with(back), "{without:?}: {error}");
        assert!(!ran.stderr.contains(" compiled "), "{without:?}: {}", ran.stderr);
        assert_eq!((ran.code, ran.stdout.as_str()), (5, ""));
    }
}

#[test]
fn long_compilation_is_reported_once_without_a_terminal() {
    let plugin = tools::require_or_skip("a plugin in Python", plugins::ending_python());
    let Some(plugin) = plugin else { return };
    let cache = tempfile::TempDir::new().unwrap();
    let arguments = ["run", plugin.to_str().unwrap(), "--", "exit-with-code"];
    let run = || {
        let output = stratalog_caching_in(cache.path(), &arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(run(), format!("compiling {}, once …\n", plugin.display()));
    assert_eq!(run(), "");
}
