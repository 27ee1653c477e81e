//! The changes of the interface that an earlier version of its series rules out.

use std::collections::BTreeSet;

use semver::{Version, VersionReq};

use super::form::{Form, Interface, Item, World};

/// The world whose imports a host or a store provides, and whose exports a host calls. The imports
/// of all other worlds are provided by the host, and may grow.
const COMPONENT: &str = "log-component";

/// Returns true if what was made for `earlier` must run on `later`.
pub(super) fn is_of_series(earlier: &Version, later: &Version) -> bool {
    let series = VersionReq::parse(&format!("^{earlier}")).unwrap();
    series.matches(later)
}

/// Returns each change since an earlier version of the series that breaks what was made for it, or
/// that does not say in which version it was made.
pub(super) fn broken(earlier: &Form, today: &Form) -> Vec<String> {
    let changes = Changes { earlier, today };
    let mut found = Vec::new();
    for (name, was) in &earlier.interfaces {
        match today.interfaces.get(name) {
            Some(is) => changes.of_interface(name, was, is, &mut found),
            None => found.push(format!("interface {name}: it is gone")),
        }
    }
    for (name, is) in &today.interfaces {
        if !earlier.interfaces.contains_key(name) {
            found.extend(changes.undated(&format!("interface {name}"), is.since.as_ref()));
        }
    }
    for (name, was) in &earlier.worlds {
        match today.worlds.get(name) {
            Some(is) => changes.of_world(name, was, is, &mut found),
            None => found.push(format!("world {name}: it is gone")),
        }
    }
    for (name, is) in &today.worlds {
        if !earlier.worlds.contains_key(name) {
            found.extend(changes.undated(&format!("world {name}"), is.since.as_ref()));
        }
    }
    found
}

/// Returns the items that do not say since which version they are there, or name a later one than
/// that of the package.
pub(super) fn undated(form: &Form) -> Vec<String> {
    let mut dated = Vec::new();
    for (name, interface) in &form.interfaces {
        dated.push((format!("interface {name}"), interface.since.as_ref()));
        let items = interface.items.iter().filter(|(_, item)| !item.is_use);
        dated.extend(items.map(|(item, is)| (format!("{name}: {item}"), is.since.as_ref())));
    }
    dated.extend(form.worlds.iter().map(|(name, is)| (format!("world {name}"), is.since.as_ref())));
    let wrong = dated.into_iter().filter(|(_, since)| since.is_none_or(|it| it > &form.version));
    wrong.map(|(what, _)| format!("{what} has no `@since(version = {})`", form.version)).collect()
}

struct Changes<'a> {
    earlier: &'a Form,
    today: &'a Form,
}

impl Changes<'_> {
    fn of_interface(&self, name: &str, was: &Interface, is: &Interface, found: &mut Vec<String>) {
        for (item, Item { text, .. }) in &was.items {
            match is.items.get(item) {
                Some(now) if now.text == *text => {}
                Some(now) => {
                    found.push(format!("{name}: {item} was `{text}` and is `{}`", now.text));
                }
                None => found.push(format!("{name}: {item} is gone")),
            }
        }
        let provided = self.earlier.worlds.get(COMPONENT).map(|world| &world.imports);
        for (item, now) in is.items.iter().filter(|(item, _)| !was.items.contains_key(*item)) {
            let is_provided = provided.is_some_and(|imports| imports.contains(name));
            if is_provided && item.starts_with("function") {
                found.push(format!(
                    "{name}: {item} is new, and hosts and stores of {} do not have it",
                    self.earlier.version
                ));
            } else if !now.is_use {
                found.extend(self.undated(&format!("{name}: {item}"), now.since.as_ref()));
            }
        }
    }

    fn of_world(&self, name: &str, was: &World, is: &World, found: &mut Vec<String>) {
        let version = &self.earlier.version;
        let mut compare =
            |kind: &str, was: &BTreeSet<String>, is: &BTreeSet<String>, may_grow: bool| {
                for gone in was.difference(is) {
                    found.push(format!("world {name}: the {kind} {gone} is gone"));
                }
                for new in is.difference(was).filter(|_| !may_grow) {
                    let who = match kind {
                        "import" => "hosts and stores",
                        _ => "components",
                    };
                    found.push(format!(
                    "world {name}: the {kind} {new} is new, and {who} of {version} do not have it"
                ));
                }
            };
        compare("import", &was.imports, &is.imports, name != COMPONENT);
        compare("export", &was.exports, &is.exports, name == COMPONENT);
    }

    /// Returns the message for an addition that does not name a version of its own.
    fn undated(&self, what: &str, since: Option<&Version>) -> Option<String> {
        let (earlier, today) = (&self.earlier.version, &self.today.version);
        if today > earlier && since.is_some_and(|since| since > earlier && since <= today) {
            return None;
        }
        let next = match today > earlier {
            true => today.clone(),
            false => Version::new(earlier.major, earlier.minor, earlier.patch + 1),
        };
        Some(format!(
            "{what} is new, and not in {earlier}: mark it `@since(version = {next})` in a package \
             of version {next}"
        ))
    }
}

mod mutants;
