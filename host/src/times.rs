//! Times of the interface, in microseconds since 1970, as times of the library.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Returns the time; none if it is beyond what this system can represent.
pub(crate) fn of_micros(micros: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_micros(micros))
}

/// Returns the microseconds from 1970 to a time: 0 for an earlier one.
pub(crate) fn to_micros(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_survive_and_earlier_times_are_1970() {
        for micros in [0, 1, 1_738_324_800_000_001] {
            assert_eq!(of_micros(micros).map(to_micros), Some(micros));
        }
        assert_eq!(to_micros(UNIX_EPOCH - Duration::from_secs(1)), 0);
    }
}
