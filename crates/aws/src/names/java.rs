//! The Java SDK's spelling of names, which Step Functions speaks: it hands parameters and answers to that SDK.

/// What a member called like a word or method of Java gets at its end.
const RESERVED_ENDING: &str = "Value";

/// Java's keywords.
const KEYWORDS: &[&str] = &[
    "abstract",
    "assert",
    "boolean",
    "break",
    "byte",
    "case",
    "catch",
    "char",
    "class",
    "const",
    "continue",
    "default",
    "do",
    "double",
    "else",
    "enum",
    "extends",
    "false",
    "final",
    "finally",
    "float",
    "for",
    "goto",
    "if",
    "implements",
    "import",
    "instanceof",
    "int",
    "interface",
    "long",
    "native",
    "new",
    "null",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "short",
    "static",
    "strictfp",
    "super",
    "switch",
    "synchronized",
    "this",
    "throw",
    "throws",
    "transient",
    "true",
    "try",
    "void",
    "volatile",
    "while",
];

/// Methods that every object of the SDK has.
const METHODS: &[&str] = &[
    "builder",
    "equals",
    "finalize",
    "getClass",
    "hashCode",
    "notify",
    "notifyAll",
    "overrideConfiguration",
    "sdkFields",
    "sdkHttpResponse",
    "toBuilder",
    "toString",
    "wait",
];

/// A member's property: `stateMachineArn` is `StateMachineArn`, `DBInstanceArn` is `DbInstanceArn`, `Equals` is
/// `EqualsValue`.
pub(super) fn property(member: &str) -> String {
    let method = uncapitalised(member);
    let lower = method.to_lowercase();
    let is_reserved = KEYWORDS.contains(&lower.as_str()) || METHODS.contains(&method.as_str());
    let ending = if is_reserved { RESERVED_ENDING } else { "" };
    capitalised(&method) + ending
}

/// The first word in lower case, a whole acronym at once: `DBInstance` is `dbInstance`, `ETag` is `eTag`.
fn uncapitalised(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let is_upper = |i: usize| letters.get(i).is_some_and(char::is_ascii_uppercase);
    let begins_word = |i: usize| letters.get(i + 1).is_some_and(char::is_ascii_lowercase);
    let first_word = (1..letters.len())
        .take_while(|i| is_upper(*i) && !begins_word(*i))
        .count();
    let word = letters.iter().take(first_word + 1);
    let rest = letters.iter().skip(first_word + 1);
    word.map(char::to_ascii_lowercase)
        .chain(rest.copied())
        .collect()
}

/// Every word with one capital: `DBInstanceNotFound` is `DbInstanceNotFound`, `CloudWatch Logs` is `CloudWatchLogs`.
pub(super) fn pascal(name: &str) -> String {
    let letters = with_versions_apart(name);
    let at = |i: usize| letters.get(i).copied().unwrap_or(' ');
    let mut pascal = String::new();
    for (i, letter) in letters.iter().enumerate() {
        let before = i.checked_sub(1).map_or(' ', at);
        if !letter.is_ascii_alphanumeric() {
            continue;
        }
        if begins_word(before, *letter, at(i + 1)) {
            pascal.push(letter.to_ascii_uppercase());
        } else {
            pascal.push(letter.to_ascii_lowercase());
        }
    }
    pascal
}

/// A version after capitals is a word of its own: `IPv6` is `IP v6`.
fn with_versions_apart(name: &str) -> Vec<char> {
    let letters: Vec<char> = name.chars().collect();
    let mut apart = Vec::new();
    for (i, letter) in letters.iter().enumerate() {
        let before = i.checked_sub(2).and_then(|start| letters.get(start..i));
        let in_capitals = before.is_some_and(|two| !two.iter().any(char::is_ascii_lowercase));
        let has_number = letters.get(i + 1).is_some_and(char::is_ascii_digit);
        if *letter == 'v' && in_capitals && has_number {
            apart.push(' ');
        }
        apart.push(*letter);
    }
    apart
}

/// Whether the second of three letters begins a word.
fn begins_word(before: char, letter: char, after: char) -> bool {
    let is_hump = before.is_ascii_lowercase() && letter.is_ascii_uppercase();
    let ends_acronym = before.is_ascii_uppercase() && letter.is_ascii_uppercase();
    !before.is_ascii_alphanumeric()
        || (is_hump && after.is_ascii_alphanumeric())
        || (ends_acronym && after.is_ascii_lowercase())
        || (before.is_ascii_digit() && letter.is_ascii_alphabetic())
}

pub(super) fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_properties() {
        for (member, spelled) in [
            ("stateMachineArn", "StateMachineArn"),
            ("GroupId", "GroupId"),
            ("DBInstanceIdentifier", "DbInstanceIdentifier"),
            ("SourceDBClusterIdentifier", "SourceDBClusterIdentifier"),
            ("ETag", "ETag"),
            ("ChecksumCRC32", "ChecksumCRC32"),
            ("SSEKMSKeyId", "SsekmsKeyId"),
            ("ACL", "Acl"),
            ("S", "S"),
            ("SS", "Ss"),
            ("equals", "EqualsValue"),
            ("Equals", "EqualsValue"),
            ("Return", "ReturnValue"),
            ("", ""),
        ] {
            assert_eq!(property(member), spelled);
        }
    }

    #[test]
    fn words_have_one_capital() {
        for (name, spelled) in [
            ("DBInstanceNotFound", "DbInstanceNotFound"),
            ("EC2ThrottledException", "Ec2ThrottledException"),
            ("KMSAccessDeniedException", "KmsAccessDeniedException"),
            ("CloudWatch Logs", "CloudWatchLogs"),
            ("Elastic Load Balancing v2", "ElasticLoadBalancingV2"),
            ("ApiGatewayV2", "ApiGatewayV2"),
            ("WAFV2", "Wafv2"),
            ("IPv6InUse", "IpV6InUse"),
            ("identitystore", "Identitystore"),
            ("Route 53", "Route53"),
        ] {
            assert_eq!(pascal(name), spelled);
        }
    }
}
