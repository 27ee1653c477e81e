//! Packs the plugin kit: the files of new projects, by their paths there. A package has the kit in
//! a folder of its own.
//!
//! The list of files is written, not kept by hand: a file in a folder of the kit is in the program.

use std::fs;
use std::path::Path;

use crate::files_below;

/// A folder of this repository, and its place in a project.
type Place<'a> = (&'a str, &'a str);

/// The interface, which each project has.
const WIT: &[Place<'_>] = &[("plugin-kit/wit", ""), ("wit", "deps/log"), ("wit/deps", "deps")];

/// The projects, each with the name of its list.
const PROJECTS: [(&str, &[Place<'_>]); 3] = [
    ("rust", &[("plugin-kit/templates/rust", ""), ("plugin-kit/rust", "vendor/stratalog-plugin")]),
    ("python", &[("plugin-kit/templates/python", ""), ("plugin-kit/python", "")]),
    ("javascript", &[("plugin-kit/templates/javascript", ""), ("plugin-kit/javascript", "")]),
];

/// Writes lists to the output folder: slices of paths and texts.
pub(crate) fn pack(workspace: &Path, out_dir: &Path) -> Result<(), String> {
    // The folder of the log's WIT has its dependencies, which are taken by themselves.
    let is_wit = |path: &str| path.ends_with(".wit") && !path.starts_with("deps/log/deps/");
    for (name, places, takes) in std::iter::once(("wit", WIT, Some(is_wit)))
        .chain(PROJECTS.map(|(name, places)| (name, places, None)))
    {
        let mut files = Vec::new();
        for (folder, place) in places {
            println!("cargo::rerun-if-changed={}", workspace.join(folder).display());
            files_below::collect(&workspace.join(folder), place, &mut files)?;
        }
        files.sort();
        files.retain(|(path, _)| takes.is_none_or(|takes| takes(path)));
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
