//! The heads of answers: what a status proves, and the types of objects.

use crate::reply::wrong::WrongReply;

const PAGE_TYPES: [&str; 4] = ["text/html", "application/xhtml+xml", "application/xml", "text/xml"];

const ENCODINGS: [&str; 6] = ["gzip", "x-gzip", "deflate", "br", "zstd", "compress"];

/// Returns whether a status proves that its request changed nothing.
pub fn is_without_effect(status: u16) -> bool {
    match status {
        // A server may report timeouts, conflicts and throttling of a request that was carried out.
        408 | 409 | 425 | 429 => false,
        // A request that the server does not support was not carried out.
        501 | 505 => true,
        status => (300..500).contains(&status),
    }
}

/// Checks the type and the encoding of an answer that should be an object: its type is never that
/// of a page, unless objects have such a type of their own.
///
/// # Errors
/// The difference.
pub fn check_type(
    expected: &'static str,
    content_type: &str,
    content_encoding: &str,
    own_type: Option<&str>,
) -> Result<(), WrongReply> {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_own = own_type.is_some_and(|own| own.to_ascii_lowercase().starts_with(&kind));
    if PAGE_TYPES.contains(&kind.as_str()) && !is_own {
        return Err(WrongReply::other(expected, format!("found a page of type {kind}")));
    }
    let encoding = content_encoding.trim().to_ascii_lowercase();
    if ENCODINGS.contains(&encoding.as_str()) {
        return Err(WrongReply::other(expected, format!("the content is encoded as {encoding}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_refusals_prove_that_nothing_changed() {
        for status in [301, 400, 403, 404, 412, 501, 505] {
            assert!(is_without_effect(status), "{status}");
        }
        for status in [200, 408, 409, 425, 429, 500, 503] {
            assert!(!is_without_effect(status), "{status}");
        }
    }

    #[test]
    fn pages_and_encoded_contents_are_no_objects() {
        let check = |kind, encoding, own| check_type("the object", kind, encoding, own).is_ok();
        assert!(check("application/octet-stream", "", None) && check("", "identity", None));
        assert!(!check("Text/HTML; charset=utf-8", "", None));
        assert!(check("text/html", "", Some("text/html; charset=utf-8")));
        assert!(!check("", "GZIP ", None));
    }
}
