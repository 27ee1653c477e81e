//! A store that is far away: each request takes 20 ms longer.

use std::time::Duration;

use object_store::ObjectStore;
use object_store::throttle::{ThrottleConfig, ThrottledStore};

/// The time that is added to each request.
pub(crate) const LATENCY: Duration = Duration::from_millis(20);

/// Returns the store with the latency added to each request.
pub(crate) fn far<T: ObjectStore>(near: T) -> ThrottledStore<T> {
    let config = ThrottleConfig {
        wait_delete_per_call: LATENCY,
        wait_get_per_call: LATENCY,
        wait_list_per_call: LATENCY,
        wait_list_with_delimiter_per_call: LATENCY,
        wait_put_per_call: LATENCY,
        ..ThrottleConfig::default()
    };
    ThrottledStore::new(near, config)
}
