//! Finds logs with names similar to one that does not exist.

use stratalog::store::{EntryKind, Location, Store, StoreError};

/// Limits on the folders that are listed, and on the logs that are named.
const FOLDERS_MAX: usize = 1_000;
const NAMED_MAX: usize = 3;

/// Returns a clause that names logs of a similar name, if there are any. Returns nothing if listing
/// fails: the caller has another error to report.
pub(crate) async fn shown(store: &Store, location: &Location) -> String {
    let found: Vec<String> = similar(store, &location.name)
        .await
        .into_iter()
        .map(|name| Location { root: location.root.clone(), name }.to_string())
        .collect();
    match found.len() {
        0 => String::new(),
        1 => format!("; a log with a similar name: {}", found.concat()),
        _ => format!("; logs with similar names: {}", found.join(", ")),
    }
}

async fn similar(store: &Store, name: &str) -> Vec<String> {
    let Ok(page) = store.list("", None, FOLDERS_MAX).await else { return Vec::new() };
    let folders = page.objects.into_iter().filter(|entry| entry.kind == EntryKind::Folder);
    let names = folders.filter_map(|entry| entry.key.strip_suffix('/').map(str::to_owned));
    let mut close: Vec<(usize, String)> = names
        .map(|other| (distance(name, &other), other))
        .filter(|(distance, other)| *distance <= allowed(name) && other != name)
        .collect();
    close.sort();
    let mut logs = Vec::new();
    for (_, other) in close.into_iter().take(NAMED_MAX) {
        if is_log(store, &other).await.unwrap_or(false) {
            logs.push(other);
        }
    }
    logs
}

/// Returns the number of typing errors that still leave a name similar.
fn allowed(name: &str) -> usize {
    name.chars().count().div_ceil(4).min(3)
}

/// Counts the letters to change, insert, remove or swap. Case is ignored.
fn distance(a: &str, b: &str) -> usize {
    strsim::osa_distance(&a.to_lowercase(), &b.to_lowercase())
}

/// Returns whether an object exists that only a log has. Makes at most three small listings, for a
/// log of any size.
pub(crate) async fn is_log(store: &Store, name: &str) -> Result<bool, StoreError> {
    for kind in ["batch_", "manifest_", "segment_"] {
        let page = store.list(&format!("{name}/{kind}"), None, 1).await?;
        if page.objects.iter().any(|object| object.kind == EntryKind::Object) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_similar_with_few_typing_errors() {
        let table = [
            ("jornal", "journal", true),
            ("jounral", "journal", true),
            ("Journal", "journal", true),
            ("errors", "error", true),
            ("j4", "j5", true),
            ("a", "b", true),
            ("app", "web", false),
            ("errors", "trials", false),
        ];
        for (typed, other, is_similar) in table {
            assert_eq!(distance(typed, other) <= allowed(typed), is_similar, "{typed} {other}");
        }
    }
}
