//! Packed lines: checked, counted and packed as a naive loop does it.

use super::objects::{events_of, wide};
use crate::error::{Error, EventFault};
use crate::format::lines::{check_event, check_lines, count, pack_legacy_lines};

/// Takes the longest event's length, then lines.
pub fn lines(data: &[u8]) {
    let Some((&bytes_max, lines)) = data.split_first() else { return };
    let bytes_max = u64::from(bytes_max);
    assert_eq!(check_lines(lines, bytes_max), naive_check(lines, bytes_max));
    assert_eq!(count(lines), events_of(lines));
    let is_event = !lines.is_empty() && !lines.contains(&b'\n') && wide(lines.len()) <= bytes_max;
    assert_eq!(check_event(lines, bytes_max).is_ok(), is_event);

    let packed = pack_legacy_lines(lines.to_vec());
    assert_eq!(packed, naive_pack(lines));
    assert_eq!(check_lines(&packed, u64::MAX), Ok(events_of(&packed)));
    assert_eq!(pack_legacy_lines(packed.clone()), packed);
    if check_lines(lines, u64::MAX).is_ok() {
        assert_eq!(packed, lines);
    }
}

fn naive_check(lines: &[u8], bytes_max: u64) -> Result<u64, Error> {
    let mut parts: Vec<&[u8]> = lines.split(|&byte| byte == b'\n').collect();
    let last = parts.pop().unwrap();
    for (line, part) in (0..).zip(&parts) {
        let bytes = wide(part.len());
        let fault = match bytes {
            0 => EventFault::Empty,
            _ if bytes > bytes_max => EventFault::TooLong { bytes, bytes_max },
            _ => continue,
        };
        return Err(Error::InvalidEvent { line, fault });
    }
    let line = wide(parts.len());
    if last.is_empty() {
        return Ok(line);
    }
    Err(Error::InvalidEvent { line, fault: EventFault::Unterminated })
}

fn naive_pack(lines: &[u8]) -> Vec<u8> {
    let parts = lines.split(|&byte| byte == b'\n').filter(|part| !part.is_empty());
    parts.flat_map(|part| [part, b"\n"].concat()).collect()
}
