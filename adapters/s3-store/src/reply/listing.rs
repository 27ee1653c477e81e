//! Pages of listings.
//!
//! 1. A page names its prefix, and every key in it begins with that prefix.
//! 2. A page that states neither its end nor its continuation is not a page.
//! 3. Keys are in order, from page to page, too.
//! 4. A page has as many entries as it states. One with an error or a comment in it is not a page:
//!    the error or comment may replace keys.

use std::mem;

use stratalog_store_rules::objects::{EntryKind, ListedObject};

use crate::exchange::Answer;
use crate::reply::{Wrong, expect_root};
use crate::xml;

const PAGE: &str = "a listing";

/// A page of a listing. The keys are those of the bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// Objects and folders, sorted.
    pub entries: Vec<ListedObject>,
    /// The start of the next page, if there is one.
    pub token: Option<String>,
}

/// The elements of a page that are read before they are checked.
#[derive(Default)]
struct Found {
    objects: Vec<ListedObject>,
    folders: Vec<ListedObject>,
    prefix: Option<String>,
    is_truncated: Option<String>,
    token: Option<String>,
    key_count: Option<String>,
    bad_size: Option<String>,
    has_error: bool,
}

/// Reads a page of the listing of `prefix` that begins at `token`.
///
/// # Errors
/// An answer to another request, or of another form.
pub fn read(prefix: &str, token: Option<&str>, answer: &Answer) -> Result<Page, Wrong> {
    if answer.status != 200 {
        return Err(Wrong::status(PAGE, answer));
    }
    expect_root(&answer.body, &["ListBucketResult"], PAGE)?;
    let mut found = Found::default();
    let (mut key, mut size, mut folder) = (String::new(), String::new(), String::new());
    let read = xml::walk_without_comments(&answer.body, |path, text| match path {
        _ if path.rsplit('/').next() == Some("Error") => found.has_error = true,
        "Contents/Key" => text.clone_into(&mut key),
        "Contents/Size" => text.trim().clone_into(&mut size),
        "Contents" => {
            let parsed = size.parse().ok();
            if parsed.is_none() {
                found.bad_size = Some(key.clone());
            }
            let (key, size) = (mem::take(&mut key), parsed.unwrap_or_default());
            found.objects.push(ListedObject { key, size, kind: EntryKind::Object });
        }
        "CommonPrefixes/Prefix" => text.clone_into(&mut folder),
        "CommonPrefixes" => {
            let key = mem::take(&mut folder);
            found.folders.push(ListedObject { key, size: 0, kind: EntryKind::Folder });
        }
        "Prefix" => found.prefix = Some(text.to_owned()),
        "IsTruncated" => found.is_truncated = Some(text.trim().to_owned()),
        "NextContinuationToken" => found.token = Some(text.to_owned()),
        "KeyCount" => found.key_count = Some(text.trim().to_owned()),
        _ => {}
    });
    read.map_err(|fault| Wrong::of(PAGE, fault))?;
    found.check(prefix, token).map_err(|text| Wrong::new(PAGE, text))
}

impl Found {
    fn check(self, wanted: &str, last: Option<&str>) -> Result<Page, String> {
        if self.has_error {
            return Err("the body contains an error".to_owned());
        }
        let (keys, folders) = (self.objects.len(), self.folders.len());
        // S3 counts folders, too. Some servers do not.
        if let Some(count) = &self.key_count
            && count.parse() != Ok(keys)
            && count.parse() != Ok(keys + folders)
        {
            return Err(format!("KeyCount is {count}, found {keys} keys and {folders} folders"));
        }
        if let Some(prefix) = self.prefix.filter(|prefix| prefix != wanted) {
            return Err(format!("found the prefix {prefix:?}, requested {wanted:?}"));
        }
        if let Some(key) = self.bad_size {
            return Err(format!("{key:?} has no size"));
        }
        for entries in [&self.objects, &self.folders] {
            if let Some(entry) = entries.iter().find(|entry| !entry.key.starts_with(wanted)) {
                return Err(format!("{:?} is outside the requested prefix {wanted:?}", entry.key));
            }
            if !entries.is_sorted_by(|a, b| a.key < b.key) {
                return Err("the keys are out of order".to_owned());
            }
        }
        let token = self.token.filter(|token| !token.is_empty());
        let token = match (self.is_truncated.as_deref(), token) {
            (Some("true"), None) => {
                return Err("the page is truncated and has no continuation token".to_owned());
            }
            (Some("true"), token) => token,
            (Some("false"), _) => None,
            _ => return Err("neither its end nor a continuation is stated".to_owned()),
        };
        if token.is_some() && token.as_deref() == last {
            return Err("the continuation token is the requested one".to_owned());
        }
        let mut entries = self.objects;
        entries.extend(self.folders);
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Page { entries, token })
    }
}
