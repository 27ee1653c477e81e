//! One answered piece of an object.
//!
//! 1. A piece is exactly the requested range, as far as the object has it.
//! 2. The type of an object is never that of a page, and its content is not encoded.

use std::ops::Range;

use bytes::Bytes;
use stratalog_store_rules::error::{StoreError, StoreErrorKind};
use stratalog_store_rules::numbers::to_u64;
use stratalog_store_rules::reply::head::check_type;
use stratalog_store_rules::reply::wrong::WrongReply;

use crate::engine::End;
use crate::exchange::Answer;
use crate::failure::Doing;
use crate::reply::wrong_status;

pub(super) const BEYOND: &str = "the range starts beyond the end of the object";

const OBJECT: &str = "the object";

/// A piece of an object.
pub(super) struct Piece {
    pub(super) bytes: Bytes,
    /// The size of the whole object.
    pub(super) size: u64,
    /// The tag of the object's content, if the server sends one.
    pub(super) tag: Option<String>,
}

impl Piece {
    /// Reads the answer to a request for the bytes `wanted`. `may_be_whole` allows the whole object
    /// in their place.
    pub(super) fn read(
        doing: &Doing<'_>,
        wanted: &Range<u64>,
        may_be_whole: bool,
        end: &End,
    ) -> Result<Self, StoreError> {
        let answer = match &end.result {
            Ok(answer) if answer.is_success() => answer,
            Ok(answer) if answer.status == 416 => {
                return Err(doing.error(StoreErrorKind::Invalid, BEYOND));
            }
            _ => return Err(doing.failed(end)),
        };
        check_head(answer).map_err(|wrong| doing.wrong(&wrong))?;
        let length = to_u64(answer.body.len());
        let size = match answer.status {
            200 if may_be_whole => length,
            200 => {
                let reason = "the server does not support ranges";
                return Err(doing.error(StoreErrorKind::Unsupported, reason));
            }
            206 => {
                let found = answer.header("content-range").and_then(content_range);
                let is_wanted = |(range, size): &(Range<u64>, u64)| {
                    range.start == wanted.start
                        && range.end == wanted.end.min(*size)
                        && range.end - range.start == length
                };
                match found.filter(is_wanted) {
                    Some((_, size)) => size,
                    None => {
                        let range = answer.header("content-range").unwrap_or("none").to_owned();
                        let found = format!("found {length} bytes of the range {range:?}");
                        return Err(doing.wrong(&WrongReply::other(OBJECT, found)));
                    }
                }
            }
            _ => return Err(doing.wrong(&wrong_status(OBJECT, answer))),
        };
        let tag = answer.header("etag").filter(|tag| !tag.trim_matches('"').is_empty());
        Ok(Self { bytes: answer.body.clone(), size, tag: tag.map(str::to_owned) })
    }
}

fn check_head(answer: &Answer) -> Result<(), WrongReply> {
    let header = |name| answer.header(name).unwrap_or_default();
    check_type(OBJECT, header("content-type"), header("content-encoding"), None)
}

/// Reads `bytes FIRST-LAST/SIZE`.
fn content_range(text: &str) -> Option<(Range<u64>, u64)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let end = last.parse::<u64>().ok()?.checked_add(1)?;
    let (first, size) = (first.parse().ok()?, size.parse().ok()?);
    (first < end && end <= size).then_some((first..end, size))
}
