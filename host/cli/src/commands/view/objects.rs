//! Serves the objects of the log in the ways that the page knows from buckets: a listing as that of
//! ListObjectsV2, and objects by ranges.
//!
//! 1. Listings are of the log's folder alone, and the objects are those whose names have the form
//!    of a log's objects. Any other is refused here, and the store checks keys again.
//! 2. Memory is bounded: an answer has at most [`GET_BYTES_MAX`] of an object.

use std::fmt::Write as _;
use std::ops::Range;

use hyper::StatusCode;
use hyper::header::{ACCEPT_RANGES, CONTENT_RANGE, HeaderMap, HeaderValue, RANGE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use stratalog::store::{
    EntryKind, GET_BYTES_MAX, LIST_LIMIT_MAX, ListPage, ObjectPart, Store, StoreError,
    StoreErrorKind,
};
use stratalog_store_rules::folder::names::is_object_of_a_log;
use stratalog_store_rules::key;

use super::answer::{Answer, answer, text};
use crate::numbers::{to_u64, to_usize};

/// The characters of keys that listings do not encode. No other needs an escape in XML.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'.').remove(b'/');

pub(super) struct Objects {
    store: Store,
    /// The start of all keys, with the slash.
    folder: String,
}

impl Objects {
    pub(super) fn new(store: Store, log: &str) -> Self {
        Self { store, folder: format!("{log}/") }
    }

    /// Returns one page of a listing.
    pub(super) async fn list(&self, query: &str) -> Answer {
        let Ok(asked) = Asked::parse(query) else {
            let reason = "a listing needs list-type=2, delimiter=/ and a prefix";
            return text(StatusCode::BAD_REQUEST, reason);
        };
        if self.name_of(&asked.prefix).is_none() {
            return text(StatusCode::FORBIDDEN, "the prefix is outside of the log");
        }
        if asked.limit == 0 {
            return answer(StatusCode::OK, "application/xml", xml(&ListPage::default()));
        }
        let mut listing = self.store.listing(&asked.prefix, asked.after.as_deref(), true);
        match listing.next(asked.limit).await {
            Ok(page) => answer(StatusCode::OK, "application/xml", xml(&page)),
            Err(error) => refusal(&error, StatusCode::BAD_REQUEST),
        }
    }

    /// Returns an object, or the part of it that the header `Range` names.
    pub(super) async fn get(&self, path: &str, headers: &HeaderMap) -> Answer {
        let Ok(key) = percent_decode_str(path).decode_utf8() else {
            return text(StatusCode::BAD_REQUEST, "the key is no UTF-8");
        };
        if let Err(error) = key::check(&key) {
            return refusal(&error, StatusCode::BAD_REQUEST);
        }
        if !self.name_of(&key).is_some_and(is_object_of_a_log) {
            return text(StatusCode::NOT_FOUND, "the log has no object of this name");
        }
        let asked = match headers.get(RANGE).map(range) {
            Some(None) => {
                let reason = "the range is none of the form bytes=FIRST-LAST";
                return text(StatusCode::RANGE_NOT_SATISFIABLE, reason);
            }
            Some(asked) => asked,
            None => None,
        };
        let Range { start, end } = asked.clone().unwrap_or(0..GET_BYTES_MAX);
        match self.store.get_part(&key, start, end.saturating_sub(start)).await {
            Ok(part) if asked.is_some() => partial(start, part),
            Ok(ObjectPart { bytes, size }) if to_u64(bytes.len()) == size => whole(bytes),
            Ok(ObjectPart { size, .. }) => text(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("{key} has {size} bytes; request ranges of at most {GET_BYTES_MAX} bytes"),
            ),
            // The key is valid, so the range is not.
            Err(error) => refusal(&error, StatusCode::RANGE_NOT_SATISFIABLE),
        }
    }

    /// Returns the name in a key, or the start of one in a prefix. None if it is not directly in
    /// the log's folder.
    fn name_of<'a>(&self, key: &'a str) -> Option<&'a str> {
        key.strip_prefix(&self.folder).filter(|name| !name.contains('/'))
    }
}

/// The parameters of a listing.
struct Asked {
    prefix: String,
    after: Option<String>,
    limit: usize,
}

impl Asked {
    fn parse(query: &str) -> Result<Self, ()> {
        let mut asked = Self { prefix: String::new(), after: None, limit: LIST_LIMIT_MAX };
        let (mut is_list, mut is_of_folder) = (false, false);
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "list-type" => is_list = value == "2",
                "delimiter" => is_of_folder = value == "/",
                "prefix" => asked.prefix = value.into_owned(),
                // A page continues behind its last key.
                "start-after" | "continuation-token" => asked.after = Some(value.into_owned()),
                "max-keys" => asked.limit = number(&value).map_or(Err(()), |n| Ok(to_usize(n)))?,
                _ => {}
            }
        }
        if is_list && is_of_folder { Ok(asked) } else { Err(()) }
    }
}

/// Returns the range of a header of one range. Without an end, it has as many bytes as are served.
fn range(header: &HeaderValue) -> Option<Range<u64>> {
    let (first, last) = header.to_str().ok()?.strip_prefix("bytes=")?.split_once('-')?;
    let start = number(first)?;
    let end = match last {
        "" => start.checked_add(GET_BYTES_MAX)?,
        last => number(last)?.checked_add(1)?,
    };
    (start < end).then_some(start..end)
}

/// Reads a number of digits alone: Rust would also take a sign.
fn number(digits: &str) -> Option<u64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn whole(bytes: bytes::Bytes) -> Answer {
    let mut whole = answer(StatusCode::OK, "application/octet-stream", bytes);
    whole.headers_mut().insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    whole
}

fn partial(start: u64, ObjectPart { bytes, size }: ObjectPart) -> Answer {
    if bytes.is_empty() {
        return text(StatusCode::RANGE_NOT_SATISFIABLE, "the object is empty");
    }
    let last = start + to_u64(bytes.len()) - 1;
    let mut partial = whole(bytes);
    *partial.status_mut() = StatusCode::PARTIAL_CONTENT;
    // Digits and these signs are valid in a header.
    if let Ok(range) = HeaderValue::from_str(&format!("bytes {start}-{last}/{size}")) {
        partial.headers_mut().insert(CONTENT_RANGE, range);
    }
    partial
}

/// Returns a page as the answer to ListObjectsV2. `Kind` is an addition for entries of a folder
/// that no bucket has.
fn xml(page: &ListPage) -> String {
    let encoded = |key: &str| utf8_percent_encode(key, PLAIN).to_string();
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult>\
                   <EncodingType>url</EncodingType>"
        .to_owned();
    for object in &page.objects {
        let key = encoded(&object.key);
        let kind = match object.kind {
            EntryKind::Folder => {
                xml += &format!("<CommonPrefixes><Prefix>{key}</Prefix></CommonPrefixes>");
                continue;
            }
            EntryKind::Object => "",
            EntryKind::Unfinished => "<Kind>unfinished</Kind>",
            EntryKind::Link => "<Kind>link</Kind>",
            EntryKind::Special => "<Kind>special</Kind>",
        };
        let size = object.size;
        // Writing to a string does not fail.
        write!(xml, "<Contents><Key>{key}</Key><Size>{size}</Size>{kind}</Contents>").ok();
    }
    let last = page.objects.last().filter(|_| page.more);
    write!(xml, "<IsTruncated>{}</IsTruncated>", last.is_some()).ok();
    if let Some(last) = last {
        let token = encoded(&last.key);
        write!(xml, "<NextContinuationToken>{token}</NextContinuationToken>").ok();
    }
    xml += "</ListBucketResult>\n";
    xml
}

/// Returns a failure of the store. Its message has no secret.
/// `invalid` is the status for an argument that the store refuses.
fn refusal(error: &StoreError, invalid: StatusCode) -> Answer {
    let status = match error.kind {
        StoreErrorKind::NotFound => StatusCode::NOT_FOUND,
        StoreErrorKind::NotAnObject => StatusCode::CONFLICT,
        StoreErrorKind::PermissionDenied => StatusCode::FORBIDDEN,
        StoreErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        StoreErrorKind::Unsupported => StatusCode::NOT_IMPLEMENTED,
        StoreErrorKind::Invalid => invalid,
        StoreErrorKind::Other => StatusCode::BAD_REQUEST,
    };
    text(status, error.message.clone())
}
