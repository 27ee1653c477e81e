//! Asks for logs by names that are not its labels.

use crate::bindings::stratalog::log::append_log;
use crate::bindings::stratalog::log::types::Error;
use crate::say;

/// Opens each of these: logs of other plugins, logs next to the granted one, and invalid names.
pub(crate) fn bad_names() {
    let long = "x".repeat(10_000);
    let names = [
        "",
        ".",
        "..",
        "../evil",
        "evil/..",
        "a/../b",
        "evil/",
        "/etc",
        "\\\\host\\share",
        "evil\0",
        "ev\nil",
        "\u{1b}[2J",
        "\u{202e}live",
        "EVIL",
        "other",
        "file:///etc/passwd",
        "s3://bucket/log",
        "memory:log",
        &long,
    ];
    for name in names {
        let shown: String = name.chars().take(20).collect();
        say::outcome(&format!("open {shown:?}"), &say::open(name));
        let calls: [(&str, Option<Error>); 2] =
            [("stat", append_log::stat(name).err()), ("verify", append_log::verify(name).err())];
        for (call, error) in calls {
            if error.is_none() {
                say::line(&format!("{call} {shown:?}: ok"));
            }
        }
    }
}
