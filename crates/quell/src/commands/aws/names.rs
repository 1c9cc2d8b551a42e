//! Names as people write them: services by botocore's name or Step Functions', operations and waiters in any spelling.

use quell_aws::model::Service;
use quell_aws::{AwsError, registry, sdk_service};

/// botocore's name of a service.
///
/// # Errors
/// [`AwsError::UnknownService`], with the nearest name there is.
pub(super) fn service(word: &str) -> Result<&'static str, AwsError> {
    let lower = word.to_ascii_lowercase();
    let name = sdk_service(&lower);
    let known = registry::SERVICES.iter().find(|known| **known == name);
    match known {
        Some(known) => Ok(known),
        None => Err(AwsError::UnknownService {
            service: word.to_owned(),
            nearest: nearest(&lower, registry::SERVICES.iter().copied()),
        }),
    }
}

/// The API's name of an operation.
///
/// # Errors
/// [`AwsError::UnknownOperation`], with the nearest name there is.
pub(super) fn operation(service: &str, word: &str) -> Result<&'static str, AwsError> {
    let model: &'static Service = registry::service(service)?;
    let names = || model.operations.keys().map(String::as_str);
    find(word, names()).ok_or_else(|| AwsError::UnknownOperation {
        service: service.to_owned(),
        operation: word.to_owned(),
        nearest: nearest(&squeezed(word), names()),
    })
}

/// The name among `names` that is `word` in some spelling.
pub(super) fn find<'a>(word: &str, mut names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = squeezed(word);
    names.find(|name| squeezed(name) == wanted)
}

fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let names: Vec<(String, &str)> = names.map(|name| (squeezed(name), name)).collect();
    let found = quell_model::nearest(word, names.iter().map(|(squeezed, _)| squeezed.as_str()))?;
    let named = names.iter().find(|(squeezed, _)| squeezed == found);
    named.map(|(_, name)| (*name).to_owned())
}

/// Without what differs between the spellings.
fn squeezed(name: &str) -> String {
    let letters = name.chars().filter(|c| !matches!(c, '-' | '_'));
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

/// `DescribeDBInstances` as `describe-db-instances`.
pub(super) fn with_dashes(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (i, letter) in letters.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| letters.get(i));
        let after_small = before.is_some_and(|c| !c.is_uppercase());
        let ends_acronym = before.is_some() && letters.get(i + 1).is_some_and(|c| c.is_lowercase());
        if letter.is_uppercase() && (after_small || ends_acronym) {
            out.push('-');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_spelling_is_found_and_a_wrong_one_is_answered_with_the_nearest() {
        for word in ["events", "eventbridge", "EventBridge"] {
            assert_eq!(service(word).unwrap(), "events");
        }
        for word in [
            "DescribeInstances",
            "describe-instances",
            "describeInstances",
        ] {
            assert_eq!(operation("ec2", word).unwrap(), "DescribeInstances");
        }
        let text = service("ecc2").unwrap_err().to_string();
        assert!(text.contains("did you mean ec2?"), "{text}");
        let text = operation("ec2", "describe-instnces")
            .unwrap_err()
            .to_string();
        assert!(text.contains("did you mean DescribeInstances?"), "{text}");
    }

    #[test]
    fn every_operation_is_found_in_every_spelling() {
        for name in registry::SERVICES {
            let operations = &registry::service(name).unwrap().operations;
            let squeezed: std::collections::BTreeSet<String> =
                operations.keys().map(|name| squeezed(name)).collect();
            assert_eq!(squeezed.len(), operations.len(), "{name}");
            for operation in operations.keys() {
                let dashed = with_dashes(operation);
                assert_eq!(super::squeezed(&dashed), super::squeezed(operation));
            }
        }
        assert_eq!(with_dashes("DescribeDBInstances"), "describe-db-instances");
        assert_eq!(with_dashes("ListObjectsV2"), "list-objects-v2");
        assert_eq!(with_dashes("GetEC2Info"), "get-ec2-info");
    }
}
