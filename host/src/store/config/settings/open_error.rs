//! Why a store cannot be opened.
//!
//! Owns: [`OpenError`] and its words. Must not know: how a store is built.
//!
//! 1. No value of a setting stands in it, and no text of a parser that has read one.

use std::fmt;

use crate::store::config::options::OptionError;

/// A setting of a store, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingName {
    /// A store option.
    Option(String),
    /// A variable of the environment.
    Variable(String),
}

impl fmt::Display for SettingName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(name) => write!(f, "the store option {name:?}"),
            Self::Variable(name) => write!(f, "the environment variable {name}"),
        }
    }
}

/// Says why a store cannot be opened, and what to set. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// An option is wrong.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// The value of a setting is wrong.
    #[error("cannot open {root}: the value of {setting} cannot be used: write {expected}")]
    BadSetting {
        /// The root.
        root: String,
        /// The option or the variable.
        setting: SettingName,
        /// What may be written.
        expected: String,
    },
    /// A setting was given that would change nothing.
    #[error("cannot open {root}: {setting} has no effect: {remedy}")]
    WithoutEffect {
        /// The root.
        root: String,
        /// The option or the variable.
        setting: SettingName,
        /// Why, and what to do.
        remedy: String,
    },
    /// What a setting points to, such as a key file, cannot be used.
    #[error("cannot open {root}: {problem}")]
    BadCredentials {
        /// The root.
        root: String,
        /// The thing, what is wrong with it, and what to do.
        problem: String,
    },
    /// No credentials are configured, so every request would be refused or hang.
    #[error(
        "no credentials for {root}: set {variables}; or the store option {anonymous} for a public \
         one; or instance_credentials=true to use the role of this machine"
    )]
    NoCredentials {
        /// The root.
        root: String,
        /// The environment variables to set.
        variables: &'static str,
        /// The option for anonymous access.
        anonymous: &'static str,
    },
    /// A setting that the service needs is missing.
    #[error("{root} needs {needed}")]
    MissingSetting {
        /// The root.
        root: String,
        /// What to set.
        needed: &'static str,
    },
    /// The endpoint is plain HTTP and nobody asked for that.
    #[error(
        "the endpoint of {root} is plain http, which sends everything readable: add \
         the store option allow_http=true if that is meant, or use https"
    )]
    PlainHttp {
        /// The root.
        root: String,
    },
    /// The settings do not fit together.
    #[error("cannot open {root}: {reason}")]
    Settings {
        /// The root.
        root: String,
        /// Which settings, and what is known of the cause, without secrets.
        reason: String,
    },
}

impl OpenError {
    /// Whether it is the fault of an option, and not of a variable of the environment or of what the
    /// settings point to.
    pub fn is_of_option(&self) -> bool {
        match self {
            Self::Option(_) => true,
            Self::BadSetting { setting, .. } | Self::WithoutEffect { setting, .. } => {
                matches!(setting, SettingName::Option(_))
            }
            _ => false,
        }
    }
}
