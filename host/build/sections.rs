//! The sections of a component's file.

/// The bytes before the first section.
const PREAMBLE_BYTES: usize = 8;

const CUSTOM: u8 = 0;

/// The sections of a component that are modules or components themselves.
const NESTED: [u8; 2] = [1, 4];

/// The version and the layer of a component, in the preamble.
const COMPONENT: [u8; 4] = [0x0d, 0, 1, 0];

/// Returns a module or a component without custom sections, also in those within it.
///
/// They have the names of its items, and those of the programs that made it. Nothing that runs
/// reads them. None if the bytes are neither.
pub(crate) fn without_custom(bytes: &[u8]) -> Option<Vec<u8>> {
    let (preamble, mut rest) = bytes.split_at_checked(PREAMBLE_BYTES)?;
    let is_component = preamble.ends_with(&COMPONENT);
    let mut kept = preamble.to_vec();
    while let Some((id, after)) = rest.split_first() {
        let (length, after) = read_length(after)?;
        let (section, after) = after.split_at_checked(length)?;
        rest = after;
        if *id == CUSTOM {
            continue;
        }
        let nested = is_component && NESTED.contains(id);
        let section = if nested { without_custom(section)? } else { section.to_vec() };
        kept.push(*id);
        write_length(section.len(), &mut kept);
        kept.extend(section);
    }
    Some(kept)
}

/// Reads a number in LEB128, and returns it with the bytes behind it.
fn read_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let last = bytes.iter().take(5).position(|byte| byte & 0x80 == 0)?;
    let (digits, rest) = bytes.split_at_checked(last + 1)?;
    let value = digits.iter().rev().fold(0, |value, byte| value << 7 | usize::from(byte & 0x7f));
    Some((value, rest))
}

/// Writes a number in LEB128.
fn write_length(mut value: usize, to: &mut Vec<u8>) {
    while let (rest @ 1.., digit) = (value >> 7, value & 0x7f) {
        to.extend(u8::try_from(digit | 0x80));
        value = rest;
    }
    to.extend(u8::try_from(value));
}
