//! Handles: what is buffered, cut and joined by handle is what a plain vector holds.

use arbitrary::{Result, Unstructured};

use super::objects::{events_of, packed, sealed, wide};
use super::strict_bytes::StrictBytes;
use crate::decide::buffer::Buffer;
use crate::decide::page::Page;
use crate::format::verified_chunk::BatchSpan;
use crate::ports::HostBytes;

/// Takes numbers that say which operations to do.
pub fn handles(data: &[u8]) {
    let mut u = Unstructured::new(data);
    // Bytes that are missing count as 0, so these end in any case.
    let _ =
        check_vector(&mut u).and_then(|()| check_page(&mut u)).and_then(|()| check_buffer(&mut u));
}

/// Events, few of them large: a buffer does otherwise from 4 KiB and from 64 KiB on.
fn events(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut lines = Vec::new();
    for _ in 0..u.int_in_range(0..=4)? {
        let large = if u.ratio(1, 64)? { 65_535 } else { 4_095 };
        let length = *u.choose(&[1, 2, 3, 1, 2, 3, 100, large])?;
        lines.extend(std::iter::repeat_n(u.int_in_range(b'a'..=b'z')?, length));
        lines.push(b'\n');
    }
    Ok(lines)
}

/// Joins, slices and summarizes.
fn check_vector(u: &mut Unstructured<'_>) -> Result<()> {
    let mut strict = StrictBytes(Vec::new());
    for _ in 0..u.int_in_range(0..=8)? {
        let vector = strict.0.clone();
        let length = vector.len();
        match u.int_in_range(0..=4)? {
            0 | 1 => {
                let count = u.int_in_range(0..=7)?.min(u.len());
                let more = u.bytes(count)?.to_vec();
                let mut joined = vector.clone();
                HostBytes::append(&mut joined, more.clone());
                strict.append(StrictBytes(more));
                assert_eq!(joined, strict.0);
            }
            2 => {
                let start = u.int_in_range(0..=length)?;
                let range = wide(start)..wide(u.int_in_range(start..=length)?);
                strict = strict.slice(range.clone());
                assert_eq!(vector.slice(range), strict.0);
            }
            3 => {
                let start = u.int_in_range(0..=length)?;
                let (mut left, mut lengths) = (length - start, Vec::<u64>::new());
                for _ in 0..u.int_in_range(0..=4)? {
                    let next = u.int_in_range(0..=left)?;
                    left -= next;
                    lengths.push(wide(next));
                }
                let start = wide(start);
                assert_eq!(vector.summarize(start, &lengths), strict.summarize(start, &lengths));
            }
            _ => {
                let lines = u.arbitrary::<Option<u8>>()?.map_or(u64::MAX, u64::from);
                assert_eq!(vector.line_end(lines), strict.line_end(lines));
            }
        }
        assert_eq!(HostBytes::length(&strict.0), strict.length());
        assert_eq!(HostBytes::read(&strict.0), strict.read());
    }
    Ok(())
}

/// A page takes of each span the events that are wanted.
fn check_page(u: &mut Unstructured<'_>) -> Result<()> {
    let mut page = Page::<StrictBytes>::default();
    let (mut expected, mut expected_events) = (Vec::<u8>::new(), 0);
    for time in 0..u.int_in_range(0..=2)? {
        let (mut spans, mut all, mut wanted) = (Vec::new(), Vec::<u8>::new(), Vec::new());
        for _ in 0..u.int_in_range(0..=4)? {
            let lines = packed(u, 5)?;
            let count = events_of(&lines);
            let start = u.int_in_range(0..=count)?;
            let range = start..u.int_in_range(start..=count)?;
            let chosen = lines.split_inclusive(|&byte| byte == b'\n');
            let chosen = chosen.take(usize::try_from(range.end).unwrap());
            expected.extend(chosen.skip(usize::try_from(start).unwrap()).flatten());
            expected_events += range.end - range.start;
            let batch = sealed(time, 1, None, &lines);
            spans.push(BatchSpan {
                batch,
                segment: None,
                positions: None,
                trimmed: 0,
                bytes: wide(lines.len()),
                events: count,
                end: None,
            });
            all.extend(lines);
            wanted.push(range);
        }
        page.take(StrictBytes(all), &spans, &wanted);
    }
    assert_eq!(page.bytes(), wide(expected.len()));
    assert_eq!(page.events, expected_events);
    assert_eq!(page.lines.map_or_else(Vec::new, |lines| lines.0), expected);
    Ok(())
}

/// A buffer keeps events in order, however they come.
fn check_buffer(u: &mut Unstructured<'_>) -> Result<()> {
    let mut buffer = Buffer::<StrictBytes>::default();
    let (mut expected, mut expected_events) = (Vec::new(), 0);
    for _ in 0..u.int_in_range(0..=12)? {
        let kind = u.int_in_range(0..=4)?;
        let lines = events(u)?;
        let count = events_of(&lines);
        match kind {
            0 | 1 => buffer.push_host_bytes(StrictBytes(lines.clone()), count, || 0),
            2 => buffer.push_lines(lines.clone(), count, || 0),
            3 => {
                for event in lines.split(|&byte| byte == b'\n').filter(|event| !event.is_empty()) {
                    buffer.push(event, || 0);
                }
            }
            _ => {
                let taken = buffer.take().map(|lines| lines.0);
                assert_eq!(taken.unwrap_or_default(), std::mem::take(&mut expected));
                assert!(buffer.is_empty());
                expected_events = 0;
                continue;
            }
        }
        expected.extend(lines);
        expected_events += count;
        assert_eq!(buffer.events, expected_events);
        assert_eq!(buffer.is_empty(), expected.is_empty());
        assert_eq!(buffer.read(), expected);
    }
    Ok(())
}
