//! The reasons why a store cannot be opened.
//!
//! Owns: [`OpenError`] and its texts. Must not know: how a store is built.
//!
//! 1. It holds no value of a setting, and no text of a parser that has read one.

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

/// Reports why a store cannot be opened, and the setting to change. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// An option is wrong.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// The value of a setting is wrong.
    #[error("cannot open {root}: invalid value of {setting}; write {expected}")]
    BadSetting {
        /// The root.
        root: String,
        /// The option or the variable.
        setting: SettingName,
        /// The permitted values.
        expected: String,
    },
    /// A setting would have no effect.
    #[error("cannot open {root}: {setting} has no effect: {remedy}")]
    WithoutEffect {
        /// The root.
        root: String,
        /// The option or the variable.
        setting: SettingName,
        /// The reason and the remedy.
        remedy: String,
    },
    /// The target of a setting, such as a key file, cannot be used.
    #[error("cannot open {root}: {problem}")]
    BadCredentials {
        /// The root.
        root: String,
        /// The thing, its fault, and the remedy.
        problem: String,
    },
    /// No credentials are configured, so every request would be refused or hang.
    #[error(
        "cannot open {root}: no credentials were found; set {variables}, or the store option \
         {anonymous} for public data, or instance_credentials=true to use the role of this \
         machine"
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
    #[error("cannot open {root}: {needed}")]
    MissingSetting {
        /// The root.
        root: String,
        /// The settings to add.
        needed: &'static str,
    },
    /// The endpoint is plain HTTP without a setting that allows it.
    #[error(
        "cannot open {root}: its endpoint is plain HTTP, which does not encrypt; use https, or \
         add the store option allow_http=true"
    )]
    PlainHttp {
        /// The root.
        root: String,
    },
    /// The program was built without this kind of store.
    #[error(
        "cannot open {root}: this program was built without {store}; build it with the feature \
         `{feature}` of stratalog"
    )]
    LeftOut {
        /// The root.
        root: String,
        /// The kind of store.
        store: &'static str,
        /// The feature that adds it.
        feature: &'static str,
    },
    /// The settings contradict each other.
    #[error("cannot open {root}: {reason}")]
    Settings {
        /// The root.
        root: String,
        /// The settings and the known facts about the cause, without secrets.
        reason: String,
    },
}

impl OpenError {
    /// Returns whether an option is at fault, and neither an environment variable nor the target of
    /// a setting.
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
