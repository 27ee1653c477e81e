//! `stratalog plugin` and `stratalog wit`: begin a plugin, and write the interface that it uses.

mod files;
mod folder;

use std::borrow::Cow;
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

/// The names of what a project has. A plugin cannot have them.
const TAKEN: [&str; 3] = ["stratalog-guest", "stratalog-plugin", "stratalog_plugin"];

/// The folders of Cargo's builds. Cargo refuses a program of such a name.
const TAKEN_BY_CARGO: [&str; 4] = ["build", "deps", "examples", "incremental"];

/// The place of the name in the files of a project.
const NAME: &str = "{{name}}";

/// The place of the log's logic as the crate for plugins names it: here, and in a project.
const GUEST: [&str; 2] = [r#"path = "../../guest""#, r#"path = "../stratalog-guest""#];

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
    if folder == Path::new("-") {
        let message = "cannot write the interface to stdout: it has several files; name a folder, \
                       or `./-` for one of that name";
        return Err(Failure::input(message));
    }
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
    let taken_by_tools: &[&str] = match language {
        Language::Rust => &TAKEN_BY_CARGO,
        Language::Python | Language::Javascript => &[],
    };
    let name = name_of(&whole, &[TAKEN.as_slice(), taken_by_tools].concat())?;
    let of_language = match language {
        Language::Rust => files::RUST,
        Language::Python => files::PYTHON,
        Language::Javascript => files::JAVASCRIPT,
    };
    let [guest_here, guest_in_project] = GUEST;
    let named = |(path, text): &File| {
        let text = text.replace(NAME, name).replace(guest_here, guest_in_project);
        (path_in_project(path), owned(text))
    };
    let wit = files::WIT.iter().map(|(path, text)| (format!("wit/{path}"), borrowed(text)));
    let mut files: Vec<_> = of_language.iter().map(named).chain(wit).collect();
    files.extend(files::component(*language));
    folder::make(folder, &files)?;
    let readme = of_language.iter().find(|(path, _)| *path == "README.md");
    let readme = readme.map_or_else(String::new, |(_, text)| text.replace(NAME, name));
    let commands = commands(folder, &readme);
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

/// Returns the name of the plugin in a folder, which is none of those that are taken.
fn name_of<'a>(folder: &'a Path, taken: &[&str]) -> Result<&'a str, Failure> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_of_names = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    let is_name = !taken.contains(&name)
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with(['-', '_'])
        && name.chars().all(is_of_names)
        && name.len() <= NAME_BYTES_MAX;
    if is_name {
        return Ok(name);
    }
    let message = format!(
        "cannot name a plugin after the folder {}: use a-z, 0-9, `-` and `_`, with a letter first, \
         and a letter or a digit last, at most {NAME_BYTES_MAX} of them, as in my-plugin, and not \
         {}",
        folder.display(),
        taken.join(" or "),
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

fn owned(text: String) -> Cow<'static, [u8]> {
    Cow::Owned(text.into_bytes())
}

fn borrowed(text: &'static str) -> Cow<'static, [u8]> {
    Cow::Borrowed(text.as_bytes())
}

/// Returns the commands of the project's README, with the one that goes to its folder.
fn commands(folder: &Path, readme: &str) -> Vec<String> {
    let lines = readme.lines().skip_while(|line| *line != "```sh").skip(1);
    let lines = lines.take_while(|line| *line != "```").map(str::to_owned);
    std::iter::once(format!("cd {}", shell::word(folder))).chain(lines).collect()
}
