//! Packs the page of `stratalog view`: its files, and the component as JavaScript and core modules.
//!
//! 1. Each file is compressed here, and is served in this form.
//! 2. The list of files is written, not kept by hand: a file in the folder is in the program.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::files_below;

/// The folder of the component's files in the page.
pub(crate) const COMPONENT: &str = "component";

/// Writes `page.rs` to the output folder: a slice of paths, content types and compressed bytes.
/// `javascript` has the files that are made of the component.
pub(crate) fn pack(sources: &Path, javascript: &Path, out_dir: &Path) -> Result<(), String> {
    println!("cargo::rerun-if-changed={}", sources.display());
    let mut files = Vec::new();
    files_below::collect(sources, "", &mut files)?;
    files_below::collect(javascript, COMPONENT, &mut files)?;
    files.sort();
    let packed = out_dir.join("page");
    fs::create_dir_all(&packed).map_err(|error| failed("make", &packed, &error))?;
    let mut list = "&[\n".to_owned();
    for (number, (path, source)) in files.iter().enumerate() {
        let bytes = fs::read(source).map_err(|error| failed("read", source, &error))?;
        let file = packed.join(format!("{number}.gz"));
        let compressed = compress(&bytes).map_err(|error| failed("compress", &file, &error))?;
        fs::write(&file, compressed).map_err(|error| failed("write", &file, &error))?;
        let content_type = content_type(path)?;
        list += &format!("    ({path:?}, {content_type:?}, include_bytes!({file:?})),\n");
    }
    list += "]\n";
    let list_file = out_dir.join("page.rs");
    fs::write(&list_file, list).map_err(|error| failed("write", &list_file, &error))
}

fn compress(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn content_type(path: &str) -> Result<&'static str, String> {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => Ok("text/html; charset=utf-8"),
        Some("css") => Ok("text/css; charset=utf-8"),
        Some("js") => Ok("text/javascript; charset=utf-8"),
        Some("svg") => Ok("image/svg+xml"),
        Some("wasm") => Ok("application/wasm"),
        _ => Err(format!("the page has a file of no known type: {path}")),
    }
}

fn failed(verb: &str, path: &Path, error: &std::io::Error) -> String {
    format!("cannot {verb} {}: {error}", path.display())
}
