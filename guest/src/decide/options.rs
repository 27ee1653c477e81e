//! Options of callers, validated: when a writer writes, how much it buffers, and what a compaction
//! merges.

use crate::error::Error;
use crate::error::quantities::grouped;
use crate::format::numbers::{to_u64, to_usize};
use crate::limits::{
    ABSORB_BATCHES_MAX, BUFFER_BYTES_DEFAULT, BUFFER_BYTES_MAX, CREATES_DEFAULT, CREATES_MAX,
    EVENT_BYTES_DEFAULT, EVENT_BYTES_MAX, FAN_IN_DEFAULT, FAN_IN_MAX, FAN_IN_MIN,
    FLUSH_BYTES_DEFAULT, FLUSH_INTERVAL_MS_DEFAULT, FLUSH_INTERVAL_MS_MAX, FLUSH_THRESHOLD_DEFAULT,
    FLUSH_THRESHOLD_MAX, SEGMENT_BYTES_DEFAULT, SEGMENT_BYTES_MAX,
};

/// Options from a caller. A missing one takes its default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OptionsInput {
    pub flush_threshold: Option<u32>,
    pub flush_bytes: Option<u32>,
    pub flush_interval_ms: Option<u32>,
    pub event_bytes_max: Option<u32>,
    pub buffer_bytes_max: Option<u32>,
    pub creates_max: Option<u32>,
}

/// Options within their ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Events.
    pub(crate) flush_threshold: u64,
    pub(crate) flush_bytes: u64,
    /// Microseconds. None disables it.
    pub(crate) flush_interval: Option<u64>,
    pub(crate) event_bytes_max: u64,
    pub(crate) buffer_bytes_max: u64,
    /// Creates in flight.
    pub(crate) creates_max: usize,
}

/// Options of a compaction from a caller. A missing one takes its default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompactInput {
    pub full: bool,
    pub fan_in: Option<u32>,
    pub segment_bytes_max: Option<u64>,
    pub batches_max: Option<u32>,
}

/// Options of a compaction within their ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CompactOptions {
    pub full: bool,
    pub fan_in: u64,
    pub segment_bytes_max: u64,
    pub batches_max: usize,
}

impl CompactInput {
    /// Fills in the defaults and checks every option.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] names the option, its value and its range.
    pub(crate) fn check(self) -> Result<CompactOptions, Error> {
        let fan_in = self.fan_in.map(u64::from);
        let batches_max = self.batches_max.map(u64::from);
        let batches_max =
            within("batches_max", batches_max, ABSORB_BATCHES_MAX, 1, ABSORB_BATCHES_MAX)?;
        Ok(CompactOptions {
            full: self.full,
            fan_in: within("fan_in", fan_in, FAN_IN_DEFAULT, FAN_IN_MIN, FAN_IN_MAX)?,
            segment_bytes_max: within(
                "segment_bytes_max",
                self.segment_bytes_max,
                SEGMENT_BYTES_DEFAULT,
                1,
                SEGMENT_BYTES_MAX,
            )?,
            batches_max: to_usize(batches_max),
        })
    }
}

impl OptionsInput {
    /// Fills in the defaults and checks every option.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] names the option, its value and its range.
    pub fn check(self) -> Result<Options, Error> {
        let event_bytes_max = within(
            "event_bytes_max",
            self.event_bytes_max.map(u64::from),
            EVENT_BYTES_DEFAULT,
            1,
            EVENT_BYTES_MAX,
        )?;
        let least_buffer = event_bytes_max + 1;
        let buffer_bytes_max = within(
            "buffer_bytes_max",
            self.buffer_bytes_max.map(u64::from),
            BUFFER_BYTES_DEFAULT.max(least_buffer),
            least_buffer,
            BUFFER_BYTES_MAX,
        )?;
        let interval_ms = within(
            "flush_interval_ms",
            self.flush_interval_ms.map(u64::from),
            FLUSH_INTERVAL_MS_DEFAULT,
            0,
            FLUSH_INTERVAL_MS_MAX,
        )?;
        let creates_max = self.creates_max.map(u64::from);
        let creates_max = within("creates_max", creates_max, CREATES_DEFAULT, 1, CREATES_MAX)?;
        Ok(Options {
            flush_threshold: within(
                "flush_threshold",
                self.flush_threshold.map(u64::from),
                FLUSH_THRESHOLD_DEFAULT,
                1,
                FLUSH_THRESHOLD_MAX,
            )?,
            flush_bytes: within(
                "flush_bytes",
                self.flush_bytes.map(u64::from),
                FLUSH_BYTES_DEFAULT.min(buffer_bytes_max),
                1,
                buffer_bytes_max,
            )?,
            flush_interval: (interval_ms > 0).then_some(interval_ms * 1_000),
            event_bytes_max,
            buffer_bytes_max,
            creates_max: to_usize(creates_max),
        })
    }
}

impl From<Options> for OptionsInput {
    /// Every option given, so that checked again it is the same.
    fn from(options: Options) -> Self {
        let given = |value: u64| u32::try_from(value).ok();
        Self {
            flush_threshold: given(options.flush_threshold),
            flush_bytes: given(options.flush_bytes),
            flush_interval_ms: given(options.flush_interval.unwrap_or(0) / 1_000),
            event_bytes_max: given(options.event_bytes_max),
            buffer_bytes_max: given(options.buffer_bytes_max),
            creates_max: given(to_u64(options.creates_max)),
        }
    }
}

fn within(
    name: &str,
    value: Option<u64>,
    default: u64,
    least: u64,
    most: u64,
) -> Result<u64, Error> {
    let value = value.unwrap_or(default);
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(Error::InvalidInput(format!(
        "{name} = {value} is out of range; give {} to {}",
        grouped(least),
        grouped(most)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_within_their_ranges() {
        let options = OptionsInput::default().check().unwrap();
        assert_eq!(options.flush_threshold, 32);
        assert_eq!(options.flush_interval, Some(1_000_000));
    }

    #[test]
    fn checked_options_given_again_are_the_same() {
        let most = OptionsInput {
            flush_threshold: Some(1_000_000),
            flush_bytes: Some(32 << 20),
            flush_interval_ms: Some(86_400_000),
            event_bytes_max: Some(16 << 20),
            buffer_bytes_max: Some(32 << 20),
            creates_max: Some(16),
        };
        let never = OptionsInput { flush_interval_ms: Some(0), ..OptionsInput::default() };
        for input in [OptionsInput::default(), most, never] {
            let options = input.check().unwrap();
            let given = OptionsInput::from(options);
            assert_eq!(given.check(), Ok(options), "{given:?}");
        }
        assert_eq!(OptionsInput::from(most.check().unwrap()), most);
    }

    #[test]
    fn options_depend_on_each_other() {
        let small = OptionsInput {
            event_bytes_max: Some(10),
            buffer_bytes_max: Some(11),
            flush_interval_ms: Some(0),
            ..OptionsInput::default()
        };
        let options = small.check().unwrap();
        assert_eq!((options.flush_bytes, options.flush_interval), (11, None));
    }

    #[test]
    fn option_out_of_range_is_named_with_value_and_range() {
        let default = OptionsInput::default();
        for (input, message) in [
            (
                OptionsInput { flush_threshold: Some(0), ..default },
                "flush_threshold = 0 is out of range; give 1 to 1,000,000",
            ),
            (
                OptionsInput { buffer_bytes_max: Some(10), event_bytes_max: Some(10), ..default },
                "buffer_bytes_max = 10 is out of range; give 11 to 33,554,432",
            ),
            (
                OptionsInput { flush_bytes: Some(u32::MAX), ..default },
                "flush_bytes = 4294967295 is out of range; give 1 to 16,777,216",
            ),
        ] {
            assert_eq!(input.check(), Err(Error::InvalidInput(message.to_owned())));
        }
    }
}
