//! Determines the nature of an input from its first bytes. Knows no files and does no I/O.
//!
//! 1. Supported compressions are recognized by their bytes. A name alone does not make data
//!    compressed.
//! 2. Text has no NUL bytes. All other bytes are allowed.

/// The name of stdin in messages.
pub(crate) const STDIN: &str = "<stdin>";

/// The nature of an input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    /// Lines, after a byte order mark of this length.
    Text { mark_bytes: usize },
    /// Compressed lines.
    Packed(Packing),
    /// Data that cannot be split into lines.
    Unfit(Unfit),
}

/// The supported compressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Zstd,
}

/// The reason why an input is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// UTF-16 or UTF-32.
    Wide,
    /// The byte at this offset is NUL.
    Nul { at: usize },
    /// An unsupported compression, and a tool that supports it.
    OtherPacking { format: &'static str, tool: &'static str },
    /// Compressed twice.
    PackedTwice,
    /// Named as compressed, but not compressed.
    NotPacked { named: Packing },
}

/// The first bytes of a format. Of each byte only the bits in the mask count.
struct Magic {
    bytes: &'static [u8],
    mask: &'static [u8],
    nature: Nature,
}

const ALL: &[u8] = &[0xff; 16];

/// The known formats. No two of them begin with the same bytes.
const MAGICS: [Magic; 13] = [
    Magic::new(b"\x1f\x8b\x08", ALL, Nature::Packed(Packing::Gzip)),
    Magic::new(b"\x28\xb5\x2f\xfd", ALL, Nature::Packed(Packing::Zstd)),
    // A skippable frame, of 16 kinds, may come first.
    Magic::new(b"\x50\x2a\x4d\x18", b"\xf0\xff\xff\xff", Nature::Packed(Packing::Zstd)),
    Magic::new(b"\xef\xbb\xbf", ALL, Nature::Text { mark_bytes: 3 }),
    Magic::new(b"\xff\xfe", ALL, Nature::Unfit(Unfit::Wide)),
    Magic::new(b"\xfe\xff", ALL, Nature::Unfit(Unfit::Wide)),
    Magic::new(b"\x00\x00\xfe\xff", ALL, Nature::Unfit(Unfit::Wide)),
    // The digit is the block size.
    Magic::new(
        b"BZh01AY&SY",
        b"\xff\xff\xff\xf0\xff\xff\xff\xff\xff\xff",
        Nature::other_packing("bzip2", "bzcat"),
    ),
    Magic::new(b"\xfd7zXZ\x00", ALL, Nature::other_packing("xz", "xzcat")),
    Magic::new(b"\x04\x22\x4d\x18", ALL, Nature::other_packing("lz4", "lz4cat")),
    Magic::new(b"\x1f\x9d", ALL, Nature::other_packing("compress", "zcat")),
    Magic::new(b"PK\x03\x04", ALL, Nature::other_packing("zip", "unzip -p")),
    Magic::new(b"7z\xbc\xaf\x27\x1c", ALL, Nature::other_packing("7z", "7z x -so")),
];

/// Determines the nature of an input from its first bytes. `ended` means that there are no others.
/// None: more bytes are needed, and these contain no whole line.
pub(crate) fn nature(head: &[u8], ended: bool) -> Option<Nature> {
    let mut undecided = false;
    for magic in MAGICS {
        let bytes = magic.bytes.iter().zip(magic.mask);
        let alike = head.iter().zip(bytes).all(|(byte, (magic, mask))| byte & mask == magic & mask);
        if alike && head.len() >= magic.bytes.len() {
            return Some(match magic.nature {
                Nature::Text { mark_bytes } => of_text(head, mark_bytes),
                nature => nature,
            });
        }
        undecided |= alike;
    }
    (ended || !undecided).then(|| of_text(head, 0))
}

/// Returns the compression that a file's name announces.
pub(crate) fn named(name: &str) -> Option<Packing> {
    let name = name.to_ascii_lowercase();
    let ends = |extensions: &[&str]| extensions.iter().any(|extension| name.ends_with(extension));
    if ends(&[".gz", ".gzip"]) {
        Some(Packing::Gzip)
    } else if ends(&[".zst", ".zstd"]) {
        Some(Packing::Zstd)
    } else {
        None
    }
}

fn of_text(head: &[u8], mark_bytes: usize) -> Nature {
    let Some(at) = memchr::memchr(0, head) else { return Nature::Text { mark_bytes } };
    Nature::Unfit(if is_wide(head) { Unfit::Wide } else { Unfit::Nul { at } })
}

/// Returns whether the data looks like UTF-16 without a mark. Then many bytes are NUL, all at even
/// offsets or all at odd ones.
fn is_wide(head: &[u8]) -> bool {
    const BYTES_MIN: usize = 8;
    let nul = |first: usize| head.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (nul(0), nul(1));
    head.len() >= BYTES_MIN && (even == 0 || odd == 0) && even.max(odd) * 4 >= head.len()
}

impl Magic {
    const fn new(bytes: &'static [u8], mask: &'static [u8], nature: Nature) -> Self {
        Self { bytes, mask, nature }
    }
}

impl Nature {
    const fn other_packing(format: &'static str, tool: &'static str) -> Self {
        Self::Unfit(Unfit::OtherPacking { format, tool })
    }
}

impl Packing {
    /// Returns the name for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

impl Unfit {
    /// Returns the message for an input of this name.
    pub(crate) fn of(self, name: &str) -> String {
        let cannot = format!("cannot append {name}");
        // Without a file, a tool reads its stdin.
        let file = if name == STDIN { String::new() } else { format!(" {name}") };
        let as_it_is = "or take its bytes as they are with --binary";
        match self {
            Self::Wide => format!(
                "{cannot}: the input is UTF-16 or UTF-32 text; convert it, as in `iconv -f \
                 UTF-16 -t UTF-8{file} | stratalog append LOG`, {as_it_is}"
            ),
            Self::Nul { at } => {
                let byte = at + 1;
                format!(
                    "{cannot}: the input is binary, its byte {byte} is NUL; append text, \
                     {as_it_is}"
                )
            }
            Self::OtherPacking { format, tool } => format!(
                "{cannot}: the input is compressed with {format}; decompress it, as in \
                 `{tool}{file} | stratalog append LOG`, {as_it_is}"
            ),
            Self::PackedTwice => {
                format!("{cannot}: the input is compressed twice; decompress it once")
            }
            Self::NotPacked { named } => format!(
                "{cannot}: the input is named as {} data, but is not; rename it, {as_it_is}",
                named.name()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: Option<Nature> = Some(Nature::Text { mark_bytes: 0 });

    fn wide(text: &str, bytes_of: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes_of).collect()
    }

    #[test]
    fn input_is_recognized_by_its_first_bytes() {
        let little = wide("{\"n\":1}\n", u16::to_le_bytes);
        let big = wide("{\"n\":1}\n", u16::to_be_bytes);
        let unfit = |unfit| Some(Nature::Unfit(unfit));
        let table: [(&[u8], Option<Nature>); 18] = [
            (b"", TEXT),
            (b"a\n", TEXT),
            (b"\xe4\xff\n", TEXT),
            (b"(a)\n", TEXT),
            (b"BZh9 is no archive\n", TEXT),
            (b"PK\n", TEXT),
            (b"\xef\xbb\xbfa\n", Some(Nature::Text { mark_bytes: 3 })),
            (b"\x1f\x8b\x08rest", Some(Nature::Packed(Packing::Gzip))),
            (b"\x28\xb5\x2f\xfdrest", Some(Nature::Packed(Packing::Zstd))),
            (b"\x5f\x2a\x4d\x18rest", Some(Nature::Packed(Packing::Zstd))),
            (b"BZh91AY&SYrest", Some(Nature::other_packing("bzip2", "bzcat"))),
            (b"\xfd7zXZ\0rest", Some(Nature::other_packing("xz", "xzcat"))),
            (b"\xff\xfea\0", unfit(Unfit::Wide)),
            (&little, unfit(Unfit::Wide)),
            (&big, unfit(Unfit::Wide)),
            (b"a\0b\nand more text", unfit(Unfit::Nul { at: 1 })),
            (b"\xef\xbb\xbfa\0", unfit(Unfit::Nul { at: 4 })),
            (b"\0\0\0\0\0\0\0\0\0\0", unfit(Unfit::Nul { at: 0 })),
        ];
        for (head, expected) in table {
            assert_eq!(nature(head, true), expected, "{head:?}");
        }
    }

    #[test]
    fn more_is_waited_for_only_while_it_can_matter() {
        for magic in MAGICS {
            for length in 1..magic.bytes.len() {
                let head = &magic.bytes[..length];
                assert_eq!(nature(head, false), None, "{head:?}");
                assert!(nature(head, true).is_some(), "{head:?}");
            }
        }
        for head in [&b"a"[..], b"\n", b"(\n", b"BZ\n", b"\x1f\n"] {
            assert!(nature(head, false).is_some(), "{head:?}");
        }
    }
}
