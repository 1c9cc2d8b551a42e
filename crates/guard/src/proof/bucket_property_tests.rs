//! Random settings: whatever is proven only closes.

use super::*;
use proptest::prelude::*;

fn block() -> impl Strategy<Value = [bool; 4]> {
    any::<[bool; 4]>()
}

fn value(on: [bool; 4]) -> Value {
    FLAGS.iter().zip(on).map(|(f, on)| (*f, on)).collect()
}

/// Encryption of any strength, some of it of no kind that S3 knows.
fn rule() -> impl Strategy<Value = Value> {
    let algorithm = prop::sample::select(vec!["", "AES256", "aws:kms", "aws:kms:dsse", "x"]);
    let key = prop::sample::select(vec!["", KEY, "other"]);
    let blocked = prop::sample::select(vec![vec![], vec!["SSE-C"], vec!["NONE"]]);
    (algorithm, key, any::<bool>(), blocked).prop_map(|(algorithm, key, bucket_key, blocked)| {
        let mut rule = json!({"BucketKeyEnabled": bucket_key});
        if !algorithm.is_empty() {
            rule["ApplyServerSideEncryptionByDefault"] = json!({"SseAlgorithm": algorithm});
        }
        if !key.is_empty() && !algorithm.is_empty() {
            rule["ApplyServerSideEncryptionByDefault"]["KmsMasterKeyID"] = json!(key);
        }
        if !blocked.is_empty() {
            rule["BlockedEncryptionTypes"] = json!({"EncryptionType": blocked});
        }
        encryption(rule)
    })
}

proptest! {
    #[test]
    fn flags_are_only_added(before in prop::option::of(block()), after in block()) {
        let mut image = bare();
        if let Some(before) = before {
            image[BLOCK] = value(before);
        }
        let was = before.unwrap_or_default();
        let only_more = was.iter().zip(after).all(|(was, is)| is || !was);
        let plan = plan(image, &[(BLOCK, value(after), Class::R1)]);
        prop_assert_eq!(check(&plan).is_ok(), only_more && was != after);
    }

    #[test]
    fn encryption_only_gets_stronger(before in rule(), after in rule()) {
        let plan = plan(json!({ENCRYPTION: before.clone()}), &[(ENCRYPTION, after.clone(), Class::R2)]);
        if check(&plan).is_err() {
            return Ok(());
        }
        let at = |e: &Value, path: &str| e.pointer(&format!("/Rules/0/{path}")).cloned().unwrap_or_default();
        let order = [Value::Null, json!("AES256"), json!("aws:kms"), json!("aws:kms:dsse")];
        let default = "ApplyServerSideEncryptionByDefault";
        let algorithm = |e: &Value| at(e, &format!("{default}/SseAlgorithm"));
        let strength = |e: &Value| order.iter().position(|known| *known == algorithm(e)).unwrap();
        prop_assert!(strength(&after) >= strength(&before));
        if strength(&before) >= 2 {
            prop_assert_eq!(at(&after, default), at(&before, default));
        }
        prop_assert!(at(&after, "BucketKeyEnabled") == true || at(&before, "BucketKeyEnabled") == false);
        let blocks = |e: &Value| at(e, "BlockedEncryptionTypes/EncryptionType/0") == "SSE-C";
        prop_assert!(blocks(&after) || !blocks(&before));
        prop_assert_ne!(before, after);
    }
}
