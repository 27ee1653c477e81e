//! The outcomes of requests, as metrics have them.

use http::StatusCode;
use object_store::client::{HttpError, HttpErrorKind, HttpResponse};

use crate::telemetry::OK;

/// Returns the word for the end of a request.
pub(super) fn outcome(reply: &Result<HttpResponse, HttpError>) -> &'static str {
    let status = match reply {
        Ok(response) => response.status(),
        Err(error) => {
            return match error.kind() {
                HttpErrorKind::Connect => "unreachable",
                HttpErrorKind::Timeout => "timeout",
                HttpErrorKind::Decode => "wrong-reply",
                _ => "broken",
            };
        }
    };
    match status {
        _ if status.is_success() => OK,
        StatusCode::NOT_FOUND => "not-found",
        StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED => "exists",
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "permission-denied",
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => "throttled",
        _ if status.is_server_error() => "server-error",
        _ => "refused",
    }
}
