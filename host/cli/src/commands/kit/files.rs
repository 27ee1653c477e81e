//! The files of the kit, which the build script packs.

use std::borrow::Cow;

use stratalog::Host;

use crate::args::kit::Language;
use crate::page_files;

/// A path and its text.
pub(super) type File = (&'static str, &'static str);

pub(super) static WIT: &[File] = include!(concat!(env!("OUT_DIR"), "/kit_wit.rs"));
pub(super) static RUST: &[File] = include!(concat!(env!("OUT_DIR"), "/kit_rust.rs"));
pub(super) static PYTHON: &[File] = include!(concat!(env!("OUT_DIR"), "/kit_python.rs"));
pub(super) static JAVASCRIPT: &[File] = include!(concat!(env!("OUT_DIR"), "/kit_javascript.rs"));

/// The files of the page that run the log's component in the tests of a plugin in JavaScript: by
/// the start of their paths there, and in a project.
const OF_PAGE: [(&str, &str); 4] = [
    ("component/", "stratalog-testing/component/"),
    ("worker/bounds.js", "stratalog-testing/bounds.js"),
    ("worker/host-bytes.js", "stratalog-testing/host-bytes.js"),
    ("worker/wasi.js", "stratalog-testing/wasi.js"),
];

/// Returns the files that run the log's component in the tests of a plugin.
pub(super) fn component(language: Language) -> Vec<(String, Cow<'static, [u8]>)> {
    match language {
        // The crate of the plugin has the logic itself.
        Language::Rust => Vec::new(),
        Language::Python => {
            let component = Cow::Borrowed(Host::embedded_component());
            vec![("stratalog_testing/log.wasm".to_owned(), component)]
        }
        Language::Javascript => page_files::FILES
            .iter()
            .filter_map(|(path, _, packed)| {
                let (start, place) = OF_PAGE.into_iter().find(|(it, _)| path.starts_with(it))?;
                let path = path.replacen(start, place, 1);
                Some((path, Cow::Owned(page_files::unpacked(packed)?.into())))
            })
            .collect(),
    }
}
