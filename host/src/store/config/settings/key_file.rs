//! Files and texts that hold credentials, examined before the library reads them.
//!
//! Owns: the faults of credentials, in our own words. Must not know: the use of the credentials.
//!
//! 1. No parser's text is passed on: some repeat the text that they have read.
//! 2. A path is repeated only once a file was found there. A user who confuses the settings may put
//!    the secret itself in its place.

use std::io::ErrorKind;

use rustls::crypto::ring::sign::RsaSigningKey;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Map, Value};

use super::values::Form;

/// The largest file of credentials.
const FILE_BYTES_MAX: u64 = 1_000_000;

/// The findings about credentials that can be used.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// The parts of them that must not be shown.
    pub(crate) secrets: Vec<String>,
    /// The server that they are for, if they name one.
    pub(crate) base_url: Option<String>,
}

/// The fault of credentials: the end of a sentence.
type Problem = String;

/// Reads the file that `setting` names, such as `the store option "google_service_account"`.
pub(crate) fn read(setting: &str, path: &str) -> Result<String, Problem> {
    let problem = |why: &str| format!("the file that {setting} names {why}");
    if path.trim_start().starts_with('{') || path.contains("-----BEGIN") {
        return Err(format!("{setting} has a key as its value: name the file that has the key"));
    }
    let metadata = std::fs::metadata(path).map_err(|error| problem(reason(error.kind())))?;
    if !metadata.is_file() {
        return Err(problem("is not a file"));
    }
    if metadata.len() > FILE_BYTES_MAX {
        return Err(problem("is larger than 1 MB, which no credentials are"));
    }
    let bytes = std::fs::read(path).map_err(|error| problem(reason(error.kind())))?;
    String::from_utf8(bytes).map_err(|_| format!("the credentials in {path} are not text in UTF-8"))
}

fn reason(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "does not exist",
        ErrorKind::PermissionDenied => "cannot be read: no permission",
        _ => "cannot be read",
    }
}

/// Examines a token: one line, for a header or a form.
pub(crate) fn token(text: &str, origin: &str) -> Result<Checked, Problem> {
    let token = text.trim_end_matches(['\n', '\r']);
    if Form::Word.check(token).is_err() {
        return Err(format!("the token in {origin} is not one word of ASCII characters"));
    }
    Ok(Checked { secrets: vec![token.to_owned()], base_url: None })
}

/// Examines the key of a service account.
pub(crate) fn service_account(text: &str, origin: &str) -> Result<Checked, Problem> {
    let fields = object(text, origin)?;
    service_account_of(&fields, origin)
}

/// Examines application default credentials.
pub(crate) fn application_default(text: &str, origin: &str) -> Result<Checked, Problem> {
    let fields = object(text, origin)?;
    match fields.get("type").and_then(Value::as_str) {
        Some("service_account") => service_account_of(&fields, origin),
        Some("authorized_user") => {
            let mut secrets = vec![field(&fields, "client_secret", origin)?];
            secrets.push(field(&fields, "refresh_token", origin)?);
            field(&fields, "client_id", origin)?;
            Ok(Checked { secrets, base_url: None })
        }
        Some(
            known @ ("external_account" | "impersonated_service_account" | "gdch_service_account"),
        ) => Err(format!(
            "the credentials in {origin} are of the type {known}, which is not supported: use \
             the key of a service account, or google_bearer_token"
        )),
        _ => Err(format!(
            "the credentials in {origin} do not have the type service_account or authorized_user"
        )),
    }
}

fn service_account_of(fields: &Map<String, Value>, origin: &str) -> Result<Checked, Problem> {
    let private_key = field(fields, "private_key", origin)?;
    let key_id = field(fields, "private_key_id", origin)?;
    field(fields, "client_email", origin)?;
    let base_url = fields.get("gcs_base_url").and_then(Value::as_str).map(str::to_owned);
    let is_anonymous = fields.get("disable_oauth").and_then(Value::as_bool) == Some(true);
    if !is_anonymous {
        check_private_key(&private_key, origin)?;
    }
    if base_url.as_deref().is_some_and(|url| Form::Endpoint.check(url).is_err()) {
        return Err(format!("the gcs_base_url in {origin} is not a URL such as https://host"));
    }
    // Lines of the key may stand alone in other texts.
    let lines = private_key.split(['\n', '\r']).map(str::to_owned);
    let lines = lines.filter(|line| line.len() >= 16 && !line.starts_with("-----"));
    let secrets = lines.chain([private_key.clone(), key_id]).collect();
    Ok(Checked { secrets, base_url })
}

fn check_private_key(key: &str, origin: &str) -> Result<(), Problem> {
    let problem = |why: &str| Err(format!("the private key in {origin} {why}"));
    if key.contains("\\n") {
        return problem(
            "is not PEM: its line ends are written as \\n; use the file as Google provides it, \
             or write real line ends",
        );
    }
    if !key.contains("-----BEGIN ") {
        return problem("is not PEM: it does not begin with -----BEGIN PRIVATE KEY-----");
    }
    if !key.contains("-----END ") {
        return problem("is not PEM: its end is missing");
    }
    let Ok(der) = PrivateKeyDer::from_pem_slice(key.as_bytes()) else {
        let is_one_line = key.trim_end().lines().count() == 1;
        return problem(match is_one_line {
            true => "is not PEM: it is one line, without the line ends between its parts",
            false => "is not PEM: a line of it is damaged",
        });
    };
    match RsaSigningKey::new(&der) {
        Ok(_) => Ok(()),
        Err(_) => problem("is not an RSA key of 2048 bits or more, which Google's are"),
    }
}

fn object(text: &str, origin: &str) -> Result<Map<String, Value>, Problem> {
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(format!("the credentials in {origin} are not a JSON object")),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            Err(format!(
                "the credentials in {origin} are not JSON: line {line}, column {column}{}",
                match text.contains("PRIVATE KEY") && text.contains("\\n") {
                    false if text.contains("PRIVATE KEY") => {
                        "; the line ends within its private key have to be written as \\n"
                    }
                    _ => "",
                }
            ))
        }
    }
}

fn field(fields: &Map<String, Value>, name: &str, origin: &str) -> Result<String, Problem> {
    match fields.get(name) {
        Some(Value::String(value)) if !value.is_empty() => Ok(value.clone()),
        Some(_) => Err(format!("the {name} in {origin} is not a text")),
        None => Err(format!("the credentials in {origin} have no {name}")),
    }
}
