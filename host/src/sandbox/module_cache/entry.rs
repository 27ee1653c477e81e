//! The name and the content of a file in the cache.
//!
//! ```text
//!           the code, as wasmtime serializes it
//! 16 bytes  "stratalog-code-2"
//!  8 bytes  number of bytes of the code, little-endian
//! 16 bytes  XXH3-128 of the code, the two fields above, and the key
//! ```
//!
//! The code comes first: wasmtime maps a file from its beginning, and ignores the bytes after the
//! code.
//!
//! The digest finds accidents. It need not resist an attacker, who would also write the digest: see
//! the rules of the parent module.

use std::hash::{Hash as _, Hasher};
use std::io::{self, ErrorKind, Read};

use sha2::{Digest as _, Sha256};
use twox_hash::XxHash3_128;
use wasmtime::Engine;

use super::Uncompiled;
use crate::numbers::{size, to_u64};

const MAGIC: &[u8; 16] = b"stratalog-code-2";
const LENGTH_BYTES: usize = 8;
const DIGEST_BYTES: usize = 16;
pub(super) const TAIL_BYTES: usize = MAGIC.len() + LENGTH_BYTES + DIGEST_BYTES;

const KEY_BYTES: usize = 32;

/// The bytes that are read and digested in one step. They stay in a cache of the processor.
const STEP_BYTES: usize = 128 * 1024;

/// The suffix of all file names in the cache.
pub(super) const SUFFIX: &str = ".module";

/// Identifies the component and its purpose, the version of wasmtime, the machine and the settings
/// of a compilation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key([u8; KEY_BYTES]);

impl Key {
    pub(super) fn of(engine: &Engine, component: &Uncompiled<'_>) -> Self {
        let mut hasher = Sha256Hasher(Sha256::new());
        hasher.0.update(MAGIC);
        component.purpose.hash(&mut hasher);
        engine.precompile_compatibility_hash().hash(&mut hasher);
        hasher.0.update(component.sha256().as_bytes());
        Self(hasher.0.finalize().into())
    }

    /// Returns the name of its file.
    pub(super) fn file_name(&self) -> String {
        let digits: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        digits + SUFFIX
    }

    #[cfg(test)]
    pub(super) fn of_byte(byte: u8) -> Self {
        Self([byte; KEY_BYTES])
    }
}

/// Feeds a hash to a digest that is the same in all processes.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest: [u8; KEY_BYTES] = self.0.clone().finalize().into();
        digest.iter().take(LENGTH_BYTES).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

/// Returns the tail of a file, which follows the code.
pub(super) fn tail_of(key: &Key, code: &[u8]) -> Vec<u8> {
    let length = to_u64(code.len()).to_le_bytes();
    let mut digest = XxHash3_128::new();
    digest.write(code);
    [&MAGIC[..], &length, &finish(digest, &length, key)].concat()
}

/// The reason why a file has no code to run.
#[derive(Debug)]
pub(super) enum Fault {
    /// The content is not what was written.
    Content(String),
    /// The system cannot read it.
    System(io::Error),
}

/// Reads a file of `bytes` bytes, and returns the number of bytes of its code. Refuses a file that
/// is not what was written under this key.
pub(super) fn check(content: &mut impl Read, bytes: u64, key: &Key) -> Result<u64, Fault> {
    let fault = |reason: String| Err(Fault::Content(reason));
    let Some(code_bytes) = bytes.checked_sub(to_u64(TAIL_BYTES)) else {
        return fault(format!("the file has {}, fewer than its last fields", size(bytes)));
    };
    let mut digest = XxHash3_128::new();
    let mut step = vec![0; STEP_BYTES];
    let mut rest = code_bytes;
    while rest > 0 {
        let wanted = usize::try_from(rest).map_or(STEP_BYTES, |rest| rest.min(STEP_BYTES));
        let Some(step) = step.get_mut(..wanted) else { break };
        read_exactly(content, step)?;
        digest.write(step);
        rest -= to_u64(wanted);
    }
    let mut tail = [0; TAIL_BYTES];
    read_exactly(content, &mut tail)?;
    let (magic, fields) = tail.split_at(MAGIC.len());
    let (length, expected) = fields.split_at(LENGTH_BYTES);
    if magic != MAGIC {
        return fault("the file does not end as a compiled component of this version".to_owned());
    }
    if length != code_bytes.to_le_bytes() {
        return fault(format!("the file has {}, another number than it says", size(bytes)));
    }
    if expected != finish(digest, length, key) {
        return fault("the digest in it is not that of its content".to_owned());
    }
    Ok(code_bytes)
}

fn read_exactly(content: &mut impl Read, into: &mut [u8]) -> Result<(), Fault> {
    content.read_exact(into).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => Fault::Content("the file was cut while it was read".to_owned()),
        _ => Fault::System(error),
    })
}

/// Returns the digest of a file whose code was digested.
fn finish(mut digest: XxHash3_128, length: &[u8], key: &Key) -> [u8; DIGEST_BYTES] {
    digest.write(MAGIC);
    digest.write(length);
    digest.write(&key.0);
    digest.finish_128().to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_bytes(file: &[u8], key: &Key) -> Result<u64, Fault> {
        check(&mut &*file, to_u64(file.len()), key)
    }

    #[test]
    fn file_with_any_byte_changed_added_or_missing_holds_no_code() {
        let (key, code) = (Key::of_byte(7), b"the code");
        let file = [code.to_vec(), tail_of(&key, code)].concat();
        assert_eq!(code_bytes(&file, &key).unwrap(), to_u64(code.len()));
        for at in 0..file.len() {
            for bit in 0..8 {
                let mut changed = file.clone();
                changed[at] ^= 1 << bit;
                assert!(code_bytes(&changed, &key).is_err(), "bit {bit} of byte {at}");
            }
            assert!(code_bytes(&file[..at], &key).is_err(), "{at} bytes");
            assert!(check(&mut &file[..at], to_u64(file.len()), &key).is_err(), "cut at {at}");
        }
        assert!(code_bytes(&[file.clone(), vec![0]].concat(), &key).is_err());
        assert!(
            code_bytes(&file, &Key::of_byte(8)).is_err(),
            "it is the file of another component"
        );
    }

    #[test]
    fn digest_does_not_depend_on_the_steps() {
        let key = Key::of_byte(7);
        for bytes in [0, 1, STEP_BYTES - 1, STEP_BYTES, STEP_BYTES + 1, 3 * STEP_BYTES + 7] {
            let code: Vec<u8> = (0..bytes).map(|at| u8::try_from(at * at % 251).unwrap()).collect();
            let mut file = [code.clone(), tail_of(&key, &code)].concat();
            assert_eq!(code_bytes(&file, &key).unwrap(), to_u64(bytes));
            if let Some(last) = bytes.checked_sub(1) {
                file[last] ^= 1;
                assert!(code_bytes(&file, &key).is_err(), "{bytes}");
            }
        }
    }

    #[test]
    fn key_is_that_of_the_component_its_purpose_and_the_engine() {
        let engine = |fuel| {
            let mut config = wasmtime::Config::new();
            config.consume_fuel(fuel);
            Engine::new(&config).unwrap()
        };
        let key = |fuel, bytes, purpose| {
            let component = Uncompiled { bytes, origin: "it", sha256: None, purpose };
            Key::of(&engine(fuel), &component)
        };
        let one = key(false, b"a", "p");
        assert_eq!(one, key(false, b"a", "p"));
        assert_ne!(one, key(false, b"b", "p"));
        assert_ne!(one, key(false, b"a", "q"));
        assert_ne!(one, key(true, b"a", "p"));
        assert_eq!(one.file_name().len(), 64 + SUFFIX.len());
    }
}
