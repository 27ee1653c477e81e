//! The versions that `tests/golden/interface` keeps, compared with the WIT of today.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use rig::tools::cargo::small_wasm;
use rig::tools::workspace;
use semver::Version;
use tempfile::TempDir;
use wit_component::{DecodedWasm, WitPrinter};
use wit_parser::{Resolve, World, WorldItem, WorldKey};

use super::changes::{broken, is_of_series, undated};
use super::form::Form;

/// The WIT without documentation.
const INTERFACE: &str = "interface.wit";
/// The components, compressed. The plugin is `tests/scripted`.
const LOG: &str = "log.wasm.gz";
const PLUGIN: &str = "plugin.wasm.gz";

/// The remedies for a change that an earlier version rules out.
const CURE: &str = "Undo these changes, or begin a new series by the next minor version: \
    wit/README.md, Versions. A version that is not released yet may be recorded again: \
    STRATALOG_BLESS=1 tests/run --test cli interface_of_this_version";

/// A version that is kept.
pub(super) struct Kept {
    pub(super) version: Version,
    folder: PathBuf,
}

impl Kept {
    /// Returns the versions of the series of this one, in order.
    pub(super) fn of_this_series() -> Vec<Self> {
        let today = today().version;
        let entries = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
        let kept = entries.map(|folder| {
            let name = folder.file_name().unwrap().to_str().unwrap();
            Self { version: name.parse().unwrap(), folder }
        });
        let mut kept: Vec<_> = kept.filter(|one| is_of_series(&one.version, &today)).collect();
        kept.sort_by(|one, other| one.version.cmp(&other.version));
        assert!(today.patch == 0 || !kept.is_empty(), "no version of the series {today} is kept");
        kept
    }

    fn interface(&self) -> Form {
        Form::read(&self.folder.join(INTERFACE))
    }

    fn component(&self, name: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let compressed = fs::File::open(self.folder.join(name)).unwrap();
        GzDecoder::new(compressed).read_to_end(&mut bytes).unwrap();
        bytes
    }

    /// Writes the components of this version to a folder. Returns the log component and the plugin.
    pub(super) fn unpack(&self, to: &Path) -> [PathBuf; 2] {
        [LOG, PLUGIN].map(|name| {
            let path = to.join(name.trim_end_matches(".gz"));
            fs::write(&path, self.component(name)).unwrap();
            path
        })
    }
}

fn root() -> PathBuf {
    workspace().join("tests/golden/interface")
}

fn today() -> Form {
    Form::read(&workspace().join("wit"))
}

/// Returns the WIT of today without documentation, the packages that it uses included.
fn printed() -> String {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(workspace().join("wit")).unwrap();
    let others = resolve.packages.iter().map(|(id, _)| id).filter(|id| *id != package);
    let others: Vec<_> = others.collect();
    let mut printer = WitPrinter::default();
    printer.emit_docs(false).print(&resolve, package, &others).unwrap();
    printer.output.to_string()
}

/// Keeps the interface of today.
fn record(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(INTERFACE), printed()).unwrap();
    let built = TempDir::new().unwrap();
    let log = small_wasm("stratalog-guest", &["--lib", "--crate-type", "cdylib"], built.path());
    let plugin = small_wasm("scripted", &[], built.path());
    for (name, component) in [(LOG, log.unwrap()), (PLUGIN, plugin.unwrap())] {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&component).unwrap();
        fs::write(folder.join(name), encoder.finish().unwrap()).unwrap();
    }
}

#[test]
fn interface_of_this_version_serves_all_of_its_series() {
    let today = today();
    if std::env::var("STRATALOG_BLESS").is_ok() {
        record(&root().join(today.version.to_string()));
    }
    for kept in Kept::of_this_series() {
        let found = broken(&kept.interface(), &today);
        let (version, list) = (&kept.version, found.join("\n- "));
        assert!(found.is_empty(), "wit/ does not serve version {version}:\n- {list}\n{CURE}");
    }
    assert_eq!(undated(&today), [""; 0]);
}

/// Returns the functions of an interface that a component imports or exports.
fn functions(component: &[u8], direction: fn(&World) -> Vec<(&WorldKey, &WorldItem)>) -> Functions {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component).unwrap() else {
        panic!("it is a WIT package");
    };
    let items = direction(&resolve.worlds[world]);
    let interfaces = items.into_iter().filter_map(|(key, item)| match item {
        WorldItem::Interface { id, .. } => Some((resolve.name_world_key(key), *id)),
        WorldItem::Function(_) | WorldItem::Type { .. } => None,
    });
    interfaces
        .flat_map(|(name, id)| {
            let functions = resolve.interfaces[id].functions.keys();
            let functions = functions.map(|function| function.rsplit(']').next().unwrap());
            functions.map(|function| (name.clone(), function.to_owned())).collect::<Vec<_>>()
        })
        .collect()
}

/// The name of an interface with its version, and that of a function.
type Functions = BTreeSet<(String, String)>;

#[test]
fn kept_components_have_all_functions_of_their_version() {
    for kept in Kept::of_this_series() {
        let (form, version) = (kept.interface(), &kept.version);
        assert_eq!(form.version, *version);
        let of = |interfaces: &[&str]| {
            let functions = interfaces.iter().flat_map(|name| {
                let items = form.interfaces[*name].items.keys();
                let names = items.filter_map(|item| item.strip_prefix("function "));
                names.map(move |function| {
                    (format!("stratalog:log/{name}@{version}"), function.to_owned())
                })
            });
            functions.collect::<Functions>()
        };
        let mut exported = functions(&kept.component(LOG), |world| world.exports.iter().collect());
        // What the parts of a joined file have among themselves is no promise.
        exported.retain(|(interface, _)| interface.starts_with("stratalog:log/"));
        let exports = &form.worlds["log-component"].exports;
        assert_eq!(exported, of(&exports.iter().map(String::as_str).collect::<Vec<_>>()));
        let mut imported =
            functions(&kept.component(PLUGIN), |world| world.imports.iter().collect());
        imported.retain(|(interface, _)| interface.starts_with("stratalog:"));
        assert_eq!(imported, of(&["append-log"]), "tests/scripted does not call all functions");
    }
}
