//! The pauses between the tries of a request.

use std::time::Duration;

use object_store::{BackoffConfig, RetryConfig};

use crate::store::config::options::StoreOptions;

/// The first pause before a request is repeated, and the longest.
///
/// The longest is short compared with the timeout, so that a server that is back is soon asked
/// again.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Each pause is random, up to this many times the one before. With less than e (2.718) the pauses
/// would not grow.
const PAUSE_GROWTH: f64 = 3.0;

pub(super) fn retry_config(options: &StoreOptions) -> RetryConfig {
    // At most this many pauses fit into the timeout. The timeout ends the retries, not their
    // number.
    let until_timeout = options.timeout.as_millis() / PAUSE_MIN.as_millis();
    let until_timeout = usize::try_from(until_timeout).unwrap_or(usize::MAX);
    RetryConfig {
        max_retries: options.retry_max.unwrap_or(until_timeout),
        retry_timeout: options.timeout,
        backoff: BackoffConfig {
            init_backoff: PAUSE_MIN,
            max_backoff: PAUSE_MAX,
            base: PAUSE_GROWTH,
        },
    }
}
