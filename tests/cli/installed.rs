//! The files that `host/release/install` and `host/release/image` make of the program, and the
//! manual pages.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use rig::backends::say;
use rig::tools::workspace;
use tempfile::TempDir;

use crate::binary::{check, ok};
use crate::commands::commands;

/// Runs a script of `host/release` with the program that is tested.
fn script(name: &str, folder: &Path) {
    let mut script = Command::new(workspace().join("host/release").join(name));
    script.arg(folder).env("PROGRAM", env!("CARGO_BIN_EXE_stratalog")).env_remove("DESTDIR");
    let ended = script.output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn install_writes_the_program_pages_and_completions() {
    let folder = TempDir::new().unwrap();
    script("install", folder.path());
    let has = |path: &str, text: &str| {
        let found = fs::read_to_string(folder.path().join(path)).unwrap();
        assert!(found.contains(text), "{path} has no {text:?}");
    };
    for command in commands() {
        let name = command.name.replace(' ', "-");
        has(&format!("share/man/man1/stratalog-{name}.1"), ".SH SYNOPSIS");
    }
    has("share/man/man1/stratalog.1", "stratalog\\-append(1)");
    for file in ["bash-completion/completions/stratalog", "zsh/site-functions/_stratalog"] {
        has(&format!("share/{file}"), "compact");
    }
    has("share/fish/vendor_completions.d/stratalog.fish", "compact");
    has("share/doc/stratalog/LICENSE", "Apache License");
    let version = Command::new(folder.path().join("bin/stratalog")).arg("--version").output();
    assert_eq!(version.unwrap().stdout, ok(&["--version"], "").into_bytes());
}

#[test]
fn man_names_the_folder_that_cannot_be_written() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let pages = file.join("man1");
    check(&["man", pages.to_str().unwrap()], "", 5, &["cannot write the manual pages to", "man1"]);
}

/// Runs the program in the image, as its user. Only root can.
fn run_in(image: &Path, arguments: &str) -> Output {
    let mut shell = Command::new("sh");
    shell.args(["-c", "echo '{\"n\":1}' | chroot --userspec=65532:65532 \"$@\"", "sh"]);
    shell.arg(image).arg("/usr/bin/stratalog").args(arguments.split(' '));
    shell.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    shell.env("HOME", "/home/stratalog").env("TZ", "Europe/Berlin").output().unwrap()
}

#[test]
fn image_has_all_that_the_program_needs_for_its_user() {
    let recipe = fs::read_to_string(workspace().join("Containerfile")).unwrap();
    for line in [
        "RUN rustup toolchain install && host/release/image /image\n",
        "FROM scratch\nCOPY --from=build /image/ /\nUSER 65532:65532\n",
        "ENTRYPOINT [\"/usr/bin/stratalog\"]\n",
    ] {
        assert!(recipe.contains(line), "Containerfile has no {line:?}");
    }
    let folder = TempDir::new().unwrap();
    let image = folder.path().join("image");
    script("image", &image);
    assert!(!image.join("bin").exists() && !image.join("usr/share/man").exists());
    if !rustix::process::getuid().is_root() {
        say("SKIPPED the program in the image: only root can change its root folder");
        return;
    }
    let ended = run_in(&image, "append /logs/errors");
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{stderr}");
    assert!(stderr.contains("1 event in 1 batch"), "{stderr}");
    assert!(!stderr.contains("warning"), "the cache or a library is missing: {stderr}");
    // This needs the time zones.
    let read = run_in(&image, "read --since today /logs/errors");
    assert_eq!(read.stdout, b"{\"n\":1}\n", "{}", String::from_utf8_lossy(&read.stderr));
}
