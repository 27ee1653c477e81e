//! The text that names a log, split into the root that is granted and the log's name.
//!
//! Owns: the forms of a location.
//! Must not know: credentials, options, or how a store is opened.
//!
//! 1. A location holds no secret. A user or password in a URL, a query and a fragment are refused,
//!    and no error repeats them.
//! 2. A folder's path is absolute and has no `..` segment. Symbolic links are never guessed at.
//! 3. The text after the bucket of s3, gs and az is taken literally, without percent decoding. In
//!    `file` and `http` URLs it is decoded.

use std::fmt;
use std::path::{Component, Path};

use stratalog_store_rules::authority;
use stratalog_store_rules::secrets::looks::hide_in_urls;
use stratalog_store_rules::text::visible;
use url::Url;

use crate::store::config::location_error::LocationError;
use crate::store::config::root::{Root, RootKind, Service};

/// The schemes that a bucket, a container or a host follows, and whether that may contain an `@`.
/// In Azure's, `container@account.host` is no credential.
const SCHEMES_WITH_AUTHORITY: [(&str, bool); 10] = [
    ("s3", false),
    ("s3a", false),
    ("gs", false),
    ("az", true),
    ("azure", true),
    ("adl", true),
    ("abfs", true),
    ("abfss", true),
    ("http", false),
    ("https", false),
];

/// The longest name of a log, in bytes: the longest file name of the usual file systems.
const NAME_BYTES_MAX: usize = 255;

/// Hosts of object stores that have a scheme of their own, with that scheme.
const HOSTS_WITH_SCHEME: [(&str, &str); 5] = [
    ("amazonaws.com", "s3://BUCKET/NAME"),
    ("r2.cloudflarestorage.com", "s3://BUCKET/NAME with the store option aws_endpoint=URL"),
    ("storage.googleapis.com", "gs://BUCKET/NAME"),
    ("core.windows.net", "az://CONTAINER/NAME"),
    ("fabric.microsoft.com", "az://CONTAINER/NAME"),
];

/// Names a log by its root and its own name, which is the last segment of the text.
/// `s3://bucket/team/events` has the root `s3://bucket/team` and the name `events`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The root of the log: everything but the last segment.
    pub root: Root,
    /// The log's name: one segment, neither empty nor longer than 255 bytes, no control character.
    pub name: String,
}

impl Location {
    /// Parses a location of a log; see [`LOCATION_FORMS`](super::location_error::LOCATION_FORMS).
    ///
    /// Touches the file system only for a path with `..` segments, to follow symbolic links.
    ///
    /// # Errors
    /// [`LocationError`] names the fault and the text to write instead.
    pub fn parse(text: &str) -> Result<Self, LocationError> {
        if text.trim().is_empty() {
            return Err(LocationError::Empty);
        }
        let Some((scheme, rest)) = split_scheme(text) else {
            check_slashes(text)?;
            check_no_password(text)?;
            return parse_path(text, Path::new(text));
        };
        match (scheme.to_ascii_lowercase().as_str(), rest) {
            ("memory", rest) => parse_memory(text, rest),
            ("file", rest) => parse_file_url(text, rest),
            ("s3" | "s3a", rest) => {
                parse_bucket(text, Service::S3, scheme, rest, "s3://BUCKET/NAME")
            }
            ("gs", rest) => parse_bucket(text, Service::Google, scheme, rest, "gs://BUCKET/NAME"),
            ("az" | "azure" | "adl" | "abfs" | "abfss", rest) => {
                parse_bucket(text, Service::Azure, scheme, rest, "az://CONTAINER/NAME")
            }
            ("http" | "https", rest) => parse_webdav(text, scheme, rest),
            _ => Err(LocationError::UnknownScheme { scheme: scheme.to_owned() }),
        }
    }
}

impl Root {
    /// Parses a root: a location of logs without the name of one, such as `s3://bucket/team`.
    ///
    /// # Errors
    /// As [`Location::parse`].
    pub fn parse(text: &str) -> Result<Self, LocationError> {
        if text.trim().is_empty() {
            return Err(LocationError::Empty);
        }
        Ok(Location::parse(&format!("{}/LOG", text.trim_end_matches('/')))?.root)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = match &self.root.0 {
            RootKind::Memory => format!("memory:{}", self.name),
            RootKind::Folder(path) => path.join(&self.name).display().to_string(),
            _ => format!("{}/{}", self.root, self.name),
        };
        // A space at the end would be invisible.
        match shown.ends_with(char::is_whitespace) {
            true => write!(f, "{shown:?}"),
            false => f.write_str(&shown),
        }
    }
}

/// Splits `scheme:rest`. A path with a colon, or with a drive letter, has no scheme.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let mut chars = scheme.chars();
    let is_scheme = scheme.len() > 1
        && chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    let is_bare = matches!(scheme.to_ascii_lowercase().as_str(), "memory" | "file");
    (is_scheme && (is_bare || rest.starts_with("//"))).then_some((scheme, rest))
}

/// Refuses `s3:/bucket/log`, `s3:bucket/log` and `s3//bucket/log`, which are never meant as a
/// folder.
fn check_slashes(text: &str) -> Result<(), LocationError> {
    let (scheme, rest) = text.split_at(text.find([':', '/']).unwrap_or(text.len()));
    let known = scheme.to_ascii_lowercase();
    let known = SCHEMES_WITH_AUTHORITY.iter().find(|(scheme, _)| *scheme == known);
    let Some((_, at_allowed)) = known.filter(|_| rest.starts_with(':') || rest.starts_with("//"))
    else {
        return Ok(());
    };
    let rest = rest.trim_start_matches([':', '/']);
    check_no_credentials(scheme, rest, *at_allowed)?;
    check_no_query(text, rest)?;
    // So there is no secret in it.
    let url = printable(&format!("{scheme}://{rest}"));
    Err(LocationError::NoAuthority { text: printable(text), url })
}

/// Refuses `user:password@host/log`, which is never meant as a folder.
fn check_no_password(text: &str) -> Result<(), LocationError> {
    if text.starts_with(['.', '/', '\\']) {
        return Ok(());
    }
    let with_password = |segment: &str| {
        segment.rsplit_once('@').filter(|(user, _)| user.contains(':')).map(|(_, host)| host.into())
    };
    match text.split('/').find_map(with_password) {
        Some(host) => Err(LocationError::NoScheme { host }),
        None => Ok(()),
    }
}

fn shown(text: &str) -> String {
    printable(&hide_in_urls(text))
}

fn printable(text: &str) -> String {
    visible(text).chars().take(300).collect()
}

fn parse_memory(text: &str, rest: &str) -> Result<Location, LocationError> {
    let name = rest.trim_matches('/');
    if name.contains('/') {
        return Err(LocationError::BadSegment {
            text: shown(text),
            reason: "a memory log has one segment, as in memory:NAME",
        });
    }
    check_no_query(text, rest)?;
    Ok(Location { root: Root::memory(), name: checked_segments(text, name)? })
}

fn parse_path(text: &str, typed: &Path) -> Result<Location, LocationError> {
    let absolute = std::path::absolute(typed).map_err(|error| LocationError::CurrentFolder {
        text: shown(text),
        reason: error.to_string(),
    })?;
    let mut path = absolute.clone();
    if has_parent_segment(&absolute) {
        // Only the system can resolve `..`, as the path before it may be a link. The last segment
        // may be missing, since a log is created by its first write.
        path = match (absolute.parent(), absolute.file_name()) {
            (Some(parent), Some(name)) => parent.canonicalize().map(|parent| parent.join(name)),
            _ => absolute.canonicalize(),
        }
        .map_err(|_| LocationError::ParentSegment { text: shown(text) })?;
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(LocationError::MissingName { text: shown(text) });
    };
    let name = name.to_str().ok_or_else(|| LocationError::BadSegment {
        text: shown(text),
        reason: "the name is not UTF-8",
    })?;
    Ok(Location { name: checked_segments(text, name)?, root: Root::folder(folder) })
}

fn has_parent_segment(path: &Path) -> bool {
    path.components().any(|part| part == Component::ParentDir)
}

fn parse_file_url(text: &str, rest: &str) -> Result<Location, LocationError> {
    check_no_query(text, rest)?;
    check_no_parent_segment(text, rest)?;
    let path = Url::parse(text)
        .ok()
        .filter(|_| rest.starts_with("///"))
        .and_then(|url| url.to_file_path().ok())
        .ok_or_else(|| LocationError::NotFileUrl {
            text: shown(text),
            url: shown(&absolute_file_url(rest)),
        })?;
    parse_path(text, &path)
}

/// Returns the URL that is meant by `file:./journal`, which is relative, or by `file:journal`,
/// `file:/journal` and `file://journal`.
fn absolute_file_url(rest: &str) -> String {
    let is_relative = rest.starts_with("./");
    let absolute = std::path::absolute(rest).ok().filter(|_| is_relative);
    match absolute.as_deref().and_then(Path::to_str) {
        Some(path) => format!("file://{path}"),
        None => format!("file:///{}", rest.trim_start_matches('/')),
    }
}

fn parse_bucket(
    text: &str,
    service: Service,
    scheme: &str,
    rest: &str,
    form: &'static str,
) -> Result<Location, LocationError> {
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    check_no_credentials(scheme, rest, service == Service::Azure)?;
    if rest.split('/').next().is_some_and(|authority| authority.contains(':')) {
        let scheme = scheme.to_owned();
        return Err(LocationError::Credentials { scheme });
    }
    check_no_query(text, rest)?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_usable = !authority.is_empty()
        && authority
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | '$'));
    if !is_usable {
        let text = shown(text);
        return Err(LocationError::MissingBucket { text, form });
    }
    let (prefix, name) = split_name(text, path)?;
    Ok(Location {
        root: Root(RootKind::Bucket {
            service,
            scheme: scheme.to_ascii_lowercase(),
            authority: authority.to_owned(),
            prefix,
        }),
        name,
    })
}

fn parse_webdav(text: &str, scheme: &str, rest: &str) -> Result<Location, LocationError> {
    check_no_credentials(scheme, rest.trim_start_matches('/'), false)?;
    check_no_query(text, rest)?;
    check_no_parent_segment(text, rest)?;
    let missing =
        || LocationError::MissingBucket { text: shown(text), form: "https://HOST/FOLDER/NAME" };
    let authority = rest.trim_start_matches('/').split('/').next().unwrap_or_default();
    authority::check(authority).map_err(|_| missing())?;
    let url = Url::parse(text).map_err(|_| missing())?;
    let host = url.host_str().ok_or_else(missing)?;
    let other = HOSTS_WITH_SCHEME
        .iter()
        .find(|(suffix, _)| host == *suffix || host.ends_with(&format!(".{suffix}")));
    if let Some((_, form)) = other {
        return Err(LocationError::OtherScheme { host: host.to_owned(), form });
    }
    let path = object_store::path::Path::from_url_path(url.path()).map_err(|_| {
        LocationError::BadSegment {
            text: shown(text),
            reason: "the path has an empty segment, a control character or wrong percent encoding",
        }
    })?;
    let (prefix, name) = split_name(text, path.as_ref())?;
    let mut base = url.clone();
    base.set_path("/");
    Ok(Location { root: Root(RootKind::WebDav { base, prefix }), name })
}

/// Splits `a/b/name/` into `a/b/` and `name`.
fn split_name(text: &str, path: &str) -> Result<(String, String), LocationError> {
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Err(LocationError::MissingName { text: shown(text) });
    }
    let path = checked_segments(text, path)?;
    Ok(match path.rsplit_once('/') {
        Some((prefix, name)) => (format!("{prefix}/"), name.to_owned()),
        None => (String::new(), path),
    })
}

fn checked_segments(text: &str, path: &str) -> Result<String, LocationError> {
    if path.is_empty() {
        return Err(LocationError::MissingName { text: shown(text) });
    }
    if path.split('/').any(|segment| segment == "..") {
        return Err(LocationError::ParentSegment { text: shown(text) });
    }
    let reason = if path.chars().any(char::is_control) {
        "it has a control character"
    } else if path.split('/').any(|segment| segment.is_empty() || segment == ".") {
        "it is empty or `.`"
    } else if path.split('/').any(|segment| segment.len() > NAME_BYTES_MAX) {
        "it is longer than 255 bytes"
    } else {
        return Ok(path.to_owned());
    };
    let text = shown(text);
    Err(LocationError::BadSegment { text, reason })
}

/// Refuses `user:password@host`. Azure's `container@account.host` is no credential.
fn check_no_credentials(scheme: &str, rest: &str, at_allowed: bool) -> Result<(), LocationError> {
    let authority = rest.split('/').next().unwrap_or_default();
    let is_clean = match authority.rsplit_once('@') {
        None => !rest_hides_credentials(rest),
        Some((user, host)) => {
            at_allowed && !host.is_empty() && !user.is_empty() && !user.contains([':', '@'])
        }
    };
    if is_clean {
        Ok(())
    } else {
        let scheme = scheme.to_owned();
        Err(LocationError::Credentials { scheme })
    }
}

/// Returns whether a password with a slash in it puts the `@` after the first slash.
fn rest_hides_credentials(rest: &str) -> bool {
    let authority = rest.split('/').next().unwrap_or_default();
    let is_port = |port: &str| !port.is_empty() && port.chars().all(|c| c.is_ascii_digit());
    match authority.rsplit_once(':') {
        Some((_, port)) => rest.contains('@') && !is_port(port) && !port.ends_with(']'),
        None => false,
    }
}

fn check_no_query(text: &str, rest: &str) -> Result<(), LocationError> {
    match rest.find(['?', '#']) {
        None => Ok(()),
        Some(_) => Err(LocationError::QueryOrFragment {
            text: shown(text.split(['?', '#']).next().unwrap_or_default()),
        }),
    }
}

/// Refuses `..` in a URL before the URL parser resolves it.
fn check_no_parent_segment(text: &str, rest: &str) -> Result<(), LocationError> {
    let is_parent = |segment: &str| segment.to_ascii_lowercase().replace("%2e", ".") == "..";
    if rest.split(['/', '\\']).any(is_parent) {
        return Err(LocationError::ParentSegment { text: shown(text) });
    }
    Ok(())
}
