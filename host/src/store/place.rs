//! The place of a log's objects, to tell whether two logs lie in each other.

use std::path::{Path, PathBuf};

use super::{Backend, Store};

/// The place of all objects of a log, or of all files of a folder.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The address of a client that this process has open.
    client: Option<usize>,
    /// The segments below the client's root.
    below_client: Vec<String>,
    /// The segments of the whole place, with its scheme and bucket; none if it has no such form.
    whole: Option<Vec<String>>,
}

impl Place {
    /// Returns the place of a local folder.
    pub(crate) fn of_folder(folder: &Path) -> Self {
        let whole = Some(folder_segments(folder));
        Self { client: None, below_client: Vec::new(), whole }
    }

    /// Returns true if one place is the other, or contains it.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let share_client = self.client.is_some() && self.client == other.client;
        if share_client && is_nested(&self.below_client, &other.below_client) {
            return true;
        }
        match (&self.whole, &other.whole) {
            (Some(one), Some(other)) => is_nested(one, other),
            _ => false,
        }
    }
}

impl Store {
    /// Names a log for people.
    pub(crate) fn shown_log(&self, name: &str) -> String {
        format!("{}/{name}", self.description())
    }

    /// Returns the place of a log. Reads links of a local folder, and makes no request.
    pub(crate) fn place_of(&self, name: &str) -> Place {
        let inner = &self.inner;
        let whole = match inner.backend.as_ref() {
            Backend::Folder(folder) => Some(folder_segments(&folder.root().join(name))),
            Backend::Objects { .. } => {
                let url = inner.context.description.split_once("://");
                url.map(|(scheme, rest)| {
                    segments(&format!("{}:/{rest}/{name}", same_for_all(scheme)))
                })
            }
        };
        let client = std::ptr::from_ref(inner.backend.as_ref()).addr();
        let below_client = segments(&format!("{}/{name}", inner.prefix));
        Place { client: Some(client), below_client, whole }
    }
}

/// Returns one scheme for those that name the same stores.
fn same_for_all(scheme: &str) -> String {
    match scheme.to_ascii_lowercase().as_str() {
        "s3a" => "s3".to_owned(),
        "azure" | "adl" | "abfs" | "abfss" => "az".to_owned(),
        scheme => scheme.to_owned(),
    }
}

/// Returns the segments of a path without links, as far as it exists.
fn folder_segments(path: &Path) -> Vec<String> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let found = absolute.ancestors().find_map(|ancestor| {
        let real = ancestor.canonicalize().ok()?;
        Some(real.join(absolute.strip_prefix(ancestor).ok()?))
    });
    let real: PathBuf = found.unwrap_or(absolute);
    let segments = real.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
    ["file:".to_owned()].into_iter().chain(segments).collect()
}

fn segments(text: &str) -> Vec<String> {
    text.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
}

fn is_nested(one: &[String], other: &[String]) -> bool {
    one.iter().zip(other).all(|(one, other)| one == other)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;

    use super::super::{ConditionalCreate, Root, StoreOptions};
    use super::*;

    fn overlap(one: (&Store, &str), other: (&Store, &str)) -> bool {
        let (one, other) = (one.0.place_of(one.1), other.0.place_of(other.1));
        assert_eq!(one.overlaps(&other), other.overlaps(&one));
        one.overlaps(&other)
    }

    #[test]
    fn logs_of_one_store_overlap_if_one_is_in_the_other() {
        let store = Store::memory();
        let clone = store.clone().with_sole_compactor(true);
        assert!(overlap((&store, "a/b"), (&clone, "a/b")));
        assert!(overlap((&store, "a"), (&clone, "a/b")));
        assert!(!overlap((&store, "a/b"), (&clone, "a/bc")));
        assert!(!overlap((&store, "a"), (&Store::memory(), "a")));
    }

    #[test]
    fn folders_overlap_under_any_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| {
            let root = Root::folder(folder.path().join(path));
            Store::open(&root, &StoreOptions::default()).unwrap()
        };
        assert!(overlap((&at("a"), "b/c"), (&at("a/b"), "c")));
        assert!(overlap((&at("a/b"), "c"), (&at("."), "a")));
        assert!(!overlap((&at("a"), "b"), (&at("a"), "c")));
        #[cfg(unix)]
        {
            std::fs::create_dir_all(folder.path().join("real/log")).unwrap();
            std::os::unix::fs::symlink("real", folder.path().join("link")).unwrap();
            assert!(overlap((&at("link"), "log"), (&at("real"), "log")));
            let linked = Place::of_folder(&folder.path().join("link"));
            assert!(linked.overlaps(&at("real").place_of("log")));
        }
    }

    #[test]
    fn urls_overlap_from_several_stores() {
        let at = |url: &str| {
            let objects = Arc::new(InMemory::new());
            Store::from_object_store(objects, url, ConditionalCreate::Honoured)
        };
        assert!(overlap((&at("s3://bucket/app"), "errors"), (&at("s3a://bucket"), "app/errors")));
        assert!(!overlap((&at("s3://bucket/app"), "errors"), (&at("s3://other"), "app/errors")));
    }
}
