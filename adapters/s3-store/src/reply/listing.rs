//! Pages of listings.
//!
//! 1. Every object has a size.
//! 2. Keys are in order.

use std::mem;

use stratalog_store_rules::objects::{EntryKind, ListedObject};
use stratalog_store_rules::reply::listing::{A_LISTING, Listing, check};
use stratalog_store_rules::reply::wrong::WrongReply;

use crate::exchange::Answer;
use crate::reply::check_status;

/// A page of a listing. The keys are those of the bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// Objects and folders, sorted.
    pub entries: Vec<ListedObject>,
    /// The start of the next page, if there is one.
    pub token: Option<String>,
}

/// Reads a page of the listing of `prefix` that begins at `token`.
///
/// # Errors
/// An answer to another request, or of another form.
pub fn read(prefix: &str, token: Option<&str>, answer: &Answer) -> Result<Page, WrongReply> {
    check_status(A_LISTING, answer)?;
    let (prefix, token) = (prefix.to_owned(), token.map(str::to_owned));
    let asked = Listing { is_azure: false, prefix, token };
    let (mut objects, mut folders) = (Vec::new(), Vec::new());
    let mut bad_size = None;
    let (mut key, mut size, mut folder) = (String::new(), String::new(), String::new());
    let token = check(&asked, &answer.body, |path, text| match path {
        "Contents/Key" => text.clone_into(&mut key),
        "Contents/Size" => text.trim().clone_into(&mut size),
        "Contents" => {
            let (key, size) = (mem::take(&mut key), mem::take(&mut size).parse().ok());
            if size.is_none() {
                bad_size = Some(key.clone());
            }
            let size = size.unwrap_or_default();
            objects.push(ListedObject { key, size, kind: EntryKind::Object });
        }
        "CommonPrefixes/Prefix" => text.clone_into(&mut folder),
        "CommonPrefixes" => {
            let key = mem::take(&mut folder);
            folders.push(ListedObject { key, size: 0, kind: EntryKind::Folder });
        }
        _ => {}
    })?;
    if let Some(key) = bad_size {
        return Err(WrongReply::other(A_LISTING, format!("{key:?} has no size")));
    }
    let is_sorted = |entries: &[ListedObject]| entries.is_sorted_by(|a, b| a.key < b.key);
    if !is_sorted(&objects) || !is_sorted(&folders) {
        return Err(WrongReply::other(A_LISTING, "the keys are out of order"));
    }
    let mut entries = objects;
    entries.extend(folders);
    entries.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    Ok(Page { entries, token })
}
