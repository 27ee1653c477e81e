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
        .filter(|(distance, other)| *distance <= allowed(name) && is_typing_error(name, other))
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

/// Returns whether one name may be typed by mistake for the other. Names that differ in their
/// numbers only, such as log1 and log2, are meant as they are, and so are names of one letter.
fn is_typing_error(name: &str, other: &str) -> bool {
    let without_digits = |name: &str| name.replace(|c: char| c.is_ascii_digit(), "").to_lowercase();
    let has_digits = |name: &str| name.contains(|c: char| c.is_ascii_digit());
    let is_numbered = has_digits(name) && has_digits(other);
    let differs_in_letters = without_digits(name) != without_digits(other);
    other != name && name.chars().count() > 1 && (differs_in_letters || !is_numbered)
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
            ("log1", "log", true),
            ("logs1", "log1", true),
            ("log1", "log2", false),
            ("log9", "log10", false),
            ("app-2026-01-31", "app-2026-02-01", false),
            ("a", "b", false),
            ("app", "web", false),
            ("errors", "trials", false),
        ];
        for (typed, other, is_similar) in table {
            let found = distance(typed, other) <= allowed(typed) && is_typing_error(typed, other);
            assert_eq!(found, is_similar, "{typed} {other}");
        }
    }
}
