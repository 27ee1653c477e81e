//! An OCI registry on loopback, Debian's `docker-registry`, with `wkg`, which talks to it.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::Command;

use tempfile::TempDir;

use super::process::Supervised;
use super::{Skip, program};
use crate::waits::NEVER;

pub const KIND: &str = "docker-registry";
pub const WKG: &str = "wkg";

/// The registry; empty. Drop stops it and deletes its data.
#[derive(Debug)]
pub struct Registry {
    /// `127.0.0.1:PORT`
    pub address: String,
    folder: TempDir,
    _process: Supervised,
}

impl Registry {
    /// Starts the registry, which takes no time.
    ///
    /// # Errors
    /// When it or wkg is not installed.
    ///
    /// # Panics
    /// When it is installed and does not start.
    pub fn start() -> Result<Registry, Skip> {
        let cures = [
            (KIND, "on Debian: apt-get install docker-registry"),
            (WKG, "cargo install wkg --version 0.16.1 --locked"),
        ];
        for (server, cure) in cures {
            if !program::is_on_path(server) {
                let reason = format!("{server} is not installed ({cure})");
                return Err(Skip { server, reason });
            }
        }
        let skip = |reason| Skip { server: KIND, reason };
        let folder = tempfile::tempdir().map_err(|e| skip(format!("no folder to serve: {e}")))?;
        let [settings, data, config] =
            ["settings.yml", "data", "wkg.toml"].map(|name| folder.path().join(name));
        let text = format!(
            "version: 0.1\nlog: {{level: info}}\nhttp: {{addr: \"127.0.0.1:0\"}}\nstorage: \
             {{filesystem: {{rootdirectory: \"{}\"}}}}\n",
            data.display()
        );
        fs::write(&settings, text).map_err(|e| skip(e.to_string()))?;
        let arguments = ["serve".into(), settings.into()];
        let pattern = r"listening on 127\.0\.0\.1:(\d+)";
        let (process, port) =
            program::serve(KIND, pattern, KIND.as_ref(), &arguments).map_err(skip)?;
        let address = format!("127.0.0.1:{port}");
        let text = format!(
            "[namespace_registries.stratalog]\nregistry = \"{address}\"\n\
             metadata = {{ preferredProtocol = \"oci\", oci = {{ registry = \"{address}\", \
             namespacePrefix = \"tests/\" }} }}\n\
             [registry.\"{address}\"]\ntype = \"oci\"\noci = {{ protocol = \"http\" }}\n"
        );
        fs::write(config, text).map_err(|e| skip(e.to_string()))?;
        Ok(Registry { address, folder, _process: process })
    }

    /// Lets a command and all that it starts talk to the registry, and to no other.
    pub fn set_up(&self, command: &mut Command) {
        command.env("WKG_OCI_INSECURE", &self.address);
        command.env("WKG_CONFIG_FILE", self.folder.path().join("wkg.toml"));
        command.env("WKG_CACHE_DIR", self.folder.path().join("cache"));
        command.env("DOCKER_CONFIG", self.folder.path());
    }

    /// Returns a command of wkg. The packages of `stratalog` are those below `tests` in the
    /// registry.
    pub fn wkg(&self, words: &[&str]) -> Command {
        let mut command = Command::new(WKG);
        command.args(words);
        self.set_up(&mut command);
        command
    }

    /// Returns the manifest of an artefact.
    ///
    /// # Panics
    /// When the registry does not answer.
    pub fn manifest(&self, name: &str, tag: &str) -> String {
        self.get(&format!("/v2/{name}/manifests/{tag}")).expect("the registry answers")
    }

    fn get(&self, path: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(NEVER))?;
        let accept = "application/vnd.oci.image.manifest.v1+json";
        write!(
            stream,
            "GET {path} HTTP/1.0\r\nHost: {}\r\nAccept: {accept}\r\n\r\n",
            self.address
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::InvalidData)?;
        Ok(body.to_owned())
    }
}
