//! Packs the plugin kit: the files of new projects, by their paths there. A package has the kit in
//! a folder of its own.
//!
//! The list of files is written, not kept by hand: a file in a folder of the kit is in the program.

use std::fs;
use std::path::Path;

use crate::files_below;

/// A folder or a file of this repository, and its place in a project.
type Place<'a> = (&'a str, &'a str);

/// Returns true for the path of a file that is packed.
type Takes = fn(&str) -> bool;

/// The interface, which each project has.
const WIT: &[Place<'_>] = &[("plugin-kit/wit", ""), ("wit", "deps/log"), ("wit/deps", "deps")];

/// The projects, each with the name of its list.
const PROJECTS: [(&str, &[Place<'_>]); 3] = [
    (
        "rust",
        &[
            ("plugin-kit/templates/rust", ""),
            ("plugin-kit/rust", "vendor/stratalog-plugin"),
            // What tests run natively: its manifest is one of the templates.
            ("guest/src", "vendor/stratalog-guest/src"),
            ("wit", "vendor/wit"),
        ],
    ),
    (
        "python",
        &[
            ("plugin-kit/templates/python", ""),
            ("plugin-kit/python", ""),
            // What runs the log's component under Python, without the store of a folder.
            ("examples/python-host/stratalog_host/bounds.py", "stratalog_testing/bounds.py"),
            (
                "examples/python-host/stratalog_host/host_bytes.py",
                "stratalog_testing/host_bytes.py",
            ),
            ("examples/python-host/stratalog_host/lines.py", "stratalog_testing/lines.py"),
            ("examples/python-host/stratalog_host/linking.py", "stratalog_testing/linking.py"),
            (
                "examples/python-host/stratalog_host/store_errors.py",
                "stratalog_testing/store_errors.py",
            ),
        ],
    ),
    ("javascript", &[("plugin-kit/templates/javascript", ""), ("plugin-kit/javascript", "")]),
];

/// Returns true for a file of the interface. The folder of the log's WIT has its dependencies,
/// which are taken by themselves.
fn is_of_wit(path: &str) -> bool {
    path.ends_with(".wit") && !path.starts_with("deps/log/deps/")
}

/// Returns true for a file of a project. The crate for plugins has tests of its own.
fn is_of_project(path: &str) -> bool {
    let is_other_than_wit = path.starts_with("vendor/wit/") && !path.ends_with(".wit");
    !is_other_than_wit && !path.starts_with("vendor/stratalog-plugin/tests/")
}

/// Writes lists to the output folder: slices of paths and texts.
pub(crate) fn pack(workspace: &Path, out_dir: &Path) -> Result<(), String> {
    let takes: Takes = is_of_project;
    let of_projects = PROJECTS.map(|(name, places)| (name, places, takes));
    let of_wit: (&str, _, Takes) = ("wit", WIT, is_of_wit);
    for (name, places, takes) in std::iter::once(of_wit).chain(of_projects) {
        let mut files = Vec::new();
        for (source, place) in places {
            let source = workspace.join(source);
            println!("cargo::rerun-if-changed={}", source.display());
            if source.is_file() {
                files.push(((*place).to_owned(), source));
            } else {
                files_below::collect(&source, place, &mut files)?;
            }
        }
        files.sort();
        files.retain(|(path, _)| takes(path));
        let mut text = "&[\n".to_owned();
        for (path, source) in files {
            text += &format!("    ({path:?}, include_str!({source:?})),\n");
        }
        text += "]\n";
        let list = out_dir.join(format!("kit_{name}.rs"));
        fs::write(&list, text).map_err(|e| format!("cannot write {}: {e}", list.display()))?;
    }
    Ok(())
}
