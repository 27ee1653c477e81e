//! A release: built, pushed to a registry on loopback, and pulled from it. `host/release/publish`
//! runs in a small repository, with components that were built before.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};

use rig::plugins;
use rig::servers::registry::Registry;
use rig::servers::require_or_skip;
use rig::tools::python::Python;
use rig::tools::{copy_folder, workspace};
use serde_json::Value;
use tempfile::TempDir;

use crate::binary::{fresh, numbered, ok};
use crate::plugins::joined::{joined, run_on_wasi};

/// The artefacts of a release.
const ARTEFACTS: [&str; 7] =
    ["log", "log-component", "log-fs", "log-s3", "fs-store", "s3-store", "log-sink"];

/// A repository with what a release is checked for, all in version 0.1.0.
struct Repository {
    folder: TempDir,
}

impl Repository {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let repository = Self { folder };
        for path in ["wit", "adapters/wit", "host/release"] {
            copy_folder(&workspace().join(path), &repository.path(path), &[]).unwrap();
        }
        let version = fs::read_to_string(workspace().join("wit/world.wit")).unwrap();
        let version = version.split_once("stratalog:log@").unwrap().1.split_once(';').unwrap().0;
        repository.write(&format!("tests/golden/interface/{version}/interface.wit"), "");
        let package = format!("[package]\nname = \"all\"\nversion = \"{version}\"\n");
        repository.write("Cargo.toml", &package);
        repository.write("src/lib.rs", "");
        repository.write(".gitignore", "/target\nCargo.lock\n");
        repository.write("cargo", &cargo());
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(repository.path("cargo"), executable).unwrap();
        repository.git(&["init", "--quiet"]);
        repository.commit();
        repository
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn replace(&self, path: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.path(path)).unwrap();
        assert!(text.contains(old), "{path} has no {old:?}");
        self.write(path, &text.replacen(old, new, 1));
    }

    fn git(&self, words: &[&str]) {
        let mut git = Command::new("git");
        git.arg("-C").arg(self.folder.path()).args(["-c", "user.name=t", "-c", "user.email=t@t"]);
        let ended = git.args(words).output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message=all"]);
    }

    /// Returns the command that publishes.
    fn publish(&self, options: &[&str]) -> Command {
        let python = Python::system().unwrap();
        let mut command = python.command();
        command.arg("-B").arg(self.path("host/release/publish")).args(options);
        command.env("CARGO", self.path("cargo"));
        // Its output is in a target folder of its own.
        command.env_remove("CARGO_TARGET_DIR");
        command
    }
}

/// Returns a script in the place of cargo, which takes what the tests have built.
fn cargo() -> String {
    let [fs, s3, sink] = ["fs_store", "s3_store", "log_sink"]
        .map(|name| plugins::rust(&format!("stratalog_{name}")).display().to_string());
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let program = env!("CARGO_BIN_EXE_stratalog");
    format!(
        r#"#!/bin/sh
case "$1" in
metadata) exec "{cargo}" "$@" ;;
build)
    echo '{{"env":[["STRATALOG_FS_STORE","{fs}"],["STRATALOG_S3_STORE","{s3}"]]}}'
    echo '{{"env":[["STRATALOG_LOG_SINK","{sink}"]]}}'
    echo '{{"executable":"{program}"}}' ;;
esac
"#
    )
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs a command that must succeed, and returns its stdout.
fn done(command: &mut Command) -> String {
    let ended = command.output().unwrap();
    assert!(ended.status.success(), "{command:?}: {}", text(&ended.stderr));
    text(&ended.stdout)
}

/// Checks that nothing is published, with these words.
fn assert_refused(ended: &Output, words: &[&str]) {
    let said = text(&ended.stderr);
    assert!(!ended.status.success(), "{words:?}: {said}");
    let all = ["cannot publish: "].iter().chain(words).all(|word| said.contains(word));
    assert!(all && !said.contains("Traceback"), "no {words:?} in {said}");
}

#[test]
fn release_is_pulled_as_it_was_pushed_and_runs() {
    let Some(registry) = require_or_skip(Registry::start()) else { return };
    let repository = Repository::new();
    let place = format!("{}/tests", registry.address);
    let publish = |more: &[&str]| {
        let mut command = repository.publish(&[&["--registry", &place], more].concat());
        registry.set_up(&mut command);
        command
    };
    let said = done(&mut publish(&[]));
    let sums: Vec<(&str, &str)> = said.lines().filter_map(|line| line.split_once("  ")).collect();
    let version = said.rsplit_once("@").unwrap().1;
    assert!(version.starts_with("sha256:"), "{said}");
    assert_eq!(sums.len(), ARTEFACTS.len());
    let version = json_of(&registry, "log")["annotations"]["org.opencontainers.image.version"]
        .as_str()
        .unwrap()
        .to_owned();

    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let pull = |reference: &str, to: &str| {
        done(&mut registry.wkg(&["oci", "pull", reference, "--output", to]));
        fs::read(to).unwrap()
    };
    for (name, (sum, file)) in ARTEFACTS.into_iter().zip(sums) {
        let pulled = pull(&format!("{place}/stratalog/{name}:{version}"), &path(file));
        assert_eq!(sha256(&path(file)), sum, "{name}");
        assert_eq!(pulled, fs::read(released(&repository, &version, file)).unwrap(), "{name}");
        let by_digest = said.lines().find(|line| line.contains(&format!("/{name}@sha256:")));
        assert_eq!(pull(by_digest.unwrap(), &path("by-digest")), pulled, "{name}");
        // The name by which other packages depend on it.
        let package = format!("stratalog:{name}@{version}");
        let get = ["get", &package, "--format", "wasm", "--overwrite", "--output"];
        done(&mut registry.wkg(&[&get[..], &[&path("by-name")]].concat()));
        assert_eq!(fs::read(path("by-name")).unwrap(), pulled, "{name}");

        let manifest = json_of(&registry, name);
        let annotations = &manifest["annotations"];
        assert_eq!(annotations["org.opencontainers.image.licenses"], "Apache-2.0");
        for kind in ["created", "description", "revision", "source"] {
            let value = &annotations[format!("org.opencontainers.image.{kind}")];
            assert!(value.as_str().is_some_and(|text| text.len() > 10), "{name}: {manifest}");
        }
        assert_eq!(manifest["layers"][0]["digest"], format!("sha256:{sum}"));
    }
    run_pulled(&path("log-component.wasm"), &path("log-fs.wasm"));
    fetch_as_dependency(&registry, &version);

    // A version is published once.
    let again = publish(&[]).output().unwrap();
    assert_refused(&again, &["/tests/stratalog/log:", "exists: raise the version", "--resume"]);
    let said = done(&mut publish(&["--resume"]));
    assert_eq!(said.matches(" is there").count(), ARTEFACTS.len(), "{said}");
    let other = format!("{place}/stratalog/log-fs:{version}");
    done(&mut registry.wkg(&["oci", "push", &other, &path("fs-store.wasm")]));
    let again = publish(&["--resume"]).output().unwrap();
    assert_refused(&again, &["log-fs:", "exists with other bytes: raise the version"]);
}

fn json_of(registry: &Registry, name: &str) -> Value {
    let tags = format!("tests/stratalog/{name}");
    let version = env!("CARGO_PKG_VERSION");
    serde_json::from_str(&registry.manifest(&tags, version)).unwrap()
}

fn released(repository: &Repository, version: &str, file: &str) -> PathBuf {
    repository.path(&format!("target/release-{version}/{file}"))
}

fn sha256(path: &str) -> String {
    let inspected = done(Command::new("sha256sum").arg(path));
    inspected.split(' ').next().unwrap().to_owned()
}

/// Runs the pulled log on this host, and joined with a plugin on one that has only WASI.
fn run_pulled(log: &str, with_store: &str) {
    let (folder, name) = fresh();
    ok(&["append", "--component", log, &name], &numbered(0..30));
    assert_eq!(ok(&["read", "--component", log, &name], ""), numbered(0..30));
    let options = ["--component", with_store];
    let app = joined(&plugins::rust("scripted"), &folder.path().join("app.wasm"), &options);
    let said = run_on_wasi(&app, folder.path(), &["stat=log", "verify=log"], b"");
    assert!(said.starts_with("stat=log: 30 events\n"), "{said}");
}

/// Makes a package that depends on the WIT, with nothing but the registry.
fn fetch_as_dependency(registry: &Registry, version: &str) {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("wit")).unwrap();
    let world = format!(
        "package acme:shop@1.0.0;\nworld shop {{ import stratalog:log/append-log@{version}; }}\n"
    );
    fs::write(folder.path().join("wit/world.wit"), world).unwrap();
    for words in [&["fetch"][..], &["build", "--output", "shop.wasm"]] {
        done(registry.wkg(words).current_dir(folder.path()));
    }
    let fetched = folder.path().join(format!("wit/deps/stratalog-log-{version}/package.wit"));
    assert!(fs::read_to_string(fetched).unwrap().contains("interface append-log {"));
    let lock = fs::read_to_string(folder.path().join("wkg.lock")).unwrap();
    assert!(lock.contains("name = \"stratalog:log\""), "{lock}");
}

#[test]
fn release_that_is_not_one_commit_of_one_version_is_refused() {
    let repository = Repository::new();
    let refused = |words: &[&str]| {
        let ended = repository.publish(&["--dry-run"]).env("WKG", "/no/wkg").output().unwrap();
        assert_refused(&ended, words);
    };
    // All that is wrong here is that there is no wkg.
    refused(&["cannot run /no/wkg"]);
    let version = env!("CARGO_PKG_VERSION");
    let other = format!("version = \"{version}\"");
    repository.replace("Cargo.toml", &other, "version = \"7.0.0\"");
    refused(&["1 files differ from the commit, Cargo.toml first: commit or remove them"]);
    repository.commit();
    refused(&["wit/world.wit has version", "Cargo's package all has 7.0.0: give both one version"]);
    repository.replace("Cargo.toml", "version = \"7.0.0\"", &other);
    let import = format!("stratalog:log/append-log@{version}");
    repository.replace("adapters/wit/worlds.wit", &import, "stratalog:log/append-log@7.0.1");
    repository.commit();
    refused(&["adapters/wit/worlds.wit has 7.0.1"]);
    repository.replace("adapters/wit/worlds.wit", "stratalog:log/append-log@7.0.1", &import);
    fs::remove_dir_all(repository.path("tests")).unwrap();
    repository.commit();
    refused(&["the interface of", "is not kept: record it by STRATALOG_BLESS=1"]);
}
