//! How new objects of a bucket are encrypted, and what is better than what.

use quell_model::{Arn, Class};
use serde_json::{Map, Value, json};

use super::Unproven;
use super::policy::each;
use crate::proof::attributes::{Asked, no};

/// The one rule that S3 knows for the encryption of new objects.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Rule<'a> {
    algorithm: Option<&'a str>,
    key: Option<&'a str>,
    has_bucket_key: bool,
    /// Kinds of encryption that nobody may ask for.
    blocked: Vec<&'a str>,
}

impl<'a> Rule<'a> {
    /// From the whole configuration.
    ///
    /// # Errors
    /// [`Unproven`]: it has a member that nobody here knows, or not exactly one rule.
    pub(super) fn of(configuration: &'a Value) -> Result<Self, Unproven> {
        Self::read(configuration)
            .ok_or_else(|| no("the encryption of a bucket is exactly one rule, of known members"))
    }

    fn read(configuration: &'a Value) -> Option<Self> {
        let rules = only(configuration, &["Rules"])?.get("Rules")?.as_array()?;
        let [rule] = rules.as_slice() else {
            return None;
        };
        let names = [
            "ApplyServerSideEncryptionByDefault",
            "BucketKeyEnabled",
            "BlockedEncryptionTypes",
        ];
        let rule = only(rule, &names)?;
        let [default, bucket_key, blocked] = names.map(|name| rule.get(name));
        let mut read = Self::default();
        if let Some(default) = default {
            let default = only(default, &["SseAlgorithm", "KmsMasterKeyID"])?;
            read.algorithm = Some(default.get("SseAlgorithm")?.as_str()?);
            read.key = match default.get("KmsMasterKeyID") {
                Some(key) => Some(key.as_str()?),
                None => None,
            };
        }
        if let Some(bucket_key) = bucket_key {
            read.has_bucket_key = bucket_key.as_bool()?;
        }
        if let Some(blocked) = blocked {
            let kinds = each(only(blocked, &["EncryptionType"])?.get("EncryptionType"));
            read.blocked = kinds.map(Value::as_str).collect::<Option<_>>()?;
        }
        Some(read)
    }

    /// Whether objects are encrypted with a key of KMS.
    pub(super) fn is_kms(&self) -> bool {
        self.strength() == Some(2) || self.strength() == Some(3)
    }

    /// `None` for an algorithm that nobody here knows.
    fn strength(&self) -> Option<u8> {
        match self.algorithm {
            None => Some(0),
            Some("AES256") => Some(1),
            Some("aws:kms") => Some(2),
            Some("aws:kms:dsse") => Some(3),
            Some(_) => None,
        }
    }

    /// How far the step from `before` to this reaches, when it is one for the better and takes nothing away.
    ///
    /// # Errors
    /// [`Unproven`] says what would be worse, or was not asked for by the playbook's facts.
    pub(super) fn improves(&self, before: &Rule<'_>, asked: &Asked<'_>) -> Result<Class, Unproven> {
        let (Some(was), Some(is)) = (before.strength(), self.strength()) else {
            return Err(no("the encryption is of a kind that is not known"));
        };
        if is < was {
            return Err(no("the encryption would be weaker than it is"));
        }
        if was >= 2 && (self.algorithm, self.key) != (before.algorithm, before.key) {
            return Err(no(
                "what is encrypted with one key would be encrypted with another",
            ));
        }
        if before.has_bucket_key && !self.has_bucket_key {
            return Err(no("the bucket key would be taken off"));
        }
        if let Some(kind) = before
            .blocked
            .iter()
            .find(|kind| !self.blocked.contains(kind) && **kind != "NONE")
        {
            return Err(no(format!("{kind} would be allowed again")));
        }
        if self == before {
            return Err(no("the encryption would be as it is"));
        }
        let facts = asked.claim.facts;
        let newly = |kind: &&&str| !before.blocked.contains(kind);
        if let Some(kind) = self.blocked.iter().find(newly)
            && (*kind != "SSE-C" || facts.get("blockCustomerKeys") != Some(&Value::Bool(true)))
        {
            return Err(no(format!(
                "the playbook's facts do not ask to block {kind}"
            )));
        }
        if is >= 2 && was < 2 {
            self.is_the_key_of(asked)?;
        } else if self.has_bucket_key && !before.has_bucket_key {
            return Err(no(
                "a bucket key is for encryption with KMS that begins with it",
            ));
        }
        // Everybody may write with S3's own keys; a key of KMS, or a kind that is refused, is felt by who writes.
        Ok(
            match was == 0 && is == 1 && self.blocked == before.blocked {
                true => Class::R1,
                false => Class::R2,
            },
        )
    }

    /// The key is the one that the playbook's facts name, by its full ARN (an alias is looked up in the account of whoever
    /// writes), in the bucket's Region, and can be used.
    fn is_the_key_of(&self, asked: &Asked<'_>) -> Result<(), Unproven> {
        let wanted = asked.claim.facts.get("kmsKeyArn").and_then(Value::as_str);
        let key = self.key.filter(|key| Some(*key) == wanted);
        let key = key.ok_or_else(|| no("the key is not the one of the playbook's facts"))?;
        let arn: Option<Arn> = key.parse().ok();
        let is_near = |arn: &Arn| {
            arn.service == "kms"
                && arn.region == asked.claim.resource.region
                && arn.resource.starts_with("key/")
        };
        if self.algorithm != Some("aws:kms") || !arn.as_ref().is_some_and(is_near) {
            return Err(no(format!("{key} is no key in the bucket's Region")));
        }
        match asked.facts.get("keyState") == Some(&json!("Enabled")) {
            true => Ok(()),
            false => Err(no(format!("{key} cannot be used now"))),
        }
    }
}

/// The members of an object that has no others than these.
fn only<'a>(value: &'a Value, names: &[&str]) -> Option<&'a Map<String, Value>> {
    let members = value.as_object()?;
    let known = members.keys().all(|name| names.contains(&name.as_str()));
    known.then_some(members)
}
