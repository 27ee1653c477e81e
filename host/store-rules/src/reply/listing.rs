//! Pages of listings, of a bucket or a container.
//!
//! 1. A page names its prefix, and every key in it begins with that prefix.
//! 2. A page that states neither its end nor its continuation is not a listing.
//! 3. A page has as many entries as it states. One with an error or a comment in it is not a
//!    listing: the error or comment may replace keys.

use crate::numbers::count;
use crate::reply::document::{decoded, expect_root, is_error};
use crate::reply::wrong::WrongReply;
use crate::reply::xml;
use crate::text::shown;

/// The expected answer.
pub const A_LISTING: &str = "a listing";

/// The difference of a listing with an error in it.
pub const HAS_ERROR: &str = "the body contains an error";

/// The page of a listing that was requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    pub is_azure: bool,
    pub prefix: String,
    /// The server's own token for the start of the page; none for the first page.
    pub token: Option<String>,
}

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

/// Checks a page of a listing, and passes each element to `show`, with its path and its text.
/// Returns the token for the start of the next page, or none for the last page.
///
/// # Errors
/// An answer to another request, or of another form.
pub fn check(
    asked: &Listing,
    body: &[u8],
    mut show: impl FnMut(&str, &str),
) -> Result<Option<String>, WrongReply> {
    let (root, token) = match asked.is_azure {
        true => ("EnumerationResults", "NextMarker"),
        false => ("ListBucketResult", "NextContinuationToken"),
    };
    expect_root(body, &[root], A_LISTING)?;
    let mut page = Page::default();
    let read = xml::walk_without_comments(body, |path, text| {
        show(path, text);
        match path {
            _ if is_error(path) => page.has_error = true,
            "Contents" | "Blobs/Blob" => page.keys += 1,
            "CommonPrefixes" | "Blobs/BlobPrefix" => page.folders += 1,
            "KeyCount" => page.key_count = Some(text.trim().to_owned()),
            "Prefix" => page.prefix = Some(text.to_owned()),
            "EncodingType" => page.is_encoded |= text == "url",
            "IsTruncated" => page.is_truncated = Some(text.trim().to_owned()),
            "Contents/Key"
            | "CommonPrefixes/Prefix"
            | "Blobs/Blob/Name"
            | "Blobs/BlobPrefix/Name"
                if !text.starts_with(&asked.prefix) && page.stray.is_none() =>
            {
                page.stray = Some(text.to_owned());
            }
            _ if path == token => page.token = Some(text.to_owned()),
            _ => {}
        }
    });
    read.map_err(|fault| WrongReply::not_xml(A_LISTING, fault))?;
    page.check(asked)
}

impl Page {
    fn check(self, asked: &Listing) -> Result<Option<String>, WrongReply> {
        let other = |found: String| Err(WrongReply::other(A_LISTING, found));
        let Listing { prefix: wanted, token: last, is_azure } = asked;
        if self.has_error {
            return other(HAS_ERROR.to_owned());
        }
        // S3 counts folders too. Some servers do not.
        if let Some(stated) = &self.key_count
            && stated.parse() != Ok(self.keys)
            && stated.parse() != Ok(self.keys + self.folders)
        {
            let keys = count(self.keys, "key", "keys");
            let folders = count(self.folders, "folder", "folders");
            return other(format!("KeyCount is {}, found {keys} and {folders}", shown(stated)));
        }
        if let Some(prefix) = self.prefix.as_ref().filter(|prefix| *prefix != wanted) {
            // The request did not ask for encoded keys, and a reader would take them literally.
            if self.is_encoded && decoded(prefix) == *wanted {
                return other("the keys are URL-encoded, which was not requested".to_owned());
            }
            return other(format!("found the prefix {:?}, requested {wanted:?}", shown(prefix)));
        }
        if let Some(key) = &self.stray {
            let key = shown(key);
            return other(format!("{key:?} is outside the requested prefix {wanted:?}"));
        }
        // Azure signals the end by the marker alone, which exists and is empty on the last page.
        let is_stated = self.token.is_some();
        let token = self.token.filter(|token| !token.is_empty());
        let continues = match (is_azure, self.is_truncated.as_deref()) {
            (false, Some("true")) => true,
            (true, _) if is_stated => token.is_some(),
            (false, Some("false")) => false,
            _ => return other("neither its end nor a continuation is stated".to_owned()),
        };
        if continues && token.is_none() {
            return other("the page is truncated and has no continuation token".to_owned());
        }
        if token.is_some() && token == *last {
            return other("the continuation token is the requested one".to_owned());
        }
        Ok(token.filter(|_| continues))
    }
}

#[cfg(test)]
mod tests;
