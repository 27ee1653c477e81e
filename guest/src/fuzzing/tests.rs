//! Runs each property over its seeds, so that they stay true and the targets stay complete.

#![expect(clippy::disallowed_methods, reason = "seeds are files")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

fn fuzz(folder: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz").join(folder)
}

/// Runs a property over each seed of its target.
fn check(target: &str, property: fn(&[u8])) {
    let mut seeds = 0;
    for entry in fs::read_dir(fuzz("seeds").join(target)).unwrap() {
        let path = entry.unwrap().path();
        let seed = fs::read(&path).unwrap();
        let outcome = std::panic::catch_unwind(|| property(&seed));
        assert!(outcome.is_ok(), "seed {}", path.display());
        seeds += 1;
    }
    assert!(seeds > 0, "target {target} has no seeds: run fuzz/make-seeds");
    // Bytes that no seed has.
    let mut state = 1_u32;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_le_bytes()[3]
    });
    let noise: Vec<u8> = noise.take(4_096).collect();
    for length in 0..256 {
        property(&noise[length..length * 3]);
    }
}

macro_rules! targets {
    ($($name:ident),*) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name), super::$name);
            }
        )*

        #[test]
        fn each_property_has_a_target() {
            for name in [$(stringify!($name)),*] {
                let path = fuzz("fuzz_targets").join(format!("{name}.rs"));
                let text = fs::read_to_string(&path).unwrap_or_default();
                let call = format!("stratalog_guest::fuzzing::{name}(data)");
                assert!(text.contains(&call), "{} lacks {call}", path.display());
                let manifest = fs::read_to_string(fuzz("Cargo.toml")).unwrap();
                let path = format!("path = \"fuzz_targets/{name}.rs\"");
                assert!(manifest.contains(&path), "fuzz/Cargo.toml lacks {path}");
            }
            let files = fs::read_dir(fuzz("fuzz_targets")).unwrap();
            let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
            let known = [$(concat!(stringify!($name), ".rs").to_owned()),*];
            assert_eq!(files.collect::<BTreeSet<_>>(), known.into());
        }
    };
}

targets!(handles, index, lines, manifest, names, position, rebuild, segment);
