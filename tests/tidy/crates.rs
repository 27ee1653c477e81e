//! The dependencies. The crates of the product, which a newcomer compiles, are compiled once for
//! both commands of the README. The WIT of others is that which was published.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use super::sources::root;

/// Returns `name version features` of all crates that are compiled along these edges.
fn crates(arguments: &[&str]) -> BTreeSet<String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root()).args(["tree", "--locked", "--prefix", "none"]);
    let output = cargo.args(["--format", "{p} {f}"]).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree {arguments:?}: {said}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines = lines.lines().map(|line| line.trim_end_matches(" (*)").trim_end());
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The benchmarks, which are built with the default members, and not for WebAssembly.
const SPEED: &str = "stratalog-speed";

/// Returns the names of the selected packages. By default these are all but the benchmarks and the
/// programs that only make sense as WebAssembly.
fn packages(selected: &[&str]) -> BTreeSet<String> {
    let lines = crates(&[selected, &["--depth", "0"]].concat());
    lines.iter().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn tests_take_crates_of_the_product_as_it_has_them() {
    let product = crates(&["--edges", "normal,build"]);
    let tests = crates(&["--edges", "normal,build,dev"]);
    assert!(product.iter().any(|line| line.starts_with("wasmtime v")), "{product:?}");
    let others: Vec<_> = product.difference(&tests).collect();
    assert!(
        others.is_empty(),
        "the tests turn on features of these, which compiles them again, and all that use them: \
         {others:#?}"
    );
}

#[test]
fn toolchain_of_the_tests_is_the_minimum_version_everywhere() {
    let page = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let manifest = page("Cargo.toml");
    let (_, version) = manifest.split_once("rust-version = \"").unwrap();
    let (version, _) = version.split_once('"').unwrap();
    for (path, words) in [
        ("rust-toolchain.toml", format!("channel = \"{version}.")),
        ("host/cli/transpiler/Cargo.toml", format!("rust-version = \"{version}\"")),
        ("README.md", format!("Building needs Rust {version} or newer")),
        ("Containerfile", format!("library/rust:{version}-")),
    ] {
        assert!(page(path).contains(&words), "{path} does not say {words:?}");
    }
}

#[test]
fn logic_in_a_project_has_the_crates_that_it_has_here() {
    let page = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let in_project = page("plugin-kit/templates/rust/vendor/stratalog-guest/manifest.toml");
    let (workspace, here) = (page("Cargo.toml"), page("guest/Cargo.toml"));
    let entries = |manifest: &str| -> BTreeSet<String> {
        let (_, listed) = manifest.split_once("\n[dependencies]\n").unwrap();
        let listed = listed.split("\n[").next().unwrap().lines().map(str::to_owned);
        listed.filter(|line| line.contains('=') && !line.contains("arbitrary")).collect()
    };
    let name = |entry: &String| entry.split([' ', '.']).next().unwrap().to_owned();
    let [names, names_here] =
        [&in_project, &here].map(|it| entries(it).iter().map(name).collect::<BTreeSet<_>>());
    assert_eq!(names, names_here);
    for entry in entries(&in_project) {
        assert!(workspace.contains(&format!("\n{entry}\n")), "the workspace has not {entry}");
    }
}

/// The crates of an HTTP client and of TLS.
const HTTP_CLIENT: [&str; 8] =
    ["h2", "hyper", "quick-xml", "reqwest", "ring", "rustls", "tower-http", "webpki-roots"];

/// Returns name and version of the crates that an embedder compiles with these features.
fn crates_of_library(features: &[&str]) -> BTreeSet<String> {
    let package = ["--package", "stratalog", "--edges", "normal,build"];
    let lines = crates(&[&package, features].concat());
    let names = lines.iter().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" "));
    names.collect()
}

#[test]
fn pages_count_the_crates_of_the_library() {
    let whole = crates_of_library(&[]).len();
    let bare = crates_of_library(&["--no-default-features"]).len();
    for (path, words) in [
        ("host/src/lib.rs", format!("compiles {whole} crates, itself included")),
        ("host/src/lib.rs", format!("compiles {bare}, and no HTTP client")),
        ("README.md", format!("and {bare} crates instead of {whole}:")),
        ("CHANGELOG.md", format!("{bare} crates instead of {whole}.")),
    ] {
        let text = fs::read_to_string(root().join(path)).unwrap();
        let text = text.split_whitespace().filter(|word| *word != "//!").collect::<Vec<_>>();
        assert!(text.join(" ").contains(&words), "{path} does not say {words:?}");
    }
}

#[test]
fn library_without_stores_has_no_http_client() {
    let library = |features: &[&str]| {
        let names = crates_of_library(features).into_iter();
        names.filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect()
    };
    let whole: BTreeSet<String> = library(&[]);
    assert!(whole.contains("reqwest") && whole.contains("rustls"), "{whole:?}");
    let bare: BTreeSet<String> = library(&["--no-default-features", "--features", "plugins"]);
    let found: Vec<_> = HTTP_CLIENT.iter().filter(|name| bare.contains(**name)).collect();
    assert!(found.is_empty(), "compiled without a store on the network: {found:?}");
    for store in ["azure", "gcs", "s3", "webdav"] {
        let with: BTreeSet<String> = library(&["--no-default-features", "--features", store]);
        assert!(with.contains("reqwest") && with.contains("object_store"), "{store}: {with:?}");
    }
}

#[test]
fn benchmarks_take_crates_of_the_product_as_it_has_them() {
    let product = crates(&["--edges", "normal,build"]);
    let selected = packages(&[]);
    let selected = selected.iter().map(String::as_str).chain([SPEED]);
    let selected: Vec<_> = selected.flat_map(|name| ["--package", name]).collect();
    let all = crates(&[&["--edges", "normal,build"], &selected[..]].concat());
    let others: Vec<_> = product.difference(&all).collect();
    assert!(
        others.is_empty(),
        "the benchmarks turn on features of these, which compiles them again, and all that use \
         them: {others:#?}"
    );
}

#[test]
fn plugins_take_macros_of_the_guest_as_it_has_them() {
    let wasm = |packages: &[&str]| {
        let edges = ["--edges", "normal,build", "--target", "wasm32-wasip2"];
        let packages = packages.iter().flat_map(|name| ["--package", name]);
        crates(&edges.into_iter().chain(packages).collect::<Vec<_>>())
    };
    let guest = wasm(&["stratalog-guest"]);
    let (all, native) = (packages(&["--workspace"]), packages(&[]));
    let programs = all.difference(&native).map(String::as_str).filter(|name| *name != SPEED);
    let programs = programs.collect::<Vec<_>>();
    assert!(programs.len() > 1, "{all:?}");
    let plugins = wasm(&programs);
    // All derives are written with it.
    let syn = guest.iter().filter(|line| line.starts_with("syn v")).collect::<Vec<_>>();
    assert!(!syn.is_empty(), "{guest:?}");
    for line in syn {
        assert!(plugins.contains(line), "the plugins have no {line}: {plugins:#?}");
    }
}

#[test]
fn wasm_is_parsed_and_written_by_one_version() {
    // The interface of WASI for the random numbers of the exporters of metrics, if they were
    // compiled for WebAssembly. They are part of the command line alone, which is not.
    let pruned = ["--prune", "wasip2"];
    let edges = ["--workspace", "--edges", "normal,build,dev", "--target", "all"];
    let all = crates(&[&edges[..], &pruned].concat());
    for name in ["wasmparser", "wasm-encoder", "wit-parser", "wit-component", "wit-bindgen"] {
        let versions =
            all.iter().filter_map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
                [found, version, ..] if found == name => Some(version),
                _ => None,
            });
        let versions: BTreeSet<_> = versions.collect();
        assert_eq!(versions.len(), 1, "{name}: {versions:?}");
    }
}

#[test]
fn wit_dependencies_have_the_digests_of_their_page() {
    for place in ["wit", "adapters/wit", "adapters/wit/bucket"] {
        let wit = root().join(place);
        let packages = fs::read_dir(wit.join("deps")).unwrap().map(|entry| entry.unwrap().path());
        let files = packages.flat_map(|package| fs::read_dir(package).unwrap());
        let found = files.map(|entry| {
            let file = entry.unwrap().path();
            let mut git = Command::new("git");
            let output = git.args(["hash-object", "--no-filters"]).arg(&file).output().unwrap();
            let digest = String::from_utf8(output.stdout).unwrap().trim().to_owned();
            (file.strip_prefix(&wit).unwrap().to_owned(), digest)
        });
        let page = fs::read_to_string(wit.join("README.md")).unwrap();
        let named = page.lines().filter_map(|line| {
            let cells: Vec<_> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
            match cells[..] {
                [_, file, _, digest, _] if file.starts_with("deps/") => {
                    Some((file.into(), digest.to_owned()))
                }
                _ => None,
            }
        });
        assert_eq!(found.collect::<BTreeSet<_>>(), named.collect::<BTreeSet<_>>(), "{place}");
    }
}

#[test]
fn wit_dependencies_are_those_that_wkg_takes() {
    let wit = root().join("wit");
    let packages = fs::read_dir(wit.join("deps")).unwrap().map(|entry| {
        let folder = entry.unwrap().path();
        let files = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
        let text: String = files.map(|file| fs::read_to_string(file).unwrap()).collect();
        let package = text.lines().find_map(|line| line.strip_prefix("package ")).unwrap();
        let name = package.split_once('@').unwrap().0;
        let folder = folder.strip_prefix(&wit).unwrap().display().to_string();
        format!("\"{name}\" = {{ path = \"{folder}\" }}")
    });
    let settings = fs::read_to_string(wit.join("wkg.toml")).unwrap();
    let overrides = settings.lines().filter(|line| line.contains("path = "));
    let overrides: BTreeSet<_> = overrides.map(str::to_owned).collect();
    assert_eq!(packages.collect::<BTreeSet<_>>(), overrides);
    // Nothing comes from a registry, so wkg locks nothing.
    let lock = fs::read_to_string(wit.join("wkg.lock")).unwrap();
    assert!(lock.ends_with("packages = []\n"), "{lock}");
}
