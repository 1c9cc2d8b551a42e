//! Which resource a record says was changed.
//!
//! The target is only ever one that the call *did* change: a failed call names what its author liked to name, so
//! it never gives a resource (reliability rule: an attacker must not choose the victim).

use quell_model::{Event, Record, Resource};
use serde_json::Value;

/// Where the ids of changed resources stand: service, events, pointers into the record in order of trust
/// (what AWS answered before what the caller asked).
const SECURITY_GROUP_EVENTS: &[&str] =
    &["AuthorizeSecurityGroupIngress", "ModifySecurityGroupRules"];
const SECURITY_GROUP_POINTERS: &[&str] = &[
    "/responseElements/securityGroupRuleSet/items/0/groupId",
    "/requestParameters/groupId",
    "/requestParameters/ModifySecurityGroupRulesRequest/GroupId",
];

/// The resource that a record says was changed, when Quell knows how to tell.
pub fn resource(event: &Event, record: &Record) -> Option<Resource> {
    if event.error_code.is_some() || event.source != "ec2.amazonaws.com" {
        return None;
    }
    if !SECURITY_GROUP_EVENTS.contains(&event.name.as_str()) {
        return None;
    }
    let body: Value = serde_json::from_str(record.body.get()).ok()?;
    let id = SECURITY_GROUP_POINTERS
        .iter()
        .find_map(|p| body.pointer(p)?.as_str())?;
    is_group_id(id).then(|| {
        Resource::security_group(partition(&event.region), &event.region, &event.account, id)
    })
}

/// `sg-` and letters and digits: nothing that could mean more than an id once it is put into a call.
fn is_group_id(id: &str) -> bool {
    id.strip_prefix("sg-").is_some_and(|rest| {
        (1..=40).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

fn partition(region: &str) -> &'static str {
    match region {
        r if r.starts_with("cn-") => "aws-cn",
        r if r.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_are_ids() {
        assert!(is_group_id("sg-0123abc"));
        for bad in [
            "",
            "sg-",
            "sg-a b",
            "sg-1,sg-2",
            "sg-*",
            "default",
            "sg-\u{430}",
        ] {
            assert!(!is_group_id(bad), "{bad}");
        }
    }

    #[test]
    fn a_failed_call_names_no_victim() {
        let body = r#"{"eventTime":"2026-11-21T10:00:00Z","eventSource":"ec2.amazonaws.com","awsRegion":"us-east-1",
            "eventName":"AuthorizeSecurityGroupIngress","recipientAccountId":"111122223333",
            "requestParameters":{"groupId":"sg-1"},"responseElements":null}"#;
        let of = |body: &str| {
            let record = Record {
                id: quell_model::RecordId::of_bytes(body.as_bytes()),
                origin: quell_model::Origin::File { path: "t".into() },
                received_at: quell_model::Timestamp::EPOCH,
                envelope: None,
                body: serde_json::value::RawValue::from_string(body.to_owned()).unwrap(),
            };
            resource(&crate::event(&record).unwrap(), &record).map(|r| r.arn.to_string())
        };
        let arn = "arn:aws:ec2:us-east-1:111122223333:security-group/sg-1";
        assert_eq!(of(body).as_deref(), Some(arn));
        assert_eq!(
            of(&body.replace("\"awsRegion\"", "\"errorCode\":\"Client.X\",\"awsRegion\"")),
            None
        );
        assert_eq!(of(&body.replace("sg-1", "sg-1/../../x")), None);
        assert_eq!(
            of(&body.replace("AuthorizeSecurityGroupIngress", "CreateSecurityGroup")),
            None
        );
    }
}
