//! The checksum that a store sends with a whole object.
//!
//! 1. It is computed over the bytes that are passed on. So it also covers a read that was resumed.
//! 2. A checksum of the parts of an object, or of an unknown kind, is ignored.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use crc_fast::CrcAlgorithm;
use http::{HeaderMap, StatusCode};
use md5::{Digest as _, Md5};
use sha2::{Digest as _, Sha256};

/// The expected checksum of an object's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checksum {
    kind: Kind,
    expected: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Crc32c,
    Crc64Nvme,
    Crc32,
    Sha256,
    Md5,
}

/// The headers, the cheapest first.
const HEADERS: [(&str, Kind); 5] = [
    ("x-amz-checksum-crc64nvme", Kind::Crc64Nvme),
    ("x-amz-checksum-crc32c", Kind::Crc32c),
    ("x-amz-checksum-crc32", Kind::Crc32),
    ("x-amz-checksum-sha256", Kind::Sha256),
    ("content-md5", Kind::Md5),
];

impl Checksum {
    /// Returns the checksum of the whole body in the head of an answer, if there is one.
    pub(crate) fn announced(status: StatusCode, headers: &HeaderMap) -> Option<Self> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if status != StatusCode::OK || text("x-amz-checksum-type") == Some("COMPOSITE") {
            return None;
        }
        let google = headers.get_all("x-goog-hash").iter();
        let google = google.filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(','));
        let named =
            google.filter_map(|part| part.trim().split_once('=')).filter_map(|found| match found {
                ("crc32c", value) => Some((Kind::Crc32c, value)),
                ("md5", value) => Some((Kind::Md5, value)),
                _ => None,
            });
        let mut named: Vec<(Kind, &str)> = named.collect();
        // Google sends both, in any order. CRC32C is cheaper.
        named.sort_by_key(|(kind, _)| *kind == Kind::Md5);
        let plain = HEADERS.iter().filter_map(|(name, kind)| Some((*kind, text(name)?)));
        named.into_iter().chain(plain).find_map(|(kind, value)| {
            let expected = BASE64_STANDARD.decode(value.trim()).ok()?;
            (expected.len() == kind.bytes()).then_some(Self { kind, expected })
        })
    }
}

impl Kind {
    fn bytes(self) -> usize {
        match self {
            Self::Crc32c | Self::Crc32 => 4,
            Self::Crc64Nvme => 8,
            Self::Md5 => 16,
            Self::Sha256 => 32,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Crc32c => "CRC32C",
            Self::Crc32 => "CRC32",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }
}

/// A checksum that is computed while bytes are passed on.
pub(crate) struct Checking {
    checksum: Checksum,
    state: State,
}

enum State {
    Crc(crc_fast::Digest),
    Md5(Md5),
    Sha256(Sha256),
}

impl Checking {
    pub(crate) fn new(checksum: Checksum) -> Self {
        let crc = |algorithm| State::Crc(crc_fast::Digest::new(algorithm));
        let state = match checksum.kind {
            Kind::Crc32c => crc(CrcAlgorithm::Crc32Iscsi),
            Kind::Crc32 => crc(CrcAlgorithm::Crc32IsoHdlc),
            Kind::Crc64Nvme => crc(CrcAlgorithm::Crc64Nvme),
            Kind::Md5 => State::Md5(Md5::new()),
            Kind::Sha256 => State::Sha256(Sha256::new()),
        };
        Self { checksum, state }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Crc(digest) => digest.update(bytes),
            State::Md5(digest) => digest.update(bytes),
            State::Sha256(digest) => digest.update(bytes),
        }
    }

    /// Returns the name of the checksum, if the bytes do not match it.
    pub(crate) fn mismatch(self) -> Option<&'static str> {
        let Checksum { kind, expected } = self.checksum;
        let found = match self.state {
            State::Crc(digest) => {
                let all = digest.finalize().to_be_bytes();
                all.get(all.len().saturating_sub(kind.bytes())..).unwrap_or_default().to_vec()
            }
            State::Md5(digest) => digest.finalize().to_vec(),
            State::Sha256(digest) => digest.finalize().to_vec(),
        };
        (found != expected).then(|| kind.name())
    }
}
