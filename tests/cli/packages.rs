//! The packages of crates.io: `host/release/packages` makes them. Building them from their archives
//! takes longer, and is a step of CI.

use std::fs;
use std::path::Path;
use std::process::Command;

use rig::tools::workspace;
use tempfile::TempDir;

use crate::binary::ok;

#[path = "../../host/build/built_files.rs"]
mod built_files;

/// Runs a program, and returns its output.
fn run(command: &mut Command) -> Vec<u8> {
    let ended = command.output().unwrap();
    assert!(ended.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ended.stderr));
    ended.stdout
}

/// Unpacks the archive of a package, and returns its folder.
fn unpacked(folder: &Path, package: &str) -> std::path::PathBuf {
    let name = format!("{package}-{}", env!("CARGO_PKG_VERSION"));
    let archive = folder.join(format!("{name}.crate"));
    run(Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(folder));
    folder.join(name)
}

#[test]
fn packages_have_the_built_components_and_all_else_they_need() {
    let folder = TempDir::new().unwrap();
    let script = workspace().join("host/release/packages");
    run(Command::new(script).arg("--output").arg(folder.path()));

    let library = unpacked(folder.path(), "stratalog");
    let component = folder.path().join("component.wasm");
    ok(&["component", "export", component.to_str().unwrap()], "");
    let guest = fs::read(library.join("built/stratalog_guest.wasm")).unwrap();
    assert!(guest == fs::read(component).unwrap(), "the package has another component");
    assert!(library.join("wit/world.wit").is_file());

    let command_line = unpacked(folder.path(), "stratalog-cli");
    for built in ["stratalog_fs_store.wasm", "component/log.js", "open-logs/run.wasm"] {
        let files = built_files::checked(&command_line.join("built")).unwrap();
        assert!(files.get(built).unwrap().is_file(), "{built}");
    }
    let rules = unpacked(folder.path(), "stratalog-store-rules");
    for package in [&library, &command_line, &rules] {
        assert!(package.join("LICENSE").is_file(), "{}", package.display());
        let manifest = fs::read_to_string(package.join("Cargo.toml")).unwrap();
        for field in ["description", "license", "repository", "rust-version"] {
            assert!(manifest.contains(&format!("\n{field} = ")), "{field}: {manifest}");
        }
        // These build by another cargo, which a package does not need.
        for script in ["build/repository.rs", "build/component.rs", "build/transpile.rs"] {
            assert!(!package.join(script).exists(), "{script} in {}", package.display());
        }
    }
}

#[test]
fn built_file_with_another_digest_is_refused() {
    let folder = TempDir::new().unwrap();
    let sums = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a.wasm\n";
    fs::write(folder.path().join("SHA256SUMS"), sums).unwrap();
    let refused = |text: &str| {
        fs::write(folder.path().join("a.wasm"), text).unwrap();
        built_files::checked(folder.path()).map(drop)
    };
    assert_eq!(refused("abc"), Ok(()));
    let error = refused("abd").unwrap_err();
    assert!(error.contains("a.wasm has the SHA-256 a52d159f"), "{error}");
    assert!(error.contains("unpack the package again"), "{error}");
    let files = {
        fs::write(folder.path().join("a.wasm"), "abc").unwrap();
        built_files::checked(folder.path()).unwrap()
    };
    assert_eq!(files.get("b.wasm").unwrap_err(), "the package has no built file b.wasm");
}
