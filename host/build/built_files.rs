//! The built files in a package: components, and the parts of the page that are made of one.
//!
//! 1. Each has the digest that `SHA256SUMS` names. Nothing else is used.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// The built files of a package, by their paths in its folder.
pub(crate) struct BuiltFiles {
    files: BTreeMap<String, PathBuf>,
}

/// Returns the built files in a folder, once their digests are checked.
pub(crate) fn checked(folder: &Path) -> Result<BuiltFiles, String> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let sums = folder.join("SHA256SUMS");
    let lines = String::from_utf8(read(&sums)?)
        .map_err(|_| format!("{} is not text in UTF-8", sums.display()))?;
    let mut files = BTreeMap::new();
    for line in lines.lines() {
        let (expected, name) = line
            .split_once("  ")
            .ok_or_else(|| format!("{} has a line that is no digest: {line}", sums.display()))?;
        let file = folder.join(name);
        let digest = Sha256::digest(read(&file)?);
        let found: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        if found != expected {
            return Err(format!(
                "{} has the SHA-256 {found}, not {expected}: unpack the package again",
                file.display()
            ));
        }
        files.insert(name.to_owned(), file);
    }
    Ok(BuiltFiles { files })
}

impl BuiltFiles {
    /// Returns the path of a file.
    pub(crate) fn get(&self, name: &str) -> Result<&Path, String> {
        let file = self.files.get(name).map(PathBuf::as_path);
        file.ok_or_else(|| format!("the package has no built file {name}"))
    }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))
}
