//! Secrets are references; what they stand for is never printed.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize, Serializer};

/// Where a secret stands: `env:NAME` or `file:PATH`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

/// A secret cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set.
    #[error(
        "the environment has no {0}: set it, or name another place (env:NAME, file:PATH) in quell.toml"
    )]
    NoVariable(String),
    /// The file cannot be read.
    #[error("the secret's file {path}: {source}")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not a reference.
    #[error("a secret is a reference (env:NAME or file:PATH), never the secret itself")]
    NotAReference,
}

impl Secret {
    /// A reference.
    pub fn reference(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Whether it says where the secret stands, instead of being one.
    pub fn is_reference(&self) -> bool {
        self.0.starts_with("env:") || self.0.starts_with("file:")
    }

    /// What it stands for.
    ///
    /// # Errors
    /// [`SecretError`] says what is missing.
    pub fn reveal(&self) -> Result<String, SecretError> {
        match self.0.split_once(':') {
            Some(("env", name)) => {
                super::environment(name).ok_or_else(|| SecretError::NoVariable(name.to_owned()))
            }
            Some(("file", path)) => std::fs::read_to_string(Path::new(path))
                .map(|text| text.trim().to_owned())
                .map_err(|source| SecretError::File {
                    path: path.to_owned(),
                    source,
                }),
            _ => Err(SecretError::NotAReference),
        }
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_reference() {
            &self.0
        } else {
            "«hidden»"
        })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
