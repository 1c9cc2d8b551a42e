//! The secrets of access keys, sealed: who only reads the state store does not get them.
//!
//! Signature Version 4 is checked with the secret itself, so a hash of it will not do. It is stored sealed with AES-256-GCM,
//! under a key that is not in the store. What else is stored of the access key is sealed in with it, so that nobody can
//! give one key's secret to another, or another role to a key, unnoticed.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest, Sha256};

use crate::keys::AccessKey;

/// How a sealed secret begins. The version of the form is part of it.
const SEALED: &str = "sealed:1:";
/// A shorter secret could be guessed.
const CHARS_MIN: usize = 32;

/// What access keys are sealed with, or nothing.
#[derive(Default)]
pub struct Sealing(Option<LessSafeKey>);

/// A secret cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It is no secret for this.
    #[error(
        "the secret that seals API keys has {0} characters: give it at least {CHARS_MIN} (openssl rand -hex 32)"
    )]
    Short(usize),
    /// It was sealed with another.
    #[error(
        "the secret of {0} was sealed with another store.key: give this process the one of those that made it (of an API key, a new one can be made)"
    )]
    Other(String),
    /// It is sealed, and there is nothing to open it with.
    #[error("the secret of {0} is sealed, and this process has no store.key")]
    Sealed(String),
    /// The library refused to seal.
    #[error("the secret of {0} could not be sealed")]
    Failed(String),
}

impl Sealing {
    /// Seals with a key that is made from a secret.
    ///
    /// # Errors
    /// [`SealError::Short`].
    pub fn with(secret: &str) -> Result<Self, SealError> {
        let secret = secret.trim();
        let chars = secret.chars().count();
        if chars < CHARS_MIN {
            return Err(SealError::Short(chars));
        }
        let mut hash = Sha256::new();
        hash.update("quell: secrets of API keys\n");
        hash.update(secret);
        let key = UnboundKey::new(&AES_256_GCM, &hash.finalize());
        key.map(|key| Self(Some(LessSafeKey::new(key))))
            .map_err(|_| SealError::Short(chars))
    }

    /// Whether secrets are sealed at all.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The access key as it is stored. `nonce`: random, and never twice.
    ///
    /// # Errors
    /// [`SealError::Failed`].
    pub fn seal(&self, key: AccessKey, nonce: [u8; NONCE_LEN]) -> Result<AccessKey, SealError> {
        let secret = self.seal_text(&key.id, key.secret.clone(), &beside(&key), nonce)?;
        Ok(AccessKey { secret, ..key })
    }

    /// The access key, with its secret as it was given out.
    ///
    /// # Errors
    /// [`SealError`] says what is missing.
    pub fn open(&self, key: AccessKey) -> Result<AccessKey, SealError> {
        let secret = self.open_text(&key.id, key.secret.clone(), &beside(&key))?;
        Ok(AccessKey { secret, ..key })
    }

    /// A secret as it is stored: `what` names it in errors, `beside` is sealed in with it and must be the same when it is opened.
    /// Without a key it stays as it is.
    ///
    /// # Errors
    /// [`SealError::Failed`].
    pub fn seal_text(
        &self,
        what: &str,
        secret: String,
        beside: &str,
        nonce: [u8; NONCE_LEN],
    ) -> Result<String, SealError> {
        let Some(sealing) = &self.0 else {
            return Ok(secret);
        };
        let mut secret = secret.into_bytes();
        let sealed = sealing.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(beside),
            &mut secret,
        );
        sealed.map_err(|_| SealError::Failed(what.to_owned()))?;
        let (nonce, secret) = (hex::encode(nonce), hex::encode(secret));
        Ok(format!("{SEALED}{nonce}{secret}"))
    }

    /// A secret as it was before it was sealed.
    ///
    /// # Errors
    /// [`SealError`] says what is missing.
    pub fn open_text(&self, what: &str, stored: String, beside: &str) -> Result<String, SealError> {
        let Some(sealed) = stored.strip_prefix(SEALED) else {
            return Ok(stored);
        };
        let Some(sealing) = &self.0 else {
            return Err(SealError::Sealed(what.to_owned()));
        };
        open(sealing, sealed, beside).ok_or_else(|| SealError::Other(what.to_owned()))
    }
}

fn open(sealing: &LessSafeKey, sealed: &str, beside: &str) -> Option<String> {
    let sealed = hex::decode(sealed).ok()?;
    let (nonce, secret) = sealed.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut secret = secret.to_vec();
    let opened = sealing.open_in_place(nonce, Aad::from(beside), &mut secret);
    String::from_utf8(opened.ok()?.to_vec()).ok()
}

/// Whether a stored access key holds its secret as it is.
pub fn is_open(key: &AccessKey) -> bool {
    !key.secret.starts_with(SEALED)
}

/// What is sealed in with the secret. The owner is last: it may be any text.
fn beside(key: &AccessKey) -> String {
    let (id, role, at) = (&key.id, key.role.as_str(), key.created_at.millis());
    format!("{id}|{role}|{at}|{}", key.owner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Role, new_key};
    use quell_model::Timestamp;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn key() -> AccessKey {
        new_key(&[7; 45], Role::Viewer, "me", Timestamp::from_millis(5))
    }

    #[test]
    fn what_is_stored_does_not_tell_the_secret_and_gives_it_back() {
        let sealing = Sealing::with(SECRET).unwrap();
        let stored = sealing.seal(key(), [1; NONCE_LEN]).unwrap();
        let text = serde_json::to_string(&stored).unwrap();
        assert!(!text.contains(&key().secret), "{text}");
        assert!(!is_open(&stored) && is_open(&key()));
        assert_eq!(sealing.open(stored.clone()).unwrap().secret, key().secret);
        assert_eq!(
            sealing.open(key()).unwrap().secret,
            key().secret,
            "one of before"
        );
        let again = sealing.seal(key(), [2; NONCE_LEN]).unwrap();
        assert_ne!(again.secret, stored.secret);
    }

    #[test]
    fn what_was_changed_or_sealed_by_others_is_refused() {
        let sealing = Sealing::with(SECRET).unwrap();
        let stored = sealing.seal(key(), [1; NONCE_LEN]).unwrap();
        let changes: [fn(&mut AccessKey); 6] = [
            |k| k.role = Role::Responder,
            |k| k.id.push('A'),
            |k| k.owner = "you".into(),
            |k| k.created_at = Timestamp::from_millis(6),
            |k| k.secret.push_str("00"),
            |k| k.secret.truncate(SEALED.len() + 4),
        ];
        for change in changes {
            let mut changed = stored.clone();
            change(&mut changed);
            let error = sealing.open(changed).err().unwrap();
            assert!(matches!(error, SealError::Other(_)), "{error}");
        }
        let other = Sealing::with(&SECRET.replace('0', "1")).unwrap();
        assert!(matches!(
            other.open(stored.clone()),
            Err(SealError::Other(_))
        ));
        let none = Sealing::default().open(stored);
        assert!(matches!(none, Err(SealError::Sealed(_))));
        assert!(matches!(Sealing::with("short"), Err(SealError::Short(5))));
    }
}
