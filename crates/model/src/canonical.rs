//! One byte form for one value, so that hashes of equal values are equal.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The canonical text of a JSON value: keys sorted, no spaces, as RFC 8785 does for the values Quell makes
/// (it differs from RFC 8785 only in how some floating-point numbers are printed).
pub fn canonical_json(value: &Value) -> String {
    // Sorted here, because a map keeps the order it was read in as soon as any crate of the build asks serde_json
    // for `preserve_order`, and one does.
    let mut value = value.clone();
    value.sort_all_objects();
    value.to_string()
}

/// SHA-256 of the bytes, as 64 lower-case hexadecimal digits.
pub fn sha256_hex(bytes: impl AsRef<[u8]>) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_order_does_not_matter() {
        let a: Value = serde_json::from_str(r#"{"b":1,"a":{"d":[1,2],"c":null}}"#).unwrap();
        let b: Value = serde_json::from_str(r#"{ "a": {"c":null,"d":[1,2]}, "b":1 }"#).unwrap();
        assert_eq!(canonical_json(&a), canonical_json(&b));
        assert_eq!(canonical_json(&a), r#"{"a":{"c":null,"d":[1,2]},"b":1}"#);
    }
}
