//! Documents that a store answers with: an error and its code, or the root element that was expected.
//!
//! Must not know: what was asked.

use super::{WrongReply, shown, xml};

/// The root element of an error of S3, Google and Azure.
pub(super) const ERROR: &str = "Error";

/// The codes that AWS's own clients repeat, whatever the status they come with.
const TRANSIENT: [&str; 17] = [
    "BandwidthLimitExceeded",
    // Another request for the same key is under way; AWS says to try again.
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

/// The beginnings of more of them.
const TRANSIENT_STARTS: [&str; 2] = ["Throttling", "RequestThrottled"];

/// Says whether the same request may succeed a little later. `RequestTimeTooSkewed` is none: the
/// clock stays wrong.
pub(super) fn is_transient(code: &str) -> bool {
    TRANSIENT.contains(&code) || TRANSIENT_STARTS.iter().any(|start| code.starts_with(start))
}

/// Returns the code of an error document, if the body is one.
pub(super) fn of(body: &[u8]) -> Option<String> {
    let root = xml::root_of(body).ok()?;
    let code = match root.as_str() {
        ERROR => "Code",
        // As the services that give credentials answer.
        "ErrorResponse" => "Error/Code",
        _ => return None,
    };
    let mut found = None;
    // What breaks off after its code has said enough.
    let _ = xml::walk(body, |path, text| {
        if path == code && found.is_none() {
            found = Some(text.trim().to_owned());
        }
    });
    found
}

/// Returns the code and the message of an error document; none of its other elements, which
/// repeat parts of the request.
pub(super) fn said_in(body: &[u8]) -> String {
    let (mut code, mut message) = (String::new(), String::new());
    let _ = xml::walk(body, |path, text| match path {
        "Code" => text.trim().clone_into(&mut code),
        "Message" => text.trim().clone_into(&mut message),
        _ => {}
    });
    match (code.is_empty(), message.is_empty()) {
        (true, true) => "it has no code".to_owned(),
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
            let said = said_in(body);
            Err(WrongReply::other(expected, format!("it is an error: {}", shown(&said))))
        }
        Ok(root) => {
            let found = format!("its root element is <{}>", shown(&root));
            Err(WrongReply::other(expected, found))
        }
        Err(fault) => Err(fault.into_wrong(expected)),
    }
}
