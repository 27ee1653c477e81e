//! The modules of a crate and their imports, found in the text.
//!
//! An import is a path that begins with `crate`, `super`, `self`, a child or an imported module, in
//! an item `use` or elsewhere. Tests of a module do not count.
//!
//! Items are imported from the module that declares them: through the root, a layer could reach
//! each other one.
//!
//! A module and those in it are one thing in several files: a parent calls its children, and a
//! child uses the types of its parent. So a circle counts only if no module of it contains all
//! others: between two children of one parent, or between a module and any part of another one.

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
        Self::of(place, &texts)
    }

    /// Finds the imports in the texts of all modules.
    fn of(place: &str, texts: &BTreeMap<Path, String>) -> Self {
        let known: BTreeSet<Path> = texts.keys().cloned().collect();
        let (mut imports, mut of_root) = (BTreeMap::new(), Vec::new());
        for (module, text) in texts {
            let code = code_of_imports(text);
            let mut paths = paths_in(&code, module);
            if !module.is_empty() {
                let is_known = |path: &Path| !longest_known(path.clone(), &known).is_empty();
                let from_root = paths.iter().filter(|path| !is_known(path));
                let from_root = from_root.map(|path| path.join("::"));
                let renames =
                    ["crate as ", "super as ", "extern crate self", "#[path", "include!("];
                let renames = renames.iter().filter(|rename| code.contains(**rename));
                let found = from_root.chain(renames.map(|rename| (*rename).to_owned()));
                of_root
                    .extend(found.map(|name| format!("{place}: {} -> {name}", module.join("::"))));
            }
            let imported = paths.iter().filter(|path| known.contains(*path)).cloned();
            let named: BTreeSet<Path> = imported.chain(children_of(module, &known)).collect();
            for path in &named {
                paths.extend(paths_by_name(&code, path));
            }
            let targets = paths.into_iter().map(|path| longest_known(path, &known));
            let targets = targets.filter(|target| !target.is_empty() && target != module);
            imports.insert(module.clone(), targets.collect());
        }
        Self { place: place.to_owned(), imports, of_root }
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

    /// Returns circles, each with its modules sorted by name. A circle counts if no module of it
    /// contains all others: a module and those in it may use each other.
    pub(crate) fn circles(&self) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        let mut groups = self.groups(&self.imports.keys().collect());
        while let Some(group) = groups.pop() {
            match group.iter().find(|head| group.iter().all(|module| module.starts_with(head))) {
                // Circles through the head do not count. Others of the group do.
                Some(head) => {
                    let others = group.iter().copied().filter(|module| module != head);
                    groups.extend(self.groups(&others.collect()));
                }
                None => found.push(group.iter().map(|module| module.join("::")).collect()),
            }
        }
        found.sort();
        found
    }

    /// Returns the largest groups among these modules in which each reaches each other.
    fn groups<'a>(&'a self, modules: &BTreeSet<&'a Path>) -> Vec<BTreeSet<&'a Path>> {
        let reach: BTreeMap<&Path, BTreeSet<&Path>> =
            modules.iter().map(|module| (*module, self.reached_from(module, modules))).collect();
        let mut groups = BTreeSet::new();
        for (module, reached) in &reach {
            let both = |other: &&&Path| reach.get(*other).is_some_and(|back| back.contains(module));
            let group: BTreeSet<&Path> = reached.iter().filter(both).copied().collect();
            if group.len() > 1 {
                groups.insert(group);
            }
        }
        groups.into_iter().collect()
    }

    /// Returns the modules that this one reaches through these.
    fn reached_from<'a>(
        &'a self,
        module: &'a Path,
        among: &BTreeSet<&'a Path>,
    ) -> BTreeSet<&'a Path> {
        let mut reached = BTreeSet::new();
        let mut next = vec![module];
        while let Some(module) = next.pop() {
            for target in self.imports.get(module).into_iter().flatten() {
                if among.contains(target) && reached.insert(target) {
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

/// Returns the modules directly in this one.
fn children_of<'a>(module: &'a Path, known: &'a BTreeSet<Path>) -> impl Iterator<Item = Path> + 'a {
    let is_child = |path: &&Path| path.len() == module.len() + 1 && path.starts_with(module);
    known.iter().filter(is_child).cloned()
}

fn longest_known(mut path: Path, known: &BTreeSet<Path>) -> Path {
    while !path.is_empty() && !known.contains(&path) {
        path.pop();
    }
    path
}

/// Returns a source without comments, literals, tests and spaces that do not count.
fn code_of_imports(text: &str) -> String {
    const TESTS: &str = "#[cfg(test)]\nmod tests {";
    let mut code = code(text).replace("r#", "");
    if let Some(start) = code.find(TESTS) {
        let end = code.get(start..).and_then(|tests| tests.find("\n}"));
        code.replace_range(start..end.map_or(code.len(), |length| start + length), "");
    }
    let code: String =
        code.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    code.replace(" ::", "::").replace(":: ", "::")
}

/// Returns the paths that begin with `crate`, `super` or `self`, from the crate's root on.
fn paths_in(code: &str, module: &Path) -> Vec<Path> {
    let mut paths = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        for mut rest in paths_from(code, start) {
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

/// Returns the paths that begin with the name of this module, from the crate's root on.
fn paths_by_name(code: &str, module: &Path) -> Vec<Path> {
    let mut paths = Vec::new();
    if let Some((name, base)) = module.split_last() {
        for rest in paths_from(code, &format!("{name}::")) {
            expand(&base.to_vec(), rest, &mut paths);
        }
    }
    paths
}

/// Iterates over the texts that begin with `start`, where a path begins.
fn paths_from<'a>(code: &'a str, start: &str) -> impl Iterator<Item = &'a str> {
    code.match_indices(start).filter_map(|(at, _)| {
        let (before, text) = code.split_at_checked(at)?;
        let is_within = before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ':'));
        (!is_within).then_some(text)
    })
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

#[cfg(test)]
fn modules(files: &[(&str, &str)]) -> Modules {
    let texts = files.iter().map(|(file, text)| (module_of(file), (*text).to_owned()));
    Modules::of("src", &texts.collect())
}

#[test]
fn circle_within_a_module_and_its_children_does_not_count() {
    let found = modules(&[
        ("a/mod.rs", "mod b; mod c; fn f() { b::g() }"),
        ("a/b.rs", "use super::A; use crate::a::c::C;"),
        ("a/c.rs", "use crate::a::A;"),
    ]);
    assert_eq!(found.circles(), [[""; 0]; 0]);
}

#[test]
fn circle_of_two_children_counts() {
    let found = modules(&[
        ("a.rs", "mod b; mod c; fn f() { b::g() }"),
        ("a/b.rs", "use super::{A, c::C};"),
        ("a/c.rs", "use crate::a::b; fn f() -> b::B { super::g() }"),
    ]);
    assert_eq!(found.circles(), [["a::b", "a::c"]]);
}

#[test]
fn circle_through_a_child_counts() {
    let by_parent = modules(&[
        ("a.rs", "mod b; fn f() { b::g() }"),
        ("a/b.rs", "use crate::c::C;"),
        ("c.rs", "fn f() -> crate::a::A {}"),
    ]);
    assert_eq!(by_parent.circles(), [["a", "a::b", "c"]]);
    let by_child = modules(&[
        ("a.rs", "mod b; use crate::c::C;"),
        ("a/b.rs", "use super::A;"),
        ("c.rs", "use crate::a; fn f() -> a::b::B {}"),
    ]);
    assert_eq!(by_child.circles(), [["a", "a::b", "c"]]);
}

#[test]
fn imports_from_above_and_from_the_root_are_found() {
    let found = modules(&[
        ("lib.rs", "mod low; mod between; mod high;"),
        ("low.rs", "use crate::between::B;"),
        ("between.rs", "use crate::high; fn f() -> high::inner::H {}"),
        ("high/mod.rs", "use crate::{Item, low::L};"),
        ("high/inner.rs", "#[cfg(test)]\nmod tests {\n    use crate::Item;\n}"),
    ]);
    assert_eq!(found.upward(&["low", "high"]), ["src: low -> high", "src: low -> high::inner"]);
    assert_eq!(found.imports_of_root(), ["src: high -> Item"]);
}
