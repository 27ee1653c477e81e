//! The files of the page, as answers.

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue, VARY};

use super::answer::{Answer, answer};
use crate::page_files::{FILES, unpacked};

/// Returns a file of the page, compressed if the client has asked for that.
pub(super) fn file(path: &str, headers: &HeaderMap) -> Option<Answer> {
    let path = if path.is_empty() { "index.html" } else { path };
    let found = FILES.binary_search_by_key(&path, |(path, ..)| path).ok()?;
    let (_, content_type, packed) = FILES.get(found)?;
    let is_packed = accepts_gzip(headers);
    let bytes = if is_packed { Bytes::from_static(packed) } else { unpacked(packed)? };
    let mut answer = answer(StatusCode::OK, content_type, bytes);
    answer.headers_mut().insert(VARY, HeaderValue::from_static("accept-encoding"));
    if is_packed {
        answer.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Some(answer)
}

/// Returns whether a client accepts gzip: by its name or by `*`, unless with the weight 0.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let codings = values.flat_map(|value| value.split(',')).map(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok());
        (name.trim(), weight.unwrap_or(0.0_f32) > 0.0)
    });
    let mut any = false;
    for (name, is_accepted) in codings {
        match name {
            "*" => any = is_accepted,
            name if name.eq_ignore_ascii_case("gzip") => return is_accepted,
            _ => {}
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_for_clients_that_accept_it() {
        for (accepted, is_packed) in [
            (&["gzip, deflate, br"][..], true),
            (&["br", "GZIP;q=0.5"], true),
            (&["*"], true),
            (&["deflate, *;q=0.1"], true),
            (&["*;q=0, gzip;q=1"], true),
            (&[], false),
            (&[""], false),
            (&["br"], false),
            (&["identity"], false),
            (&["gzip;q=0"], false),
            (&["gzip; q=0.000, *"], false),
            (&["gzipped"], false),
        ] {
            let mut headers = HeaderMap::new();
            for value in accepted {
                headers.append(ACCEPT_ENCODING, HeaderValue::from_static(value));
            }
            let answer = file("", &headers).unwrap();
            let coding = answer.headers().get(CONTENT_ENCODING);
            assert_eq!(coding.is_some(), is_packed, "{accepted:?}");
            assert_eq!(answer.headers().get(VARY).unwrap(), "accept-encoding");
        }
        assert!(file("none", &HeaderMap::new()).is_none());
    }
}
