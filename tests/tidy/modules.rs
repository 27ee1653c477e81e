//! The modules of a crate and their imports, found in the text.
//!
//! An import is a path that begins with `crate`, `super` or `self`, in an item `use` or elsewhere.
//! Tests of a module and arrows between a module and its own children do not count.
//!
//! Items are imported from the module that declares them: through the root, a layer could reach
//! each other one.

use std::collections::{BTreeMap, BTreeSet};

use super::literals::code;
use super::sources::sources;

type Path = Vec<String>;

pub(crate) struct Modules {
    place: String,
    imports: BTreeMap<Path, BTreeSet<Path>>,
    /// Imports from the root, or by another name of it.
    of_root: Vec<String>,
}

impl Modules {
    /// Finds the modules of the crate whose sources are in this folder.
    pub(crate) fn below(place: &str) -> Self {
        let prefix = format!("{place}/");
        let mut texts = BTreeMap::new();
        for source in sources(&["rs"]) {
            let Some(file) = source.path.strip_prefix(&prefix) else { continue };
            let is_test = file.split('/').any(|part| ["tests", "tests.rs"].contains(&part));
            if !is_test {
                texts.insert(module_of(file), source.text);
            }
        }
        let known: BTreeSet<Path> = texts.keys().cloned().collect();
        let mut of_root = Vec::new();
        for (module, text) in texts.iter().filter(|(module, _)| !module.is_empty()) {
            let paths = paths_in(text, module).into_iter();
            let from_root = paths.filter(|path| longest_known(path.clone(), &known).is_empty());
            let from_root = from_root.map(|path| path.join("::"));
            let code = code(text);
            let renames = ["crate as ", "super as ", "extern crate self", "#[path", "include!("];
            let renames = renames.iter().filter(|rename| code.contains(**rename));
            let found = from_root.chain(renames.map(|rename| (*rename).to_owned()));
            of_root.extend(found.map(|name| format!("{place}: {} -> {name}", module.join("::"))));
        }
        let imports = texts.iter().map(|(module, text)| {
            let mut targets: BTreeSet<Path> = paths_in(text, module)
                .into_iter()
                .map(|path| longest_known(path, &known))
                .filter(|target| !target.is_empty() && target != module)
                .collect();
            targets.retain(|target| !is_parent(target, module) && !is_parent(module, target));
            (module.clone(), targets)
        });
        Self { place: place.to_owned(), imports: imports.collect(), of_root }
    }

    /// Returns imports that name no module, each as `PLACE: MODULE -> ITEM`.
    pub(crate) fn imports_of_root(&self) -> &[String] {
        &self.of_root
    }

    /// Returns imports from a layer above, by the crate's layers from below, directly or through
    /// modules of no layer.
    pub(crate) fn upward(&self, layers: &[&str]) -> Vec<String> {
        let floor =
            |path: &Path| layers.iter().position(|layer| path.first().is_some_and(|p| p == layer));
        let mut found = Vec::new();
        for module in self.imports.keys() {
            let Some(from) = floor(module) else { continue };
            let (mut next, mut passed) = (vec![module], BTreeSet::new());
            while let Some(at) = next.pop() {
                for target in self.imports.get(at).into_iter().flatten() {
                    match floor(target) {
                        Some(to) if to > from => {
                            let (from, to) = (module.join("::"), target.join("::"));
                            found.push(format!("{}: {from} -> {to}", self.place));
                        }
                        None if passed.insert(target) => next.push(target),
                        _ => {}
                    }
                }
            }
        }
        found
    }

    /// Returns modules that reach each other, each circle sorted by name.
    pub(crate) fn circles(&self) -> Vec<Vec<String>> {
        let reach: BTreeMap<&Path, BTreeSet<&Path>> =
            self.imports.keys().map(|module| (module, self.reached_from(module))).collect();
        let mut circles = BTreeSet::new();
        for (module, reached) in &reach {
            let both =
                |other: &&&Path| reach.get(**other).is_some_and(|back| back.contains(module));
            let circle: Vec<String> =
                reached.iter().filter(both).map(|path| path.join("::")).collect();
            if circle.len() > 1 {
                circles.insert(circle);
            }
        }
        circles.into_iter().collect()
    }

    fn reached_from<'a>(&'a self, module: &'a Path) -> BTreeSet<&'a Path> {
        let mut reached = BTreeSet::new();
        let mut next = vec![module];
        while let Some(module) = next.pop() {
            for target in self.imports.get(module).into_iter().flatten() {
                if reached.insert(target) {
                    next.push(target);
                }
            }
        }
        reached
    }
}

fn module_of(file: &str) -> Path {
    let mut path: Path = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if path.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        path.pop();
    }
    path
}

fn is_parent(parent: &Path, child: &Path) -> bool {
    child.starts_with(parent)
}

fn longest_known(mut path: Path, known: &BTreeSet<Path>) -> Path {
    while !path.is_empty() && !known.contains(&path) {
        path.pop();
    }
    path
}

/// Returns the paths that the text names, from the crate's root on. Comments, literals and tests
/// are left out.
fn paths_in(text: &str, module: &Path) -> Vec<Path> {
    const TESTS: &str = "#[cfg(test)]\nmod tests {";
    let mut code = code(text).replace("r#", "");
    if let Some(start) = code.find(TESTS) {
        let end = code.get(start..).and_then(|tests| tests.find("\n}"));
        code.replace_range(start..end.map_or(code.len(), |length| start + length), "");
    }
    let code: String =
        code.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let code = code.replace(" ::", "::").replace(":: ", "::");
    let mut paths = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(start) {
            let before = code.get(..at).and_then(|before| before.chars().next_back());
            if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':')) {
                continue;
            }
            let mut rest = code.get(at..).unwrap_or_default();
            let mut base = module.clone();
            if let Some(behind) = rest.strip_prefix("crate::") {
                (base, rest) = (Vec::new(), behind);
            }
            while let Some(behind) = rest.strip_prefix("super::") {
                base.pop();
                rest = behind;
            }
            rest = rest.strip_prefix("self::").unwrap_or(rest);
            expand(&base, rest, &mut paths);
        }
    }
    paths
}

/// Parses `a::b::{c, d::E}` behind a known beginning.
fn expand(base: &Path, text: &str, paths: &mut Vec<Path>) {
    let mut path = base.clone();
    let mut rest = text.trim_start();
    loop {
        if let Some(list) = rest.strip_prefix('{') {
            for item in items(list) {
                expand(&path, item, paths);
            }
            return;
        }
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        if !name.is_empty() && name != "self" {
            path.push(name.to_owned());
        }
        match behind.strip_prefix("::") {
            Some(more) if !name.is_empty() => rest = more,
            _ => break,
        }
    }
    paths.push(path);
}

/// Returns the items of a list in braces. The text begins after the first brace.
fn items(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut found) = (0_u32, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                found.extend(list.get(start..at));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                found.extend(list.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    found.into_iter().map(str::trim).filter(|item| !item.is_empty()).collect()
}
