//! AWS Signature Version 4, the receiving side: is this request what the holder of a key signed, just now?
//!
//! Follows "Signature Version 4 signing process" (IAM user guide). Only the header form is taken. What is not
//! signed is not believed: host, date, every `x-amz-*` header and the body must be covered.

use std::collections::BTreeMap;

use hmac::{Hmac, Mac};
use quell_model::{Timestamp, sha256_hex};
use sha2::Sha256;
use subtle::ConstantTimeEq;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// How far the signer's clock may be from ours.
pub(crate) const SKEW_MILLIS_MAX: i64 = 5 * 60 * 1000;
/// The services a request to Quell may be signed for.
const SERVICES: &[&str] = &["execute-api", "quell", "events"];

/// Why a request was not let in. The text goes to the caller: it never says which part of a signature was wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no signature.
    #[error(
        "the request is not signed: sign it with AWS Signature Version 4 (`curl --aws-sigv4 aws:amz:us-east-1:execute-api --user KEY:SECRET`, or any AWS SDK)"
    )]
    Missing,
    /// The Authorization header cannot be read.
    #[error(
        "the Authorization header is not AWS4-HMAC-SHA256 with Credential, SignedHeaders and Signature: {0}"
    )]
    Form(&'static str),
    /// A header that must be signed is not.
    #[error("the header «{0}» must be signed")]
    Unsigned(String),
    /// The clock is wrong, or the request is old.
    #[error(
        "the request was signed at {signed_at}, more than five minutes from {now}: check the clock"
    )]
    Skew {
        /// When it says.
        signed_at: Timestamp,
        /// Our time.
        now: Timestamp,
    },
    /// Nobody has this key, or the signature is not theirs: the two are not told apart.
    #[error(
        "the signature does not match: check the key, the secret and that nothing changed the request on the way"
    )]
    Mismatch,
}

/// The parts of an HTTP request that are signed.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// `GET`.
    pub method: &'a str,
    /// The path as on the wire.
    pub path: &'a str,
    /// The query as on the wire, without the question mark.
    pub query: &'a str,
    /// Names in lower case, values as sent, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: &'a [u8],
}

/// What a signature claims, before it is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The access key's id.
    pub key_id: String,
    /// The signature, as 64 hexadecimal digits.
    pub signature: String,
    /// When it was signed.
    pub signed_at: Timestamp,
    amz_date: String,
    /// `20150830/us-east-1/service/aws4_request`.
    scope: String,
    signed_headers: Vec<String>,
}

impl<'a> Request<'a> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    /// Reads the claim and checks all that can be checked without the secret.
    ///
    /// # Errors
    /// [`SignatureError`], never [`SignatureError::Mismatch`].
    pub fn claim(&self, now: Timestamp) -> Result<Claimed, SignatureError> {
        let mut authorizations = self.headers.iter().filter(|(n, _)| n == "authorization");
        let authorization = authorizations
            .next()
            .map(|(_, v)| v.as_str())
            .ok_or(SignatureError::Missing)?;
        if authorizations.next().is_some() {
            return Err(SignatureError::Form("there are two"));
        }
        let claimed = self.read(authorization)?;
        self.check_scope(&claimed)?;
        self.check_coverage(&claimed)?;
        if claimed.signed_at.millis_since(now).abs() > SKEW_MILLIS_MAX {
            return Err(SignatureError::Skew {
                signed_at: claimed.signed_at,
                now,
            });
        }
        Ok(claimed)
    }

    fn read(&self, authorization: &str) -> Result<Claimed, SignatureError> {
        let rest = authorization
            .trim_start()
            .strip_prefix(ALGORITHM)
            .ok_or(SignatureError::Form("another algorithm"))?;
        let mut parts: BTreeMap<&str, &str> = BTreeMap::new();
        for part in rest.split(',') {
            let (name, value) = part
                .trim()
                .split_once('=')
                .ok_or(SignatureError::Form("a part without «=»"))?;
            if parts.insert(name, value).is_some() {
                return Err(SignatureError::Form("a part twice"));
            }
        }
        let part = |name: &'static str| parts.get(name).copied().ok_or(SignatureError::Form(name));
        let credential = part("Credential")?;
        let (key_id, scope) = credential
            .split_once('/')
            .ok_or(SignatureError::Form("Credential"))?;
        let signature = part("Signature")?;
        if signature.len() != 64
            || !signature
                .bytes()
                .all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
        {
            return Err(SignatureError::Form("Signature"));
        }
        let amz_date = self
            .header("x-amz-date")
            .ok_or(SignatureError::Unsigned("x-amz-date".into()))?;
        Ok(Claimed {
            key_id: key_id.to_owned(),
            signature: signature.to_owned(),
            signed_at: read_amz_date(amz_date).ok_or(SignatureError::Form("x-amz-date"))?,
            amz_date: amz_date.to_owned(),
            scope: scope.to_owned(),
            signed_headers: part("SignedHeaders")?
                .split(';')
                .map(str::to_owned)
                .collect(),
        })
    }

    fn check_scope(&self, claimed: &Claimed) -> Result<(), SignatureError> {
        let parts: Vec<&str> = claimed.scope.split('/').collect();
        let [date, region, service, "aws4_request"] = parts.as_slice() else {
            return Err(SignatureError::Form("Credential"));
        };
        let good = claimed.amz_date.starts_with(date) && date.len() == 8 && !region.is_empty();
        if !good || !SERVICES.contains(service) {
            return Err(SignatureError::Form(
                "the scope: date/region/execute-api/aws4_request is wanted",
            ));
        }
        Ok(())
    }

    /// Host, date and every `x-amz-*` header must be signed; the body's hash, where stated, must be the body's.
    fn check_coverage(&self, claimed: &Claimed) -> Result<(), SignatureError> {
        let signed = |name: &str| claimed.signed_headers.iter().any(|s| s == name);
        let sorted = claimed
            .signed_headers
            .windows(2)
            .all(|w| matches!(w, [a, b] if a < b));
        if !sorted {
            return Err(SignatureError::Form(
                "SignedHeaders must be sorted, each once",
            ));
        }
        if !signed("host") {
            return Err(SignatureError::Unsigned("host".into()));
        }
        if let Some((name, _)) = self
            .headers
            .iter()
            .find(|(n, _)| n.starts_with("x-amz-") && !signed(n))
        {
            return Err(SignatureError::Unsigned(name.clone()));
        }
        if let Some(name) = claimed
            .signed_headers
            .iter()
            .find(|s| self.header(s).is_none())
        {
            return Err(SignatureError::Unsigned(name.clone()));
        }
        match self.header("x-amz-content-sha256") {
            Some(stated) if stated != sha256_hex(self.body) => Err(SignatureError::Form(
                "x-amz-content-sha256 is not the body's hash (an unsigned payload is refused)",
            )),
            _ => Ok(()),
        }
    }

    /// Whether the claim is the work of the holder of `secret`. Takes as long whatever is wrong.
    ///
    /// # Errors
    /// [`SignatureError::Mismatch`].
    pub fn verify(&self, claimed: &Claimed, secret: &str) -> Result<(), SignatureError> {
        let wanted = self.signature(claimed, secret);
        let same = wanted.as_bytes().ct_eq(claimed.signature.as_bytes());
        if bool::from(same) {
            Ok(())
        } else {
            Err(SignatureError::Mismatch)
        }
    }

    fn signature(&self, claimed: &Claimed, secret: &str) -> String {
        let text = self.string_to_sign(claimed);
        let seed = format!("AWS4{secret}");
        let key = claimed
            .scope
            .split('/')
            .fold(seed.into_bytes(), |key, part| hmac(&key, part));
        hex::encode(hmac(&key, &text))
    }

    fn string_to_sign(&self, claimed: &Claimed) -> String {
        let hash = sha256_hex(self.canonical(claimed));
        format!(
            "{ALGORITHM}\n{}\n{}\n{hash}",
            claimed.amz_date, claimed.scope
        )
    }

    fn canonical(&self, claimed: &Claimed) -> String {
        let mut out = format!(
            "{}\n{}\n{}\n",
            self.method,
            canonical_path(self.path),
            canonical_query(self.query)
        );
        for name in &claimed.signed_headers {
            let values: Vec<String> = self
                .headers
                .iter()
                .filter(|(n, _)| n == name)
                .map(|(_, v)| one_space(v))
                .collect();
            out.push_str(&format!("{name}:{}\n", values.join(",")));
        }
        out.push_str(&format!(
            "\n{}\n{}",
            claimed.signed_headers.join(";"),
            sha256_hex(self.body)
        ));
        out
    }
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    // HMAC takes a key of any length, so this cannot fail; were it to, an empty signature matches nothing.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mut mac| {
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        })
        .unwrap_or_default()
}

/// `20150830T123600Z`.
fn read_amz_date(text: &str) -> Option<Timestamp> {
    let digits = text.len() == 16
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 => b == b'T',
            15 => b == b'Z',
            _ => b.is_ascii_digit(),
        });
    let cut = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let rfc = format!(
        "{}-{}-{}T{}:{}:{}Z",
        cut(0, 4),
        cut(4, 6),
        cut(6, 8),
        cut(9, 11),
        cut(11, 13),
        cut(13, 15)
    );
    if digits { rfc.parse().ok() } else { None }
}

/// Runs of spaces are one space, and none at the ends.
fn one_space(value: &str) -> String {
    value
        .split(' ')
        .filter(|p| !p.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
        .trim()
        .to_owned()
}

/// The path without `.`, `..` and doubled slashes, percent-encoded once more (every service but S3 does so).
fn canonical_path(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(kept.pop()),
            part => kept.push(part),
        }
    }
    let mut out = String::from("/");
    out.push_str(&kept.join("/"));
    let ends_in_slash = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
    if ends_in_slash && !kept.is_empty() {
        out.push('/');
    }
    encode(&out, true)
}

/// The parameters decoded, encoded anew and sorted by name, then value.
fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|p| !p.is_empty())
        .map(|p| {
            let (name, value) = p.split_once('=').unwrap_or((p, ""));
            (
                encode_bytes(&decode(name), false),
                encode_bytes(&decode(value), false),
            )
        })
        .collect();
    pairs.sort();
    pairs
        .iter()
        .map(|(n, v)| format!("{n}={v}"))
        .collect::<Vec<_>>()
        .join("&")
}

fn decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let pair = tail.get(..2).and_then(|h| std::str::from_utf8(h).ok());
        match pair
            .filter(|_| *first == b'%')
            .and_then(|h| u8::from_str_radix(h, 16).ok())
        {
            Some(byte) => {
                out.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

fn encode(text: &str, keep_slash: bool) -> String {
    encode_bytes(text.as_bytes(), keep_slash)
}

fn encode_bytes(bytes: &[u8], keep_slash: bool) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(*byte))
            }
            b'/' if keep_slash => out.push('/'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
#[path = "sigv4_tests.rs"]
mod tests;
