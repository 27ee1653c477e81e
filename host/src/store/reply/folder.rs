//! Listings of a folder of WebDAV.
//!
//! 1. A listing names the folder itself, and every link in it is below that.
//! 2. One with an error or a comment in it is not a listing: the error or comment may replace
//!    names.

use stratalog_store_rules::reply::document::{decoded, expect_root, is_error};
use stratalog_store_rules::reply::listing::HAS_ERROR;
use stratalog_store_rules::reply::wrong::WrongReply;
use stratalog_store_rules::reply::xml;
use stratalog_store_rules::text::shown;
use url::Url;

use super::asked::Folder;

const A_FOLDER: &str = "a listing of the folder";

/// Checks the answer of WebDAV about a folder and its content.
pub(super) fn check(asked: &Folder, body: &[u8]) -> Result<(), WrongReply> {
    expect_root(body, &["multistatus"], A_FOLDER)?;
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
    read.map_err(|fault| WrongReply::not_xml(A_FOLDER, fault))?;
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
