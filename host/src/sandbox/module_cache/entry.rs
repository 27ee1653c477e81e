//! The name and the content of a file in the cache.
//!
//! ```text
//! 16 bytes  "stratalog-code-1"
//!  8 bytes  number of bytes of the code, little-endian
//! 32 bytes  SHA-256 of the two fields above, the key, and the code
//!           the code, as wasmtime serializes it
//! ```

use std::hash::{Hash as _, Hasher};

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;

use crate::numbers::to_u64;

const MAGIC: &[u8; 16] = b"stratalog-code-1";
const LENGTH_BYTES: usize = 8;
const DIGEST_BYTES: usize = 32;
pub(super) const HEAD_BYTES: usize = MAGIC.len() + LENGTH_BYTES + DIGEST_BYTES;

/// The suffix of all file names in the cache.
pub(super) const SUFFIX: &str = ".module";

/// Identifies the component, the version of wasmtime, the machine and the settings of a
/// compilation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key([u8; DIGEST_BYTES]);

impl Key {
    pub(super) fn of(engine: &Engine, component: &[u8]) -> Self {
        let mut hasher = Sha256Hasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        hasher.0.update(Sha256::digest(component));
        Self(hasher.0.finalize().into())
    }

    /// Returns the name of its file.
    pub(super) fn file_name(&self) -> String {
        let digits: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        digits + SUFFIX
    }

    #[cfg(test)]
    pub(super) fn of_byte(byte: u8) -> Self {
        Self([byte; DIGEST_BYTES])
    }
}

/// Feeds a hash to a digest that is the same in all processes.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest: [u8; DIGEST_BYTES] = self.0.clone().finalize().into();
        digest.iter().take(LENGTH_BYTES).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

/// Returns the head of a file, which precedes the code.
pub(super) fn head_of(key: &Key, code: &[u8]) -> Vec<u8> {
    let length = length_of(code);
    [&MAGIC[..], &length, &digest_of(&length, key, code)].concat()
}

/// Returns the code in a file of this key, or the reason why there is none.
pub(super) fn code_of<'a>(file: &'a [u8], key: &Key) -> Result<&'a [u8], String> {
    let Some((head, code)) = file.split_at_checked(HEAD_BYTES) else {
        return Err(format!("the file has {} bytes, fewer than its header", file.len()));
    };
    let (magic, rest) = head.split_at(MAGIC.len());
    let (length, digest) = rest.split_at(LENGTH_BYTES);
    if magic != MAGIC {
        return Err("the file is not a compiled component of this version".to_owned());
    }
    if length != length_of(code) {
        return Err(format!(
            "the file has {} bytes, another number than its header says",
            file.len()
        ));
    }
    if digest != digest_of(length, key, code) {
        return Err("the digest in its header is not that of its content".to_owned());
    }
    Ok(code)
}

fn length_of(code: &[u8]) -> [u8; LENGTH_BYTES] {
    to_u64(code.len()).to_le_bytes()
}

fn digest_of(length: &[u8], key: &Key, code: &[u8]) -> [u8; DIGEST_BYTES] {
    let digest = Sha256::new().chain_update(MAGIC).chain_update(length).chain_update(key.0);
    digest.chain_update(code).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_with_any_byte_changed_added_or_missing_holds_no_code() {
        let (key, code) = (Key::of_byte(7), b"the code");
        let file = [head_of(&key, code), code.to_vec()].concat();
        assert_eq!(code_of(&file, &key), Ok(&code[..]));
        for at in 0..file.len() {
            for bit in 0..8 {
                let mut changed = file.clone();
                changed[at] ^= 1 << bit;
                assert!(code_of(&changed, &key).is_err(), "bit {bit} of byte {at}");
            }
            assert!(code_of(&file[..at], &key).is_err(), "{at} bytes");
        }
        assert!(code_of(&[file.clone(), vec![0]].concat(), &key).is_err());
        assert!(code_of(&file, &Key::of_byte(8)).is_err(), "it is the file of another component");
    }

    #[test]
    fn key_is_that_of_the_component_and_of_the_engine() {
        let engine = |fuel| {
            let mut config = wasmtime::Config::new();
            config.consume_fuel(fuel);
            Engine::new(&config).unwrap()
        };
        let key = Key::of(&engine(false), b"a");
        assert_eq!(key, Key::of(&engine(false), b"a"));
        assert_ne!(key, Key::of(&engine(false), b"b"));
        assert_ne!(key, Key::of(&engine(true), b"a"));
        assert_eq!(key.file_name().len(), 64 + SUFFIX.len());
    }
}
