//! Listings: a page of a bucket or a container, and a folder of WebDAV.
//!
//! 1. A listing says which prefix it is of, and every key in it begins with that.
//! 2. A listing that says neither that it is all nor where it goes on is none.
//! 3. A folder's listing names the folder itself.

use http::StatusCode;
use url::Url;

use super::asked::{Folder, Listing, decoded};
use super::{WrongReply, shown, xml};

const A_LISTING: &str = "a listing";

/// What was found in a page.
#[derive(Default)]
struct Page {
    prefix: Option<String>,
    is_encoded: bool,
    is_truncated: Option<String>,
    token: Option<String>,
    /// The first key, or folder, that does not belong there.
    stray: Option<String>,
}

/// Checks a page of a listing.
pub(super) fn check(asked: &Listing, body: &[u8]) -> Result<(), WrongReply> {
    let (root, token) = match asked.is_azure {
        true => ("EnumerationResults", "NextMarker"),
        false => ("ListBucketResult", "NextContinuationToken"),
    };
    xml::expect_root(body, &[root], A_LISTING)?;
    let mut page = Page::default();
    let read = xml::walk(body, |path, text| match path {
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
        if let Some(prefix) = self.prefix.as_ref().filter(|prefix| *prefix != wanted) {
            // Nobody asked for encoded keys, and the library would take them as they are.
            if self.is_encoded && decoded(prefix) == *wanted {
                return other("its keys are URL-encoded, which was not asked for".to_owned());
            }
            return other(format!("it is of the prefix {:?}, not {wanted:?}", shown(prefix)));
        }
        if let Some(key) = &self.stray {
            let key = shown(key);
            return other(format!("it names {key:?}, outside the asked prefix {wanted:?}"));
        }
        let token = self.token.as_deref().filter(|token| !token.is_empty());
        let goes_on = match (is_azure, self.is_truncated.as_deref()) {
            (false, Some("true")) => true,
            // Azure says so by the marker alone, which is there and empty on the last page.
            (true, _) if self.token.is_some() => token.is_some(),
            (false, Some("false")) => false,
            _ => return other("it does not say whether it is all".to_owned()),
        };
        if goes_on && token.is_none() {
            return other("it is truncated and does not say where it goes on".to_owned());
        }
        if token.is_some() && token == last.as_deref() {
            return other("it goes on where it began".to_owned());
        }
        Ok(())
    }
}

const A_FOLDER: &str = "a listing of the folder";

/// Checks what WebDAV answers about a folder and what is in it.
pub(super) fn check_folder(
    asked: &Folder,
    status: StatusCode,
    body: &[u8],
) -> Result<(), WrongReply> {
    if status != StatusCode::MULTI_STATUS {
        let found = format!("its status is {status}, not 207");
        return Err(WrongReply::other(A_FOLDER, found));
    }
    xml::expect_root(body, &["multistatus"], A_FOLDER)?;
    let below = format!("{}/", asked.path);
    let (mut has_itself, mut stray) = (false, None);
    let read = xml::walk(body, |path, text| {
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
    let asked = shown(&below);
    if let Some(stray) = stray {
        let found = format!("it names {:?}, outside the asked folder {asked:?}", shown(&stray));
        return Err(WrongReply::other(A_FOLDER, found));
    }
    if !has_itself {
        return Err(WrongReply::other(A_FOLDER, format!("it does not name {asked:?}")));
    }
    Ok(())
}

/// The decoded path of a link.
fn path_of(href: &str, base: Option<&Url>) -> Option<String> {
    let url = Url::options().base_url(base).parse(href).ok()?;
    Some(decoded(url.path()))
}
