//! The files of the repository.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders of what is built, fetched, or fixed permanently.
const LEFT_OUT: [&str; 4] = ["target", ".git", "node_modules", "corpus"];

pub(crate) struct Source {
    /// Below the repository's root.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// Returns the ending of the file's name, or `sh` for a script without one.
    pub(crate) fn ending(&self) -> String {
        ending(&root().join(&self.path))
    }

    /// Iterates over the lines, counted from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }
}

/// Returns the repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Returns all files with these endings, sorted by path. Leaves out copies of published files, and
/// golden ones, which programs have written.
pub(crate) fn sources(endings: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    walk(&root(), &mut |path| {
        let is_copied =
            path.iter().any(|part| part == "deps") || path.starts_with(root().join("tests/golden"));
        if !is_copied && !path.is_symlink() && endings.contains(&ending(path).as_str()) {
            found.push(Source { path: below_root(path), text: fs::read_to_string(path).unwrap() });
        }
    });
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 10, "few files: is {} the repository?", root().display());
    found
}

/// Returns the ending of a file's name. A script without one counts as `sh`.
fn ending(path: &Path) -> String {
    match path.extension() {
        Some(ending) => ending.to_string_lossy().into_owned(),
        None if fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"#!")) => "sh".to_owned(),
        None => String::new(),
    }
}

/// Returns the paths of all symbolic links.
pub(crate) fn links() -> Vec<String> {
    let mut found = Vec::new();
    walk(&root(), &mut |path| {
        if path.is_symlink() {
            found.push(below_root(path));
        }
    });
    found
}

fn below_root(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().into_owned()
}

/// Visits all files and links.
fn walk(folder: &Path, visit: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        if path.is_symlink() || !path.is_dir() {
            visit(&path);
        } else if !path.join("CACHEDIR.TAG").exists() {
            // With that file, it is a target folder of another name.
            walk(&path, visit);
        }
    }
}
