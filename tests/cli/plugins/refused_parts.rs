//! Components that are not joined: those that no host with WASI 0.2 could run, or with two stores.

use std::fs;
use std::path::PathBuf;

use rig::plugins;
use tempfile::TempDir;

use crate::binary::{check, ok, run_with};

/// A folder with components in the text format.
struct Parts(TempDir);

impl Parts {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Makes a component with these imports, and returns its path.
    fn importing(&self, imports: &[&str]) -> String {
        let imports = imports.iter().map(|name| format!(r#"(import "{name}" (instance))"#));
        let text = format!("(component {})", imports.collect::<String>());
        let path = self.path("part.wasm");
        fs::write(&path, wat::parse_str(text).unwrap()).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn joined(&self) -> String {
        self.path("app.wasm").to_str().unwrap().to_owned()
    }
}

const APPEND_LOG: &str = "stratalog:log/append-log@0.1.0";

#[test]
fn import_that_not_every_host_with_wasi_0_2_has_is_named_and_refused() {
    let parts = Parts::new();
    let app = parts.joined();
    for refused in [
        "wasi:filesystem/types@0.3.0",
        "wasi:filesystem/types@0.2.0-rc-2023-11-10",
        "wasi:keyvalue/store@0.2.0-draft",
        "wasi:config/store@0.2.0-draft",
        "wasi:clocks/timezone@0.2.0",
        "acme:shop/cart@1.0.0",
    ] {
        let plugin = parts.importing(&[APPEND_LOG, refused]);
        let words = [&format!("it imports {refused}, which neither"), "build it for wasm32-wasip2"];
        for store in ["fs", "s3"] {
            check(&["component", "join", &plugin, "--store", store, "-o", &app], "", 5, &words);
        }
        // A host of its own may have that.
        ok(&["component", "join", &plugin, "-o", &app], "");
    }
    let accepted = [
        APPEND_LOG,
        "wasi:logging/logging@0.1.0-draft",
        "wasi:cli/environment@0.2.0",
        "wasi:filesystem/types@0.2.6",
        "wasi:http/outgoing-handler@0.2.3",
        "wasi:sockets/udp-create-socket@0.2.0",
    ];
    ok(&["component", "join", &parts.importing(&accepted), "--store", "fs", "-o", &app], "");
}

#[test]
fn http_of_a_plugin_is_warned_of_unless_the_store_needs_it() {
    let parts = Parts::new();
    let app = parts.joined();
    let http = ["wasi:http/types@0.2.10", "wasi:http/outgoing-handler@0.2.10"];
    let plugin = parts.importing(&[APPEND_LOG, http[0], http[1]]);
    let front = format!("warning: {plugin} imports {}: ", http.join(", "));
    let back =
        "build it without HTTP; JavaScript with `componentize-js --disable http fetch-event`";
    let log = parts.path("log.wasm").to_str().unwrap().to_owned();
    ok(&["component", "export", "--store", "s3", &log], "");
    for (options, words) in [
        (&["--store", "fs"][..], Some("only if it permits HTTP, as `wasmtime run -S http` does")),
        (&[], Some("`stratalog run` does not run the file")),
        (&["--store", "s3"], None),
        (&["--component", &log], None),
        (&["--store", "fs", "--quiet"], None),
    ] {
        let ran = run_with(&[&["component", "join", &plugin, "-o", &app], options].concat(), b"");
        let said = &ran.stderr;
        assert_eq!((ran.code, said.contains("warning")), (0, words.is_some()), "{said}");
        if let Some(words) = words {
            let all = [front.as_str(), words, back];
            assert!(all.iter().all(|words| said.contains(words)), "{options:?}: {said}");
        }
    }
}

#[test]
fn component_that_is_no_log_is_not_exported() {
    let parts = Parts::new();
    let app = parts.joined();
    let scripted = plugins::rust("scripted").to_str().unwrap().to_owned();
    let program = parts.path("program.wasm").to_str().unwrap().to_owned();
    ok(&["component", "join", &scripted, "--store", "fs", "-o", &program], "");
    let module = parts.path("module.wasm").to_str().unwrap().to_owned();
    fs::write(&module, b"\0asm\x01\0\0\0").unwrap();
    for (file, is) in [
        (&scripted, "it is a plugin, not a log component: it exports no stratalog:log/append-log;"),
        (&program, "it is a program, not a log component"),
        (&parts.importing(&[]), "it is not a log component"),
        (&module, "it is a core WebAssembly module, not a component"),
    ] {
        let words = format!("cannot export {file}: {is}");
        check(&["component", "export", "--component", file, &app], "", 5, &[&words]);
        assert!(!parts.path("app.wasm").exists(), "{file}");
    }
    let log = parts.path("log.wasm").to_str().unwrap().to_owned();
    ok(&["component", "export", &log], "");
    ok(&["component", "export", "--component", &log, &app], "");
    assert_eq!(fs::read(&app).unwrap(), fs::read(&log).unwrap());
    let words = ["cannot write", "it is an input"];
    check(&["component", "export", "--component", &log, &log], "", 5, &words);
}

#[test]
fn component_is_not_read_from_stdin() {
    let parts = Parts::new();
    let app = parts.joined();
    for arguments in [
        &["component", "join", "-", "-o", &app][..],
        &["component", "inspect", "-"],
        &["component", "export", "--component", "-", &app],
        &["stat", "--component", "-", "/no/log"],
        &["run", "-"],
    ] {
        check(arguments, "", 2, &["a component is not read from stdin; name a file"]);
    }
}

#[test]
fn component_and_its_summary_do_not_share_stdout() {
    let parts = Parts::new();
    let plugin = parts.importing(&[APPEND_LOG]);
    for arguments in [
        &["component", "export", "-", "--json"][..],
        &["component", "export", "--store", "fs", "-", "--json"],
        &["component", "join", &plugin, "-o", "-", "--json"],
    ] {
        let ran = run_with(arguments, b"");
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains("--json: the component goes to stdout"), "{}", ran.stderr);
    }
}

#[test]
fn plugin_that_imports_the_store_itself_is_refused() {
    let parts = Parts::new();
    let app = parts.joined();
    for interface in ["object-store", "host-bytes"] {
        let import = format!("stratalog:log/{interface}@0.1.0");
        let plugin = parts.importing(&[APPEND_LOG, &import]);
        let words = format!(
            "it imports {import}, which is for the log component alone; use \
             stratalog:log/append-log"
        );
        check(&["component", "join", &plugin, "--store", "fs", "-o", &app], "", 5, &[&words]);
    }
    assert!(!parts.path("app.wasm").exists());
}

#[test]
fn log_that_has_a_store_gets_no_second_one() {
    let parts = Parts::new();
    let (app, path) = (parts.joined(), parts.path("log.wasm"));
    let log = path.to_str().unwrap();
    ok(&["component", "export", "--store", "fs", log], "");
    let words = [
        &format!("cannot join {log}: it already has a store")[..],
        "leave out --store, or name a log component without a store",
    ];
    let plugin = parts.importing(&[APPEND_LOG]);
    for store in ["fs", "s3"] {
        check(&["component", "export", "--component", log, "--store", store, &app], "", 5, &words);
        let join = ["component", "join", &plugin, "--component", log, "--store", store, "-o", &app];
        check(&join, "", 5, &words);
    }
    ok(&["component", "join", &plugin, "--component", log, "-o", &app], "");
}

#[test]
fn program_without_log_messages_gets_no_sink() {
    let parts = Parts::new();
    let app = parts.joined();
    let plugin = parts.importing(&[APPEND_LOG]);
    let join = ["component", "join", &plugin, "--log-sink", "--store", "fs", "-o", &app];
    check(&join, "", 5, &["it imports no wasi:logging/logging", "leave out --log-sink"]);
    let logging = parts.importing(&["wasi:logging/logging@0.1.0-draft"]);
    let join = ["component", "join", &logging, "--store", "fs", "-o", &app];
    check(&join, "", 5, &["it imports no stratalog:log/append-log", "add --log-sink"]);
}

#[test]
fn log_component_is_no_plugin() {
    let parts = Parts::new();
    let (app, path) = (parts.joined(), parts.path("log.wasm"));
    let log = path.to_str().unwrap();
    for options in [&[][..], &["--store", "fs"]] {
        ok(&[&["component", "export", log], options].concat(), "");
        for sink in [&[][..], &["--log-sink"]] {
            let join = [&["component", "join", log, "-o", &app], sink].concat();
            check(&join, "", 5, &["it is a log component, not a plugin; name a plugin"]);
        }
    }
}

#[test]
fn output_that_is_named_as_a_folder_is_refused() {
    let parts = Parts::new();
    let plugin = parts.importing(&[APPEND_LOG]);
    for name in ["new/", "new/.", "new//"] {
        let output = parts.path(name);
        let join = ["component", "join", &plugin, "--store", "fs", "-o", output.to_str().unwrap()];
        check(&join, "", 5, &["cannot write ", "the path is that of a folder; name a file in it"]);
        let export = ["component", "export", output.to_str().unwrap()];
        check(&export, "", 5, &["the path is that of a folder; name a file in it"]);
    }
    assert!(!parts.path("new").exists());
}

#[cfg(unix)]
#[test]
fn file_without_an_end_is_read_up_to_a_limit() {
    let parts = Parts::new();
    let app = parts.joined();
    let large = parts.path("large.wasm");
    fs::File::create(&large).unwrap().set_len(256 * 1024 * 1024 + 1).unwrap();
    for file in ["/dev/zero", large.to_str().unwrap()] {
        let words = [
            &format!("cannot read the component {file}: it has more than 256 MiB")[..],
            "name the file of a component",
        ];
        check(&["component", "join", file, "--store", "fs", "-o", &app], "", 5, &words);
    }
    let words = ["the plugin /dev/zero has more than component_bytes_max = 1MiB"];
    check(&["run", "--component-bytes-max", "1MiB", "/dev/zero"], "", 6, &words);
}

#[test]
fn file_that_is_not_there_is_named_with_what_helps() {
    let parts = Parts::new();
    let path = parts.path("missing.wasm");
    let missing = path.to_str().unwrap();
    for arguments in [
        &["component", "join", missing, "--store", "fs", "-o", "-"][..],
        &["component", "inspect", missing],
        &["stat", "--component", missing, "/no/log"],
    ] {
        let words = [missing, "correct the path, or build the component first"];
        check(arguments, "", 5, &words);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_named_itself() {
    let parts = Parts::new();
    let plugin = parts.importing(&[APPEND_LOG]);
    let join = |to: &str, words: &[&str]| {
        let arguments = ["component", "join", &plugin, "--store", "fs", "-o", to];
        check(&arguments, "", 5, words);
    };
    // Not even root creates a file there.
    let words = "cannot write /proc/self/x: its folder takes no files; name a file in another";
    join("/proc/self/x", &[words]);
    join("/sys/x", &["cannot write /sys/x: "]);
}
