//! Changes of the WIT, each with the message that it must have.

use std::fs;

use rig::tools::{copy_folder, workspace};
use tempfile::TempDir;

use super::super::form::Form;
use super::{broken, is_of_series, undated};

/// A change of a file: the text that is there, and the one that takes its place.
struct Edit(&'static str, &'static str, &'static str);

/// A function, and the same with one behind it.
const TICK: &str = "    @since(version = 0.1.0)\n    tick: func() -> bool;\n";
const AND_TOCK: &str =
    "    @since(version = 0.1.0)\n    tick: func() -> bool;\n    tock: func();\n";
const AND_TOCK_OF_0_1_1: &str = "    @since(version = 0.1.0)\n    tick: func() -> bool;
    @since(version = 0.1.1)\n    tock: func();\n";

/// Returns the WIT of today with these changes, as a package of a version.
fn changed(version: &str, edits: &[Edit]) -> Form {
    let folder = TempDir::new().unwrap();
    copy_folder(&workspace().join("wit"), folder.path(), &[]).unwrap();
    for Edit(file, old, new) in edits {
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{file} has no {old:?}");
        fs::write(&path, text.replacen(old, new, 1)).unwrap();
    }
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "wit") {
            let text = fs::read_to_string(&path).unwrap();
            let (first, rest) = text.split_once("\npackage ").map_or_else(
                || ("", text.strip_prefix("package ").unwrap()),
                |(first, rest)| (first, rest),
            );
            let rest = rest.split_once(';').unwrap().1;
            let text = format!("{first}\npackage stratalog:log@{version};{rest}");
            fs::write(&path, text).unwrap();
        }
    }
    Form::read(folder.path())
}

#[test]
fn change_that_breaks_an_earlier_version_is_named() {
    let was = changed("0.1.0", &[]);
    let table: [(&str, &[Edit], &[&str]); 13] = [
        ("0.1.0", &[Edit("append-log.wit", TICK, "")], &["append-log: function log.tick is gone"]),
        (
            "0.1.1",
            &[Edit("append-log.wit", "tick: func() -> bool;", "tick: func() -> u32;")],
            &[
                "append-log: function log.tick was `method func(self: borrow<append-log.log>) -> bool` \
               and is `method func(self: borrow<append-log.log>) -> u32`",
            ],
        ),
        (
            "0.1.0",
            &[Edit("append-log.wit", TICK, AND_TOCK)],
            &["append-log: function log.tock is new, and not in 0.1.0: mark it \
               `@since(version = 0.1.1)` in a package of version 0.1.1"],
        ),
        (
            "0.1.1",
            &[Edit("append-log.wit", TICK, AND_TOCK)],
            &["append-log: function log.tock is new, and not in 0.1.0: mark it"],
        ),
        (
            "0.1.3",
            &[Edit(
                "append-log.wit",
                "tick: func() -> bool;",
                "tick: func() -> bool;
    @since(version = 0.1.0)\n    tock: func();",
            )],
            &["`@since(version = 0.1.3)`"],
        ),
        (
            "0.1.1",
            &[Edit("types.wit", "    lazy: bool,\n", "    lazy: bool,\n    eager: bool,\n")],
            &["types: type trim-options was `record<lazy: bool, keep-unread: bool>` and is \
               `record<lazy: bool, eager: bool, keep-unread: bool>`"],
        ),
        (
            "0.1.1",
            &[Edit("types.wit", "    closed,\n", "    closed,\n    gone,\n")],
            &["types: type error was `variant<"],
        ),
        (
            "0.1.1",
            &[Edit("object-store.wit", "    other,\n", "    other,\n    one-more,\n")],
            &["object-store: type store-error-kind was `enum<"],
        ),
        (
            "0.1.1",
            &[Edit(
                "host-bytes.wit",
                "    length: func() -> u64;\n",
                "    length: func() -> u64;\n    @since(version = 0.1.1)\n    width: func();\n",
            )],
            &["host-bytes: function bytes.width is new, and hosts and stores of 0.1.0 do not have"],
        ),
        (
            "0.1.1",
            &[Edit(
                "world.wit",
                "  import host-bytes;\n",
                "  import host-bytes;\n  import clock: func();\n",
            )],
            &[
                "world log-component: the import clock: func() is new, and hosts and stores of 0.1.0",
            ],
        ),
        (
            "0.1.1",
            &[Edit("world.wit", "  export repairs;\n", "")],
            &["world log-component: the export repairs is gone"],
        ),
        (
            "0.1.1",
            &[Edit("world.wit", "world plugin {\n", "world plugin {\n  export types;\n")],
            &["world plugin: the export types is new, and components of 0.1.0 do not have it"],
        ),
        (
            "0.1.1",
            &[Edit("world.wit", "world plugin {\n  import append-log;", "world plugin {")],
            &["world plugin: the import append-log is gone"],
        ),
    ];
    for (version, edits, words) in table {
        let found = broken(&was, &changed(version, edits));
        let text = found.join("\n");
        assert!(!found.is_empty(), "nothing is found: {words:?}");
        assert!(words.iter().all(|word| text.contains(word)), "no {words:?} in {text}");
    }
}

#[test]
fn addition_that_names_its_version_is_accepted() {
    let was = changed("0.1.0", &[]);
    let edits = [
        Edit("append-log.wit", TICK, AND_TOCK_OF_0_1_1),
        Edit(
            "types.wit",
            "  @since(version = 0.1.0)\n",
            "  @since(version = 0.1.1)\n  record more \
            { all: bool }\n\n  @since(version = 0.1.0)\n",
        ),
    ];
    let is = changed("0.1.1", &edits);
    assert_eq!(broken(&was, &is), [""; 0]);
    assert_eq!(undated(&is), [""; 0]);
    let later = changed("0.1.2", &edits);
    assert_eq!(broken(&is, &later), [""; 0]);
    // An addition may be taken back no more.
    assert_eq!(broken(&is, &changed("0.1.2", &edits[1..])).len(), 1);
}

#[test]
fn item_without_a_version_is_named() {
    let edits = [Edit("append-log.wit", TICK, AND_TOCK)];
    let found = undated(&changed("0.1.0", &edits));
    assert_eq!(found, ["append-log: function log.tock has no `@since(version = 0.1.0)`"]);
}

#[test]
fn first_number_that_is_not_zero_makes_the_series() {
    let table = [
        ("0.1.0", "0.1.7", true),
        ("0.1.0", "0.2.0", false),
        ("0.2.0", "0.1.0", false),
        ("1.2.0", "1.3.0", true),
        ("1.2.0", "2.0.0", false),
    ];
    for (earlier, later, expected) in table {
        let [one, other] = [earlier, later].map(|text| text.parse().unwrap());
        assert_eq!(is_of_series(&one, &other), expected, "{earlier} {later}");
    }
}
