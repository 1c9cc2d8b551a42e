//! What a finding is about, as a resource that a person can look up.

use quell_model::{Arn, Resource};

use crate::resource::{is_id, of_arn, partition};

/// A type that the table of resources does not have.
const OTHER: &str = "Other";

/// Whether a text is an account's id.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a text is a Region's name, or could be.
pub(super) fn is_region(text: &str) -> bool {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=40).contains(&text.len()) && text.bytes().all(good)
}

/// The account itself.
pub(super) fn account(account: &str, region: &str) -> Resource {
    let arn = Arn {
        partition: partition(region).to_owned(),
        service: "iam".to_owned(),
        region: String::new(),
        account: account.to_owned(),
        resource: "root".to_owned(),
    };
    Resource::new(arn, "AWS::::Account", account)
}

/// What an ARN of the account names. A type that Quell does not know keeps its CloudFormation name when the product says
/// one, so that people see it; no playbook waits for it. Another account's resource is none: a finding names only its own.
pub(super) fn arn(text: &str, account_id: &str, kind: Option<&str>) -> Option<Resource> {
    if let Some(known) = of_arn(text, account_id) {
        return Some(known);
    }
    let arn: Arn = text.parse().ok()?;
    let here = arn.account.is_empty() || arn.account == account_id;
    if !here || !is_id(&arn.resource) {
        return None;
    }
    if arn.service == "iam" && arn.resource == "root" && is_account(&arn.account) {
        return Some(account(&arn.account, &arn.region));
    }
    let id = arn
        .resource
        .rsplit(['/', ':'])
        .next()
        .filter(|id| !id.is_empty())?;
    let is_type = |kind: &&str| {
        kind.starts_with("AWS::")
            && kind.len() <= 128
            && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b':')
    };
    let (kind, id) = (kind.filter(is_type).unwrap_or(OTHER), id.to_owned());
    Some(Resource::new(arn, kind, id))
}

/// A user or a role by its name. Its path is not known: the product does not say it.
pub(super) fn identity(kind: &str, name: &str, account: &str, region: &str) -> Option<Resource> {
    let kind = match kind {
        "IAMUser" | "FederatedUser" => "AWS::IAM::User",
        "AssumedRole" | "Role" => "AWS::IAM::Role",
        _ => return None,
    };
    crate::resource::of_id(kind, name, account, region)
}
