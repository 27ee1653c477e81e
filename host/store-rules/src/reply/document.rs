//! The documents of a store's answer: an error and its code, or the expected root element.
//!
//! Must not know: the request.

use percent_encoding::percent_decode_str;

use crate::reply::wrong::WrongReply;
use crate::reply::xml;
use crate::text::shown;

/// The root element of an error of S3, Google and Azure.
pub const ERROR: &str = "Error";

/// The codes that clients made by AWS retry, independent of the status of the answer.
const TRANSIENT: [&str; 17] = [
    "BandwidthLimitExceeded",
    // Another request for the same key is in flight; AWS documents a retry.
    "ConditionalRequestConflict",
    "EC2ThrottledException",
    "InternalError",
    "LimitExceededException",
    "OperationAborted",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServerBusy",
    "ServiceUnavailable",
    "SlowDown",
    "ThrottledException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// The beginnings of further transient codes.
const TRANSIENT_STARTS: [&str; 2] = ["Throttling", "RequestThrottled"];

/// Returns whether the same request may succeed a little later. `RequestTimeTooSkewed` is not
/// transient: the clock stays wrong.
pub fn is_transient(code: &str) -> bool {
    TRANSIENT.contains(&code) || TRANSIENT_STARTS.iter().any(|start| code.starts_with(start))
}

/// Returns the code of an error document, if the body is one.
pub fn code_in(body: &[u8]) -> Option<String> {
    let root = xml::root_of(body).ok()?;
    let code = match root.as_str() {
        ERROR => "Code",
        // The form of the services that give credentials.
        "ErrorResponse" => "Error/Code",
        _ => return None,
    };
    let mut found = None;
    // A document may be cut short after its code. The code is enough.
    let _ = xml::walk(body, |path, text| {
        if path == code && found.is_none() {
            found = Some(text.trim().to_owned());
        }
    });
    found
}

/// Returns the code and the message of an error of the store, if the body is one. The other
/// elements are left out: they repeat parts of the request.
pub fn error_in(body: &[u8]) -> Option<(String, String)> {
    if xml::root_of(body).ok()? != ERROR {
        return None;
    }
    let (mut code, mut message) = (String::new(), String::new());
    // A document may be cut short after its code. The code is enough.
    let _ = xml::walk(body, |path, text| match path {
        "Code" => text.trim().clone_into(&mut code),
        "Message" => text.trim().clone_into(&mut message),
        _ => {}
    });
    Some((code, message))
}

/// Passes if the body has one of the `roots`.
///
/// # Errors
/// The difference.
pub fn expect_root(body: &[u8], roots: &[&str], expected: &'static str) -> Result<(), WrongReply> {
    match xml::root_of(body) {
        Ok(root) if roots.contains(&root.as_str()) => Ok(()),
        Ok(root) if root == ERROR => {
            let (code, message) = error_in(body).unwrap_or_default();
            let text = match (code.is_empty(), message.is_empty()) {
                (true, true) => "no code".to_owned(),
                (true, false) => message,
                (false, true) => code,
                (false, false) => format!("{code}: {message}"),
            };
            Err(WrongReply::other(expected, format!("found an error: {}", shown(&text))))
        }
        Ok(root) => {
            let found = format!("the root element is <{}>", shown(&root));
            Err(WrongReply::other(expected, found))
        }
        Err(fault) => Err(WrongReply::not_xml(expected, fault)),
    }
}

/// Checks the answer to a write or a delete whose status is a success: it must be no page and no
/// document. Additions of some servers are not read.
///
/// # Errors
/// The difference.
pub fn check_bare(expected: &'static str, body: &[u8]) -> Result<(), WrongReply> {
    let start: String = String::from_utf8_lossy(body.get(..400).unwrap_or(body)).into_owned();
    let start = start.trim_start_matches('\u{feff}').trim_start();
    if !start.starts_with(['<', '{']) {
        return Ok(());
    }
    match expect_root(body, &[], expected) {
        Err(WrongReply { is_broken: false, found, .. }) if start.starts_with('<') => {
            Err(WrongReply::other(expected, found))
        }
        _ => {
            let first = start.lines().next().unwrap_or_default();
            Err(WrongReply::other(expected, format!("the body begins with {:?}", shown(first))))
        }
    }
}

/// Returns whether an element is an error of a store. WebDAV's `error`, in small letters, explains
/// why a property is missing.
pub fn is_error(path: &str) -> bool {
    path.rsplit('/').next() == Some(ERROR)
}

/// Removes the percent-encoding from a path.
pub fn decoded(path: &str) -> String {
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_of_another_server_confirms_no_write() {
        assert_eq!(check_bare("it", b""), Ok(()));
        assert_eq!(check_bare("it", b"done"), Ok(()));
        for body in ["<html></html>", " {\"error\": 1}", "<Error><Code>X</Code></Error>"] {
            assert!(check_bare("it", body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn errors_have_a_code_and_a_message() {
        let cut = b"<Error><Code>SlowDown</Code><Message>later</Message><Key>se";
        assert_eq!(error_in(cut), Some(("SlowDown".to_owned(), "later".to_owned())));
        assert_eq!(code_in(cut).as_deref(), Some("SlowDown"));
        let credentials =
            b"<ErrorResponse><Error><Code>ExpiredToken</Code></Error></ErrorResponse>";
        assert_eq!(error_in(credentials), None);
        assert_eq!(code_in(credentials).as_deref(), Some("ExpiredToken"));
        assert!(is_transient("ThrottlingException") && !is_transient("RequestTimeTooSkewed"));
    }
}
