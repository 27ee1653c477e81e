//! Deletes of many objects in one request.
//!
//! 1. A request with a transient failure is repeated as a whole: a delete may be done twice.

use std::fmt::Write as _;

use bytes::Bytes;
use stratalog_store_rules::reply::deletes::{DELETES, Failure, Results, read};
use stratalog_store_rules::reply::wrong::WrongReply;
use stratalog_store_rules::reply::xml;

use crate::numbers::{count, grouped, to_u64};

/// An answer to a request for deletes.
pub(super) enum Deletes {
    /// The result of each key, in the form that the library reads.
    Done(Bytes),
    /// Some keys were not deleted, for a transient reason.
    Repeat,
}

/// Returns the keys that a request names.
pub(super) fn keys_in(request: &[u8]) -> Vec<String> {
    let mut keys = Vec::new();
    // The request is the library's own, so it is whole.
    let _ = xml::walk(request, |path, text| {
        if path == "Object/Key" {
            keys.push(text.to_owned());
        }
    });
    keys
}

/// Checks the answer to a bulk delete of S3, and rewrites it in a form that the library reads
/// correctly.
pub(super) fn check(keys: &[String], body: &[u8]) -> Result<Deletes, WrongReply> {
    let results = read(keys, body)?;
    match results.transient_code() {
        Some(_) => Ok(Deletes::Repeat),
        None => Ok(Deletes::Done(rewritten(keys, &results))),
    }
}

/// Rewrites the result. The library regards a key that the answer leaves out as deleted. It also
/// searches the whole answer, keys included, for words such as `SlowDown`.
fn rewritten(keys: &[String], results: &Results) -> Bytes {
    let mut body = String::from("<DeleteResult><Deleted><Key></Key></Deleted>");
    for key in keys {
        let Some(Failure { code, message }) = results.failure(key) else { continue };
        body.push_str("<Error>");
        for (name, text) in [("Key", key), ("Code", &code), ("Message", &message)] {
            let _ = write!(body, "<{name}>");
            for c in text.chars() {
                let _ = write!(body, "&#{};", u32::from(c));
            }
            let _ = write!(body, "</{name}>");
        }
        body.push_str("</Error>");
    }
    body.push_str("</DeleteResult>");
    body.into()
}

const ID: &str = "content-id:";

/// Returns the numbers of the requests, or of the answers, in a batch of Azure.
pub(super) fn ids_in(batch: &[u8]) -> Vec<usize> {
    let text = String::from_utf8_lossy(batch);
    let ids = text.lines().filter_map(|line| {
        let start = line.get(..ID.len())?;
        let rest = line.get(ID.len()..)?;
        start.eq_ignore_ascii_case(ID).then(|| rest.trim().parse().ok())?
    });
    ids.collect()
}

/// Checks the answer to a batch of deletes of Azure.
pub(super) fn check_batch(deletes: usize, body: &Bytes) -> Result<Deletes, WrongReply> {
    let mut ids = ids_in(body);
    ids.sort_unstable();
    // An answer without ids is one failure of the whole batch. The library reports it.
    if !ids.is_empty() && !ids.iter().copied().eq(0..deletes) {
        let deletes = count(to_u64(deletes), "delete", "deletes");
        let found = format!("found answers to {} of {deletes}", grouped(to_u64(ids.len())));
        return Err(WrongReply::other(DELETES, found));
    }
    let text = String::from_utf8_lossy(body);
    let statuses = text.lines().filter_map(|line| {
        let status = line.strip_prefix("HTTP/1.1 ")?;
        status.get(..3)?.parse::<u16>().ok()
    });
    let passes = |status: u16| matches!(status, 429 | 500 | 503 | 504);
    match statuses.into_iter().any(passes) {
        true => Ok(Deletes::Repeat),
        false => Ok(Deletes::Done(body.clone())),
    }
}
