//! Parses durations as people type them, by the crate `jiff`.

use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};
use stratalog::LogOptions;
use stratalog::store::{TIMEOUT_LIMIT, TIMEOUT_MIN};

const DURATION_FORM: &str = "write numbers with w, d, h, m, s or ms, as in 500ms, 1.5s or 1h30m; \
     the last one may have a fraction unless it counts weeks or days";

/// Parses `500ms`, `1.5s`, `1h30m` or `0`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    match text.trim() {
        "0" => Ok(Duration::ZERO),
        text => match unclear_unit(text) {
            Some(unclear) => Err(unclear),
            None => parse_units(text).ok_or_else(|| format!("{DURATION_FORM}; or 0")),
        },
    }
}

/// Returns the error of a duration whose unit may be minutes or months.
pub(crate) fn unclear_unit(text: &str) -> Option<String> {
    let number = text.trim().strip_suffix('M')?.trim_end();
    parse_units(&format!("{number}m"))?;
    Some("M may be minutes or months: write 1m for a minute, 30d for 30 days".to_owned())
}

/// Parses numbers with units, the larger unit first: `1h30m`, `1.5 h`, `2 days`.
pub(crate) fn parse_units(text: &str) -> Option<Duration> {
    // jiff takes 12:30:00 for a duration, and units in lower case only.
    let text = Some(text.trim().to_ascii_lowercase()).filter(|text| !text.contains(':'))?;
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    duration.try_into().ok()
}

/// Parses the interval between flushes.
pub(crate) fn parse_interval(text: &str) -> Result<Duration, String> {
    const LEAST: Duration = Duration::from_millis(1);
    let interval = parse_duration(text)?;
    if interval.is_zero() || (LEAST..=LogOptions::FLUSH_INTERVAL_MAX).contains(&interval) {
        return Ok(interval);
    }
    let most = shown_duration(LogOptions::FLUSH_INTERVAL_MAX);
    Err(format!("give a duration from {} to {most}, or 0 for never", shown_duration(LEAST)))
}

/// Parses the time between the passes of a copy.
pub(crate) fn parse_pause(text: &str) -> Result<Duration, String> {
    const LEAST: Duration = Duration::from_millis(100);
    const MOST: Duration = Duration::from_hours(24);
    let pause = parse_duration(text)?;
    if (LEAST..=MOST).contains(&pause) {
        return Ok(pause);
    }
    Err(format!("give a duration from {} to {}", shown_duration(LEAST), shown_duration(MOST)))
}

/// Parses the time limit of a store operation.
pub(crate) fn parse_timeout(text: &str) -> Result<Duration, String> {
    let timeout = match (text.trim(), unclear_unit(text)) {
        ("0", _) => Duration::ZERO,
        (_, Some(unclear)) => return Err(unclear),
        (text, None) => parse_units(text).ok_or_else(|| DURATION_FORM.to_owned())?,
    };
    if (TIMEOUT_MIN..=TIMEOUT_LIMIT).contains(&timeout) {
        return Ok(timeout);
    }
    let (least, most) = (shown_duration(TIMEOUT_MIN), shown_duration(TIMEOUT_LIMIT));
    Err(format!("give a duration from {least} to {most}"))
}

/// Formats a duration as it may be typed.
pub(crate) fn shown_duration(duration: Duration) -> String {
    SignedDuration::try_from(duration).map_or_else(|_| String::new(), |it| format!("{it:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_units() {
        let table = [
            ("0", Some(0)),
            ("0s", Some(0)),
            ("500ms", Some(500)),
            ("2s", Some(2_000)),
            ("5m", Some(300_000)),
            ("24h", Some(86_400_000)),
            ("1h30m", Some(5_400_000)),
            ("1d 2h 3m 4s 5ms", Some(93_784_005)),
            ("1.5s", Some(1_500)),
            ("0.25 min", Some(15_000)),
            ("2 days", Some(172_800_000)),
            ("1W", Some(604_800_000)),
            ("1M", None),
            ("1 MIN", Some(60_000)),
            ("2", None),
            ("30m1h", None),
            ("1m1m", None),
            ("1h30", None),
            ("1.s", None),
            (".5s", None),
            ("1.2.3s", None),
            ("4294967296w", None),
            ("1 month", None),
            ("-1s", None),
            ("1s ago", None),
            ("1.5d", None),
            ("12:30:00", None),
            ("s", None),
            ("", None),
        ];
        for (text, millis) in table {
            assert_eq!(parse_duration(text).ok(), millis.map(Duration::from_millis), "{text:?}");
        }
    }

    #[test]
    fn duration_out_of_range_is_refused_with_the_range() {
        assert!(parse_interval("25h").is_err() && parse_interval("0.5ms").is_err());
        assert_eq!(parse_interval("0"), Ok(Duration::ZERO));
        let message = parse_interval("25h").unwrap_err();
        assert_eq!(message, "give a duration from 1ms to 24h, or 0 for never");
        for text in ["5m", "0", "0s", "999ms"] {
            let message = parse_timeout(text).unwrap_err();
            assert_eq!(message, "give a duration from 1s to 4m", "{text}");
        }
        for text in ["5", "s"] {
            let message = parse_timeout(text).unwrap_err();
            assert!(!message.contains("or 0"), "{text}: {message}");
        }
        assert!(parse_timeout("1M").unwrap_err().contains("months"));
        assert!(parse_duration("5").unwrap_err().ends_with("; or 0"));
    }
}
