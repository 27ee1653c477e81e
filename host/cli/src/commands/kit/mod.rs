//! `stratalog plugin` and `stratalog wit`: begin a plugin, and write the interface that it uses.

mod files;
mod folder;

use std::path::Path;

use serde::Serialize;

use self::files::File;
use crate::args::Shared;
use crate::args::kit::{Language, New, Plugin, PluginCommand, Wit};
use crate::numbers::to_u64;
use crate::process::exit::{Code, Failure, write_stdout};
use crate::report::{print_json, print_line};
use crate::shell;
use crate::terminal::human::count;

/// The longest name of a plugin, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// The crate that a project has. A plugin cannot have its name.
const CRATE: &str = "stratalog-plugin";

/// The place of the name in the files of a project.
const NAME: &str = "{{name}}";

#[derive(Serialize)]
struct Made<'a> {
    folder: &'a Path,
    files: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    commands: Option<&'a [String]>,
}

/// Writes the interface.
pub(crate) fn wit(command: &Wit, shared: &Shared) -> Result<Code, Failure> {
    let Wit { folder, .. } = command;
    folder::make(folder, files::WIT)?;
    let made = Made { folder, files: files::WIT.len(), commands: None };
    if shared.json {
        print_json(&made)?;
    } else {
        print_line(shared.quiet, &made.text("the interface"));
    }
    Ok(Code::Done)
}

/// Begins a plugin.
pub(crate) fn plugin(command: &Plugin, shared: &Shared) -> Result<Code, Failure> {
    let PluginCommand::New(New { folder, language }) = &command.command;
    // `.` has a name, too.
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.clone());
    let name = name_of(&whole)?;
    let of_language = match language {
        Language::Rust => files::RUST,
        Language::Python => files::PYTHON,
        Language::Javascript => files::JAVASCRIPT,
    };
    let named = |(path, text): &File| (path_in_project(path), text.replace(NAME, name));
    let wit = files::WIT.iter().map(|(path, text)| (format!("wit/{path}"), (*text).to_owned()));
    let files: Vec<(String, String)> = of_language.iter().map(named).chain(wit).collect();
    folder::make(folder, &files)?;
    let commands = commands(folder, &files);
    let made = Made { folder, files: files.len(), commands: Some(&commands) };
    if shared.json {
        print_json(&made)?;
        return Ok(Code::Done);
    }
    // Not to stderr, which wraps long lines.
    write_stdout((commands.join("\n") + "\n").as_bytes())?;
    let made = made.text(&format!("the plugin {name}"));
    print_line(shared.quiet, &format!("{made}, which the commands above build and run"));
    Ok(Code::Done)
}

impl Made<'_> {
    fn text(&self, what: &str) -> String {
        let files = count(to_u64(self.files), "file", "files");
        format!("{what} is in {}: {files}", self.folder.display())
    }
}

/// Returns the name of the plugin in a folder.
fn name_of(folder: &Path) -> Result<&str, Failure> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_of_names = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_name = name != CRATE
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.chars().all(is_of_names)
        && name.len() <= NAME_BYTES_MAX;
    if is_name {
        return Ok(name);
    }
    let message = format!(
        "cannot name a plugin after the folder {}: use a-z, 0-9 and `-`, with a letter first and \
         no `-` last, at most {NAME_BYTES_MAX} of them, as in my-plugin, and not {CRATE}",
        folder.display()
    );
    Err(Failure::input(message))
}

/// Returns the path in a project of a file of the kit. In the kit, Git would take the name of one
/// of them as its own, and Cargo that of the other.
fn path_in_project(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let name = match name {
        "gitignore" => ".gitignore",
        "manifest.toml" => "Cargo.toml",
        name => name,
    };
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Returns the commands of the project's README, with the one that goes to its folder.
fn commands(folder: &Path, files: &[(String, String)]) -> Vec<String> {
    let readme = files.iter().find(|(path, _)| path == "README.md");
    let text = readme.map_or("", |(_, text)| text);
    let lines = text.lines().skip_while(|line| *line != "```sh").skip(1);
    let lines = lines.take_while(|line| *line != "```").map(str::to_owned);
    std::iter::once(format!("cd {}", shell::word(folder))).chain(lines).collect()
}
