//! What a log's keeper signs: its name, size and root. The text is C2SP's tlog-checkpoint, the signature its signed-note with Ed25519.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use crate::Hash;

/// A log at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name, without spaces: a host name and a path, such as `quell.example.com/audit`.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// The hash over them.
    pub root: Hash,
}

/// A signed checkpoint that cannot be believed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It has another form.
    #[error(
        "the checkpoint is not one ({0}): three lines (name, size, root), an empty line and one signature line are wanted"
    )]
    Form(&'static str),
    /// It is of another log.
    #[error("the checkpoint is of «{found}», and the key of «{wanted}»")]
    Origin {
        /// Whose key was given.
        wanted: String,
        /// Whose checkpoint it is.
        found: String,
    },
    /// Signed by another key, or changed since.
    #[error(
        "the checkpoint's signature is not by the key {0}: it was changed, or signed by another"
    )]
    Signature(String),
}

/// A key that cannot be taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A name with a space or a plus, or none.
    #[error("a log's name has 1 to 200 printable characters, no space and no plus")]
    Name,
    /// Not a public key's text.
    #[error(
        "a public key reads NAME+8 hexadecimal digits+base64, and the digits belong to the rest"
    )]
    Text,
    /// Not 32 bytes.
    #[error("the signing key's seed cannot be used")]
    Seed,
}

/// In C2SP's signed-note, the kind of signature that Ed25519 is.
const ED25519_KIND: u8 = 1;

fn check_name(name: &str) -> Result<(), KeyError> {
    let fine = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
    match (1..=200).contains(&name.len()) && name.chars().all(fine) {
        true => Ok(()),
        false => Err(KeyError::Name),
    }
}

/// What signs checkpoints. It does not print its secret.
pub struct SigningKey {
    name: String,
    pair: Ed25519KeyPair,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.public())
    }
}

impl SigningKey {
    /// The key of a log, from 32 secret random bytes.
    ///
    /// # Errors
    /// [`KeyError::Name`] for a name that could not stand in a checkpoint.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        check_name(name)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::Seed)?;
        Ok(Self {
            name: name.to_owned(),
            pair,
        })
    }

    /// What others check its signatures with.
    pub fn public(&self) -> VerifyingKey {
        let mut key = [0; 32];
        for (to, from) in key.iter_mut().zip(self.pair.public_key().as_ref()) {
            *to = *from;
        }
        VerifyingKey {
            name: self.name.clone(),
            key,
        }
    }

    /// The signed checkpoint of this key's log.
    pub fn sign(&self, size: u64, root: Hash) -> String {
        let text = Checkpoint {
            origin: self.name.clone(),
            size,
            root,
        }
        .text();
        let signature = self.pair.sign(text.as_bytes());
        let mut line = self.public().id().to_vec();
        line.extend_from_slice(signature.as_ref());
        format!("{text}\n\u{2014} {} {}\n", self.name, STANDARD.encode(line))
    }
}

impl Checkpoint {
    /// What is signed.
    fn text(&self) -> String {
        let root = STANDARD.encode(self.root.0);
        format!("{}\n{}\n{root}\n", self.origin, self.size)
    }
}

/// What checkpoints are checked with: the name of a log and its public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    name: String,
    key: [u8; 32],
}

impl std::fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut tagged = vec![ED25519_KIND];
        tagged.extend_from_slice(&self.key);
        let (id, key) = (hex::encode(self.id()), STANDARD.encode(tagged));
        write!(f, "{}+{id}+{key}", self.name)
    }
}

impl std::str::FromStr for VerifyingKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Text);
        };
        check_name(name)?;
        let key = STANDARD.decode(key).map_err(|_| KeyError::Text)?;
        let key = match key.split_first() {
            Some((&ED25519_KIND, key)) => key.try_into().map_err(|_| KeyError::Text)?,
            _ => return Err(KeyError::Text),
        };
        let name = name.to_owned();
        let key = Self { name, key };
        (hex::encode(key.id()) == id)
            .then_some(key)
            .ok_or(KeyError::Text)
    }
}

impl VerifyingKey {
    /// The log's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a signature line names the key by.
    fn id(&self) -> [u8; 4] {
        let mut named = format!("{}\n", self.name).into_bytes();
        named.push(ED25519_KIND);
        named.extend_from_slice(&self.key);
        let [a, b, c, d, ..] = Hash::of_bytes(&named).0;
        [a, b, c, d]
    }

    /// Reads a signed checkpoint, byte for byte as [`SigningKey::sign`] writes it.
    ///
    /// # Errors
    /// [`CheckpointError`] when it has another form, is of another log, or not signed by this key.
    pub fn open(&self, signed: &str) -> Result<Checkpoint, CheckpointError> {
        use CheckpointError::Form;
        let (text, line) = signed
            .split_once("\n\n")
            .ok_or(Form("it has no signature"))?;
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(Form("it has not three lines"));
        };
        if origin != self.name {
            return Err(CheckpointError::Origin {
                wanted: self.name.clone(),
                found: origin.chars().take(200).collect(),
            });
        }
        let size = size.parse().map_err(|_| Form("its size is no number"))?;
        let root = STANDARD
            .decode(root)
            .ok()
            .and_then(|root| root.try_into().ok());
        let checkpoint = Checkpoint {
            origin: origin.to_owned(),
            size,
            root: Hash(root.ok_or(Form("its root is no SHA-256"))?),
        };
        // Printed again it must be the same text, or two texts would stand for one checkpoint.
        if checkpoint.text().strip_suffix('\n') != Some(text) {
            return Err(Form("it is not written as checkpoints are"));
        }
        let signature = line
            .strip_prefix(&format!("\u{2014} {} ", self.name))
            .and_then(|line| line.strip_suffix('\n'))
            .and_then(|line| STANDARD.decode(line).ok())
            .ok_or(Form("its signature line is none of this log"))?;
        let wrong = || CheckpointError::Signature(self.to_string());
        let signature = signature.strip_prefix(&self.id()).ok_or_else(wrong)?;
        UnparsedPublicKey::new(&ED25519, self.key)
            .verify(checkpoint.text().as_bytes(), signature)
            .map_err(|_| wrong())?;
        Ok(checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        SigningKey::new("quell.example.com/audit", &[7; 32]).unwrap()
    }

    #[test]
    fn what_was_signed_is_read_again() {
        let signed = key().sign(3, Hash::of_nothing());
        let opened = key().public().open(&signed).unwrap();
        assert_eq!((opened.size, opened.root), (3, Hash::of_nothing()));
        let text = key().public().to_string();
        assert_eq!(text.parse::<VerifyingKey>().unwrap(), key().public());
        assert!(!format!("{:?}", key()).contains("0707"));
    }

    #[test]
    fn no_bit_of_a_signed_checkpoint_may_be_another() {
        let signed = key().sign(1_000_000, Hash::of_leaf(b"x"));
        for at in 0..signed.len() {
            for bit in 0..8 {
                let mut bytes = signed.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                if let Ok(text) = String::from_utf8(bytes) {
                    assert!(key().public().open(&text).is_err(), "{at} {bit}: {text}");
                }
            }
            assert!(key().public().open(&signed[..at.min(3)]).is_err());
        }
        for more in ["\n", " ", "\n\u{2014} other AAAA\n"] {
            assert!(key().public().open(&format!("{signed}{more}")).is_err());
        }
    }

    #[test]
    fn another_s_signature_is_none() {
        let other = SigningKey::new("quell.example.com/audit", &[8; 32]).unwrap();
        let signed = other.sign(3, Hash::of_nothing());
        let error = key().public().open(&signed).unwrap_err();
        assert!(matches!(error, CheckpointError::Signature(_)), "{error}");
        let elsewhere = SigningKey::new("elsewhere", &[7; 32]).unwrap();
        let error = key().public().open(&elsewhere.sign(3, Hash::of_nothing()));
        assert!(
            matches!(error, Err(CheckpointError::Origin { .. })),
            "{error:?}"
        );
    }

    #[test]
    fn a_key_of_another_tool_is_read() {
        // The key that Go's documentation of signed notes signs its example with, and that example's form.
        let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let key: VerifyingKey = text.parse().unwrap();
        assert_eq!(key.to_string(), text);
        let flipped = text.replace("c74f20a3", "c74f20a4");
        assert_eq!(flipped.parse::<VerifyingKey>(), Err(KeyError::Text));
        for bad in ["", "a+b", "a b+c74f20a3+AAAA", "a+00000000+AAAA", "+1+AA"] {
            assert!(bad.parse::<VerifyingKey>().is_err(), "{bad}");
        }
        assert_eq!(
            SigningKey::new("a b", &[0; 32]).unwrap_err(),
            KeyError::Name
        );
    }
}
