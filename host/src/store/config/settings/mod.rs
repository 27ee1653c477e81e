//! The settings of one service: the environment's, and the options over them.
//!
//! Owns: the settings that each service takes, their precedence, and the errors about them.
//! Must not know: how a store is built from them.
//!
//! 1. An option takes precedence over the environment. An unknown option is refused, never dropped.
//! 2. Every value is checked before anything is built from it.
//! 3. An option that would have no effect is refused, and so is a variable that asks for
//!    encryption. Other variables without effect are meant for other programs.
//! 4. No value of a setting appears in an error.

#[cfg(feature = "azure")]
pub(crate) mod azure;
mod effect;
#[cfg(feature = "gcs")]
pub(crate) mod google;
pub(crate) mod key_file;
pub(crate) mod option_names;
mod retries;
#[cfg(feature = "s3")]
pub(crate) mod s3;
mod values;
#[cfg(feature = "webdav")]
pub(crate) mod webdav;

use object_store::RetryConfig;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::store::backend::panics::Panicked;
use crate::store::config::environment::{Environment, variable};
use crate::store::config::open_error::{OpenError, SettingName};
use crate::store::config::opening::Opening;
use crate::store::config::options::{OWN_KEYS, OptionError, unknown_key};
use crate::store::config::redact::Redactor;
use crate::store::config::truth::truth_of;

#[cfg(test)]
pub(crate) use option_names::Known;
pub(crate) use option_names::{ServiceKey, known};
use retries::retry_config;
pub(crate) use values::Form;

/// The options that name a bucket, which only the location may do.
const BUCKET_KEYS: [&str; 8] = [
    "aws_bucket",
    "aws_bucket_name",
    "azure_container_name",
    "bucket",
    "bucket_name",
    "container_name",
    "google_bucket",
    "google_bucket_name",
];

/// Variables that name a proxy, for any program.
const PROXY_VARIABLES: [&str; 3] = ["http_proxy", "https_proxy", "all_proxy"];

/// The origin of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Environment,
    Option,
}

/// One setting.
pub(crate) struct Setting<K> {
    pub(crate) key: K,
    /// As it was given: an option in lower case, a variable as it is.
    name: String,
    pub(crate) value: String,
    pub(crate) origin: Origin,
}

impl<K> Setting<K> {
    /// Returns the setting's name, for messages.
    pub(crate) fn named(&self) -> SettingName {
        match self.origin {
            Origin::Option => SettingName::Option(self.name.clone()),
            Origin::Environment => SettingName::Variable(self.name.clone()),
        }
    }
}

/// The settings of one service: of the environment, then of the options.
pub(crate) struct Settings<K> {
    pub(crate) root: String,
    pub(crate) values: Vec<Setting<K>>,
    secrets: Vec<String>,
    pub(crate) instance_credentials: bool,
    pub(crate) retry: RetryConfig,
}

impl<K: ServiceKey> Settings<K> {
    /// Collects the settings and checks the value of each.
    pub(crate) fn collect(
        opening: &Opening<'_>,
        env_prefix: Option<&str>,
    ) -> Result<Self, OpenError> {
        let Opening { root, options, environment } = *opening;
        let mut settings = Self {
            root: root.to_owned(),
            values: Vec::new(),
            secrets: Vec::new(),
            instance_credentials: options.instance_credentials(),
            retry: retry_config(options),
        };
        for (name, value) in environment {
            if PROXY_VARIABLES.contains(&name.to_ascii_lowercase().as_str()) {
                settings.secrets.extend(user_of_url(value));
            }
            let is_ours = env_prefix.is_some_and(|prefix| name.starts_with(prefix));
            let lower = name.to_ascii_lowercase();
            let is_given = is_ours && !value.is_empty() && !BUCKET_KEYS.contains(&lower.as_str());
            if let (true, Ok(key)) = (is_given, lower.parse()) {
                settings.add(Origin::Environment, name, key, value);
            }
        }
        let names: Vec<&'static str> = known::<K>().map(|known| known.name).collect();
        let scheme = root.split_once("://").map_or(root, |(scheme, _)| scheme);
        for (index, (name, value)) in options.pairs.iter().enumerate() {
            if OWN_KEYS.contains(&name.as_str()) {
                continue;
            }
            if BUCKET_KEYS.contains(&name.as_str()) {
                let key = name.clone();
                return Err(OptionError::BucketInOption { key }.into());
            }
            let unknown = || unknown_key(index, name, scheme, &names);
            let key = name.parse().map_err(|_| unknown())?;
            settings.add(Origin::Option, name, key, value);
        }
        settings.check_values()?;
        Ok(settings)
    }

    /// Sets a value, replacing an earlier one.
    pub(crate) fn add(&mut self, origin: Origin, name: &str, key: K, value: &str) {
        let known = option_names::known_of(key);
        if known.is_none_or(|known| known.is_secret) {
            match known.map(|known| known.form) {
                Some(Form::Proxy) => self.secrets.extend(user_of_url(value)),
                Some(Form::SharedAccess) => self.secrets.extend(signature_of(value)),
                _ => {}
            }
            self.secrets.push(value.to_owned());
        } else {
            // The value should hold no user and is refused, but other programs may have shown it
            // before.
            self.secrets.extend(user_of_url(value));
        }
        self.values.retain(|setting| setting.key != key);
        let (name, value) = (name.to_owned(), value.to_owned());
        self.values.push(Setting { key, name, value, origin });
    }

    /// Adds a variable that is not named after the service, if it is set and adds information.
    pub(crate) fn add_variable(
        &mut self,
        environment: &Environment,
        name: &str,
        key: K,
    ) -> Result<(), OpenError> {
        match variable(environment, name) {
            Some(value) if !self.has(key) => {
                self.add(Origin::Environment, name, key, value);
                self.check_values()
            }
            _ => Ok(()),
        }
    }

    fn check_values(&self) -> Result<(), OpenError> {
        for setting in &self.values {
            let expected = match option_names::known_of(setting.key) {
                _ if setting.value.is_empty() => Err("a value, or leave the setting out"),
                Some(known) => known.form.check(&setting.value),
                None => Form::Header.check(&setting.value),
            };
            expected.map_err(|expected| self.bad_value(setting.named(), expected))?;
        }
        Ok(())
    }

    /// Checks a value that is no setting of ours, but which the library reads by itself.
    pub(crate) fn check_variable(
        &mut self,
        environment: &Environment,
        name: &str,
        form: Form,
    ) -> Result<(), OpenError> {
        let Some(value) = variable(environment, name) else { return Ok(()) };
        self.secrets.extend(user_of_url(value));
        let named = SettingName::Variable(name.to_owned());
        form.check(value).map_err(|expected| self.bad_value(named, expected))
    }

    /// Drops the given keys of the environment.
    pub(crate) fn drop_from_environment(&mut self, keys: &[K]) {
        self.values
            .retain(|setting| setting.origin == Origin::Option || !keys.contains(&setting.key));
    }

    /// Gives credentials in options precedence over those of other kinds in the environment.
    ///
    /// Those of one way stay together.
    pub(crate) fn prefer_options(&mut self) {
        let groups = K::WAYS;
        let chosen = |group: &&&[K]| group.iter().any(|key| self.given(Origin::Option, *key));
        let chosen: Vec<&[K]> = groups.iter().filter(chosen).copied().collect();
        if chosen.is_empty() && !self.instance_credentials {
            return;
        }
        for group in groups {
            let displaced: Vec<K> = group
                .iter()
                .copied()
                .filter(|key| !chosen.iter().any(|kept| kept.contains(key)))
                .collect();
            self.drop_from_environment(&displaced);
        }
    }

    fn setting(&self, key: K) -> Option<&Setting<K>> {
        self.values.iter().find(|setting| setting.key == key)
    }

    pub(crate) fn given(&self, origin: Origin, key: K) -> bool {
        self.setting(key).is_some_and(|setting| setting.origin == origin)
    }

    pub(crate) fn get(&self, key: K) -> Option<&str> {
        self.setting(key).map(|setting| setting.value.as_str()).filter(|value| !value.is_empty())
    }

    /// As [`Settings::get`], by the option's name.
    fn get_named(&self, name: &str) -> Option<&str> {
        self.get(name.parse().ok()?)
    }

    /// Returns the setting's name for messages, and its value.
    pub(crate) fn get_shown(&self, key: K) -> Option<(String, &str)> {
        let setting = self.setting(key)?;
        Some((setting.named().to_string(), setting.value.as_str()))
    }

    pub(crate) fn has(&self, key: K) -> bool {
        self.get(key).is_some()
    }

    pub(crate) fn is_true(&self, key: K) -> bool {
        self.get(key).and_then(truth_of) == Some(true)
    }

    /// Records further texts that must not be shown.
    pub(crate) fn hide(&mut self, secrets: impl IntoIterator<Item = String>) {
        self.secrets.extend(secrets);
    }

    pub(crate) fn redactor(&self) -> Redactor {
        Redactor::new(self.secrets.iter().cloned())
    }

    pub(crate) fn bad_value(&self, setting: SettingName, expected: impl Into<String>) -> OpenError {
        OpenError::BadSetting { root: self.root.clone(), setting, expected: expected.into() }
    }

    pub(crate) fn bad_credentials(&self, problem: String) -> OpenError {
        OpenError::BadCredentials { root: self.root.clone(), problem }
    }

    /// Explains that the library refused the settings. Its own text is kept only where it concerns
    /// the connection. Other texts may repeat the values that were read.
    pub(crate) fn refused(&self, error: &object_store::Error) -> OpenError {
        let is_client = matches!(
            error,
            object_store::Error::Generic { store, .. } if *store == "HTTP client"
        );
        let cause = match is_client {
            true => self.redactor().clean(&causes(error)),
            false => "the settings do not fit together".to_owned(),
        };
        self.unusable(&cause)
    }

    /// Explains that the library failed on the settings.
    pub(crate) fn panicked(&self, panicked: &Panicked) -> OpenError {
        let words = self.redactor().clean(&panicked.0);
        self.unusable(&format!("a library failed on the settings ({words})"))
    }

    fn unusable(&self, cause: &str) -> OpenError {
        let reason = format!("{cause}; {}", self.names());
        OpenError::Settings { root: self.root.clone(), reason }
    }

    /// Returns the names of all settings that were given, as the end of a sentence.
    pub(crate) fn names(&self) -> String {
        let names: Vec<String> =
            self.values.iter().map(|setting| setting.named().to_string()).collect();
        match names.is_empty() {
            true => "check the location".to_owned(),
            false => format!("check {}", names.join(", ")),
        }
    }

    pub(crate) fn refuse_plain_http(
        &self,
        endpoint: Option<&str>,
        allow: K,
    ) -> Result<(), OpenError> {
        let is_plain = endpoint.is_some_and(|url| url.to_ascii_lowercase().starts_with("http:"));
        if is_plain && !self.is_true(allow) {
            let root = self.root.clone();
            return Err(OpenError::PlainHttp { root });
        }
        Ok(())
    }

    pub(crate) fn need_credentials(
        &self,
        found: bool,
        variables: &'static str,
        anonymous: &'static str,
    ) -> Result<(), OpenError> {
        if found || self.instance_credentials {
            return Ok(());
        }
        let root = self.root.clone();
        Err(OpenError::NoCredentials { root, variables, anonymous })
    }
}

/// Joins an error and its causes in one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(current) = cause {
        let words = current.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = current.source();
    }
    text
}

/// Returns the user and the password in a URL, also in a malformed one. Each is returned as it
/// stands there, and as it stands in a header.
pub(crate) fn user_of_url(text: &str) -> Vec<String> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let Some((user, _)) = rest.rsplit_once('@') else { return Vec::new() };
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let mut found = vec![user.to_owned(), decoded(user), password.to_owned(), decoded(password)];
    // A password may stand alone, before the colon: some servers take a token as the user.
    if password.is_empty() {
        found.push(decoded(name));
    }
    if let Ok(url) = Url::parse(text) {
        found.extend(url.password().map(str::to_owned));
    }
    found.sort();
    found.dedup();
    found.retain(|part| !part.is_empty());
    found
}

/// Returns the signature itself in a shared access signature, which stands alone in other texts.
fn signature_of(text: &str) -> Vec<String> {
    let decoded = percent_decode_str(text).decode_utf8_lossy().into_owned();
    let signature =
        decoded.split(['&', '?']).find_map(|pair| pair.strip_prefix("sig=")).map(str::to_owned);
    signature.into_iter().chain([decoded]).collect()
}
