//! Listings: a page of a bucket or a container, and a folder of WebDAV.
//!
//! 1. A listing names its prefix, and every key in it begins with that prefix.
//! 2. A listing that states neither its end nor its continuation is not a listing.
//! 3. A folder's listing names the folder itself.
//! 4. A listing has as many entries as it states. One with an error or a comment in it is not a
//!    listing: the error or comment may replace keys.

use url::Url;

use super::asked::{Folder, Listing, decoded};
use super::{WrongReply, code, shown, xml};
use crate::numbers;

const A_LISTING: &str = "a listing";

/// The content of a page.
#[derive(Default)]
struct Page {
    prefix: Option<String>,
    is_encoded: bool,
    is_truncated: Option<String>,
    token: Option<String>,
    /// The number of entries that the server states, and the numbers that were found.
    key_count: Option<String>,
    keys: u64,
    folders: u64,
    has_error: bool,
    /// The first key, or folder, outside of the listing.
    stray: Option<String>,
}

/// Checks a page of a listing.
pub(super) fn check(asked: &Listing, body: &[u8]) -> Result<(), WrongReply> {
    let (root, token) = match asked.is_azure {
        true => ("EnumerationResults", "NextMarker"),
        false => ("ListBucketResult", "NextContinuationToken"),
    };
    code::expect_root(body, &[root], A_LISTING)?;
    let mut page = Page::default();
    let read = xml::walk_without_comments(body, |path, text| match path {
        _ if is_error(path) => page.has_error = true,
        "Contents" | "Blobs/Blob" => page.keys += 1,
        "CommonPrefixes" | "Blobs/BlobPrefix" => page.folders += 1,
        "KeyCount" => page.key_count = Some(text.trim().to_owned()),
        "Prefix" => page.prefix = Some(text.to_owned()),
        "EncodingType" => page.is_encoded |= text == "url",
        "IsTruncated" => page.is_truncated = Some(text.trim().to_owned()),
        "Contents/Key" | "CommonPrefixes/Prefix" | "Blobs/Blob/Name" | "Blobs/BlobPrefix/Name"
            if !text.starts_with(&asked.prefix) && page.stray.is_none() =>
        {
            page.stray = Some(text.to_owned());
        }
        _ if path == token => page.token = Some(text.to_owned()),
        _ => {}
    });
    read.map_err(|fault| fault.into_wrong(A_LISTING))?;
    page.check(asked)
}

impl Page {
    fn check(&self, asked: &Listing) -> Result<(), WrongReply> {
        let other = |found: String| Err(WrongReply::other(A_LISTING, found));
        let Listing { prefix: wanted, token: last, is_azure } = asked;
        if self.has_error {
            return other(HAS_ERROR.to_owned());
        }
        // S3 counts folders too. Some servers do not.
        if let Some(count) = &self.key_count
            && count.parse() != Ok(self.keys)
            && count.parse() != Ok(self.keys + self.folders)
        {
            let keys = numbers::count(self.keys, "key", "keys");
            let folders = numbers::count(self.folders, "folder", "folders");
            return other(format!("KeyCount is {}, found {keys} and {folders}", shown(count)));
        }
        if let Some(prefix) = self.prefix.as_ref().filter(|prefix| *prefix != wanted) {
            // The request did not ask for encoded keys, and the library would take them literally.
            if self.is_encoded && decoded(prefix) == *wanted {
                return other("the keys are URL-encoded, which was not requested".to_owned());
            }
            return other(format!("found the prefix {:?}, requested {wanted:?}", shown(prefix)));
        }
        if let Some(key) = &self.stray {
            let key = shown(key);
            return other(format!("{key:?} is outside the requested prefix {wanted:?}"));
        }
        let token = self.token.as_deref().filter(|token| !token.is_empty());
        let continues = match (is_azure, self.is_truncated.as_deref()) {
            (false, Some("true")) => true,
            // Azure signals the end by the marker alone, which exists and is empty on the last
            // page.
            (true, _) if self.token.is_some() => token.is_some(),
            (false, Some("false")) => false,
            _ => return other("neither its end nor a continuation is stated".to_owned()),
        };
        if continues && token.is_none() {
            return other("the page is truncated and has no continuation token".to_owned());
        }
        if token.is_some() && token == last.as_deref() {
            return other("the continuation token is the requested one".to_owned());
        }
        Ok(())
    }
}

const HAS_ERROR: &str = "the body contains an error";

/// Returns whether an element is an error of a store. WebDAV's `error`, in small letters, explains
/// why a property is missing.
fn is_error(path: &str) -> bool {
    path.rsplit('/').next() == Some(super::code::ERROR)
}

const A_FOLDER: &str = "a listing of the folder";

/// Checks the answer of WebDAV about a folder and its content.
pub(super) fn check_folder(asked: &Folder, body: &[u8]) -> Result<(), WrongReply> {
    code::expect_root(body, &["multistatus"], A_FOLDER)?;
    let below = format!("{}/", asked.path);
    let (mut has_itself, mut has_error, mut stray) = (false, false, None);
    let read = xml::walk_without_comments(body, |path, text| {
        has_error |= is_error(path);
        if path != "response/href" {
            return;
        }
        let found = path_of(text.trim(), asked.url.as_ref());
        match found {
            Some(found) if found.trim_end_matches('/') == asked.path => has_itself = true,
            Some(found) if found.starts_with(&below) => {}
            _ => stray = stray.take().or_else(|| Some(text.trim().to_owned())),
        }
    });
    read.map_err(|fault| fault.into_wrong(A_FOLDER))?;
    if has_error {
        return Err(WrongReply::other(A_FOLDER, HAS_ERROR));
    }
    let asked = shown(&below);
    if let Some(stray) = stray {
        let found = format!("{:?} is outside the requested folder {asked:?}", shown(&stray));
        return Err(WrongReply::other(A_FOLDER, found));
    }
    if !has_itself {
        return Err(WrongReply::other(A_FOLDER, format!("the folder {asked:?} itself is missing")));
    }
    Ok(())
}

/// Returns the decoded path of a link.
fn path_of(href: &str, base: Option<&Url>) -> Option<String> {
    let url = Url::options().base_url(base).parse(href).ok()?;
    Some(decoded(url.path()))
}
