//! The place of the root: a folder that the host opens, or one below it.
//!
//! Must not know: any folder but by its name.
//!
//! 1. Without a setting, the root is the first folder that the host opens.
//! 2. `STRATALOG_ROOT` names a folder below that. An absolute path names one below the folder that
//!    has the longest matching name.

use std::fmt;
use std::rc::Rc;

use stratalog_store_rules::error::{StoreError, StoreErrorKind};
use stratalog_store_rules::key;

/// The variable of the environment that names the root.
pub const ROOT_VARIABLE: &str = "STRATALOG_ROOT";

/// A folder that the host opens, by its number, and the root below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootPath {
    pub opened: usize,
    /// Segments joined by `/`; empty for the opened folder itself.
    pub below: String,
    /// The root for messages.
    pub place: Place,
}

/// A path as the program sees it, for messages. It begins with the name of a folder that the host
/// opened, which is another path outside of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    opened: Rc<str>,
    path: String,
}

impl Place {
    /// Returns the place of a folder that the host opened under this name.
    pub fn of_opened(name: &str) -> Self {
        Self { opened: name.into(), path: name.to_owned() }
    }

    /// Returns the place of a key below this one; of this one for an empty key.
    pub fn join(&self, key: &str) -> Self {
        Self { opened: self.opened.clone(), path: join(&self.path, key) }
    }

    /// Returns the folder of this place. That of an opened folder is itself.
    pub fn folder(&self) -> Self {
        let path = if self.is_opened() { &self.path } else { parent(&self.path) };
        Self { opened: self.opened.clone(), path: path.to_owned() }
    }

    fn is_opened(&self) -> bool {
        self.path.trim_end_matches('/') == self.opened.trim_end_matches('/')
    }

    /// Returns the place for a user of the host, who knows the opened folder by another path.
    pub fn for_the_user(&self) -> String {
        let Self { opened, path } = self;
        let folder = format!("the folder that the host opened as {opened} (`--dir`)");
        if self.is_opened() { folder } else { format!("{path} below {folder}") }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

/// Finds the root among the names of the folders that the host opens.
///
/// # Errors
/// Kind `permission-denied` if there are none, and `invalid` for a setting that cannot be used.
pub fn find(opened: &[&str], wanted: Option<&str>) -> Result<RootPath, StoreError> {
    let Some(first) = opened.first() else {
        let message = "cannot open the folder of the store: the host opened no folder; run it with \
                       one, as in `wasmtime run --dir ./store::/`";
        return Err(StoreError::new(StoreErrorKind::PermissionDenied, message));
    };
    let wanted = wanted.unwrap_or_default();
    if wanted.contains("://") {
        return Err(unusable(wanted, "it is a URL, and the store of this program is a folder"));
    }
    let below = |name: &str| below(name, wanted).map(str::to_owned);
    let found = if wanted.starts_with('/') {
        let fitting = opened.iter().enumerate();
        let fitting = fitting.filter_map(|(number, name)| Some((number, *name, below(name)?)));
        fitting.max_by_key(|(number, name, _)| (name.len(), usize::MAX - number))
    } else {
        let stripped = wanted.strip_prefix("./").unwrap_or(wanted);
        let stripped = if stripped == "." { "" } else { stripped };
        Some((0, *first, stripped.trim_end_matches('/').to_owned()))
    };
    let Some((opened_number, name, below)) = found else {
        let names = opened.join(", ");
        return Err(unusable(wanted, &format!("the host opened only {names}")));
    };
    if below.contains('\\') {
        return Err(unusable(wanted, "it has a backslash, which is a slash on some hosts"));
    }
    if !below.is_empty()
        && let Err(error) = key::check(&below)
    {
        return Err(unusable(wanted, &error.message));
    }
    let place = Place::of_opened(name).join(&below);
    Ok(RootPath { opened: opened_number, place, below })
}

/// Returns the part of an absolute path below a folder.
fn below<'a>(folder: &str, path: &'a str) -> Option<&'a str> {
    let rest = path.strip_prefix(folder.trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_matches('/'))
}

/// Joins a path and a key.
fn join(path: &str, key: &str) -> String {
    match (path.trim_end_matches('/'), key) {
        (_, "") => path.to_owned(),
        (path, key) => format!("{path}/{key}"),
    }
}

/// Returns the folder of a path.
fn parent(path: &str) -> &str {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) => "/",
        Some((parent, _)) => parent,
        None => path,
    }
}

fn unusable(wanted: &str, reason: &str) -> StoreError {
    let message = format!(
        "cannot use {ROOT_VARIABLE}={wanted:?}: {reason}; name a folder below one that the host \
         opened"
    );
    StoreError::new(StoreErrorKind::Invalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(opened: &[&str], wanted: Option<&str>) -> Option<(usize, String, String)> {
        let found = find(opened, wanted).ok()?;
        Some((found.opened, found.below, found.place.to_string()))
    }

    fn root(opened: usize, below: &str, path: &str) -> Option<(usize, String, String)> {
        Some((opened, below.to_owned(), path.to_owned()))
    }

    #[test]
    fn root_is_the_first_folder_or_one_below() {
        assert_eq!(found(&["/", "/tmp"], None), root(0, "", "/"));
        assert_eq!(found(&["/", "/tmp"], Some("")), root(0, "", "/"));
        assert_eq!(found(&["/"], Some("app/logs/")), root(0, "app/logs", "/app/logs"));
        assert_eq!(found(&["data"], Some("./app")), root(0, "app", "data/app"));
        assert_eq!(found(&["."], Some(".")), root(0, "", "."));
        // An object may not have this name, but a folder may.
        assert_eq!(found(&["/"], Some("x#1")), root(0, "x#1", "/x#1"));
    }

    #[test]
    fn absolute_root_is_below_the_folder_that_contains_it() {
        let opened = ["/", "/data", "/data/logs"];
        assert_eq!(found(&opened, Some("/data/logs/a")), root(2, "a", "/data/logs/a"));
        assert_eq!(found(&opened, Some("/data/logs2")), root(1, "logs2", "/data/logs2"));
        assert_eq!(found(&opened, Some("/data")), root(1, "", "/data"));
        assert_eq!(found(&opened, Some("/else")), root(0, "else", "/else"));
        assert_eq!(found(&["/data"], Some("/else")), None);
    }

    #[test]
    fn parent_of_a_path_is_the_folder_above() {
        let table = [("/a/b", "/a"), ("/a", "/"), ("/", "/"), ("a/b/", "a"), ("data", "data")];
        for (path, above) in table {
            assert_eq!(parent(path), above, "{path}");
        }
    }

    #[test]
    fn place_for_the_user_tells_the_opened_folder_from_those_below() {
        for (opened, key, folder, of_folder) in [
            ("/", "log/a", "/log", "/log below the folder that the host opened as / (`--dir`)"),
            ("/", "log", "/", "the folder that the host opened as / (`--dir`)"),
            ("/", "", "/", "the folder that the host opened as / (`--dir`)"),
            ("data/", "log", "data", "the folder that the host opened as data/ (`--dir`)"),
            ("/a/b", "", "/a/b", "the folder that the host opened as /a/b (`--dir`)"),
            (".", "x/log", "./x", "./x below the folder that the host opened as . (`--dir`)"),
        ] {
            let place = Place::of_opened(opened).join(key).folder();
            assert_eq!(place.to_string(), folder, "{opened} {key}");
            assert_eq!(place.for_the_user(), of_folder, "{opened} {key}");
        }
    }

    #[test]
    fn root_that_cannot_be_used_is_refused() {
        let kind = |opened: &[&str], wanted| find(opened, wanted).unwrap_err().kind;
        assert_eq!(kind(&[], None), StoreErrorKind::PermissionDenied);
        for wanted in ["s3://b/a", "../up", "a/../b", "/data/../etc", "a//b", "a\\b", "/data/a\\b"]
        {
            assert_eq!(kind(&["/data"], Some(wanted)), StoreErrorKind::Invalid, "{wanted}");
        }
    }
}
