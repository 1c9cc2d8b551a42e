//! Where an account is in its organisation.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// An organisational unit by its names from the root on: `Root/Prod/Payments`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct OuPath(String);

/// The text is no path of an organisational unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "«{text}» is no path of an organisational unit: names from the root on are wanted, with «/» between them, as in Root/Prod"
)]
pub struct OuPathError {
    text: String,
}

impl OuPath {
    /// Organisations nest five units below the root at most; a name has 128 characters at most.
    pub const DEPTH_MAX: usize = 6;
    const NAME_CHARS_MAX: usize = 128;

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The unit itself and all units above it, the root first. Whoever asks whether an account is in a unit asks whether
    /// it is any of these: an account is in every unit above its own.
    pub fn up_to_root(&self) -> impl Iterator<Item = &str> {
        let ends = self.0.match_indices('/').map(|(at, _)| at);
        ends.chain([self.0.len()])
            .filter_map(|end| self.0.get(..end))
    }
}

impl FromStr for OuPath {
    type Err = OuPathError;

    fn from_str(text: &str) -> Result<Self, OuPathError> {
        let is_name = |name: &str| {
            !name.is_empty()
                && name.trim() == name
                && name.chars().count() <= Self::NAME_CHARS_MAX
                && !name.chars().any(char::is_control)
        };
        let names = text.split('/');
        match names.clone().count() <= Self::DEPTH_MAX && names.clone().all(is_name) {
            true => Ok(Self(text.to_owned())),
            false => Err(OuPathError {
                text: text.chars().take(120).collect(),
            }),
        }
    }
}

impl fmt::Display for OuPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for OuPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_in_every_unit_above_its_own() {
        let path: OuPath = "Root/Prod/Payments".parse().unwrap();
        let above: Vec<&str> = path.up_to_root().collect();
        assert_eq!(above, ["Root", "Root/Prod", "Root/Prod/Payments"]);
        let root: OuPath = "Root".parse().unwrap();
        assert_eq!(root.up_to_root().collect::<Vec<_>>(), ["Root"]);
    }

    #[test]
    fn what_is_no_path_is_not_read_as_one() {
        for bad in [
            "",
            "/",
            "Root/",
            "/Root",
            "Root//Prod",
            "Root/ Prod",
            "a/b/c/d/e/f/g",
            "Root/\n",
        ] {
            assert!(bad.parse::<OuPath>().is_err(), "{bad:?}");
        }
    }
}
