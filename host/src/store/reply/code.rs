//! The documents of a store's answer: an error and its code, or the expected root element.
//!
//! Must not know: the request.

use super::{WrongReply, shown, xml};

/// The root element of an error of S3, Google and Azure.
pub(super) const ERROR: &str = "Error";

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
pub(super) fn is_transient(code: &str) -> bool {
    TRANSIENT.contains(&code) || TRANSIENT_STARTS.iter().any(|start| code.starts_with(start))
}

/// Returns the code of an error document, if the body is one.
pub(super) fn of(body: &[u8]) -> Option<String> {
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

/// Returns the code and the message of an error document. The other elements are left out: they
/// repeat parts of the request.
pub(super) fn text_of_error(body: &[u8]) -> String {
    let (mut code, mut message) = (String::new(), String::new());
    let _ = xml::walk(body, |path, text| match path {
        "Code" => text.trim().clone_into(&mut code),
        "Message" => text.trim().clone_into(&mut message),
        _ => {}
    });
    match (code.is_empty(), message.is_empty()) {
        (true, true) => "no code".to_owned(),
        (true, false) => message,
        (false, true) => code,
        (false, false) => format!("{code}: {message}"),
    }
}

/// Passes if the body has one of the `roots`, and returns its name.
pub(super) fn expect_root(
    body: &[u8],
    roots: &[&str],
    expected: &'static str,
) -> Result<String, WrongReply> {
    match xml::root_of(body) {
        Ok(root) if roots.contains(&root.as_str()) => Ok(root),
        Ok(root) if root == ERROR => {
            let text = text_of_error(body);
            Err(WrongReply::other(expected, format!("found an error: {}", shown(&text))))
        }
        Ok(root) => {
            let found = format!("the root element is <{}>", shown(&root));
            Err(WrongReply::other(expected, found))
        }
        Err(fault) => Err(fault.into_wrong(expected)),
    }
}
