//! Which resource a record says was changed.
//!
//! The target is only ever one that the call *did* change: a failed call names what its author liked to name, so
//! it never gives a resource (reliability rule: an attacker must not choose the victim).

mod table;

use quell_model::{Arn, Event, Resource, plain_name};

use table::{Place, ROWS, Row, Type};

use crate::outline::{Kind, Part};
use crate::reading::Reading;

/// Names and ids are never longer; the longest, an SSM parameter's, is 2,048 with its path.
const ID_CHARS_MAX: usize = 1_024;

/// The resource that a record says was changed, when Quell knows how to tell.
///
/// A call that failed, or only read, gives none.
pub fn resource(event: &Event, record: &Reading<'_>) -> Option<Resource> {
    if event.error_code.is_some() || event.read_only {
        return None;
    }
    let service = event.source.strip_suffix(".amazonaws.com")?;
    let name = plain_name(&event.name);
    let mut rows = ROWS.iter().filter(|row| row.is_for(service, name));
    rows.find_map(|row| {
        row.places
            .iter()
            .find_map(|place| row.read(place, record, event))
    })
}

impl Row {
    fn is_for(&self, service: &str, event: &str) -> bool {
        self.service == service && (self.events.is_empty() || self.events.contains(&event))
    }

    fn read(&self, place: &Place, record: &Reading<'_>, event: &Event) -> Option<Resource> {
        let mut value = at(record, place)?;
        // Where EC2 takes several, the first stands for all: a call about many things is one thing done.
        while value.kind() == Kind::Array {
            value = value.inner().next()?;
        }
        self.kind.resource(&value.string()?, event)
    }
}

impl Type {
    /// The resource that `text` names, which is an ARN of this type or its id.
    fn resource(&self, text: &str, event: &Event) -> Option<Resource> {
        let kind = self.name.to_owned();
        if !text.starts_with("arn:") {
            let (arn, id) = (
                self.arn(text, &event.region, &event.account)?,
                text.to_owned(),
            );
            return Some(Resource::new(arn, kind, id).told_to_be_in(&event.account, &event.region));
        }
        let arn = text.parse::<Arn>().ok()?;
        let arn = self.owns(&arn, event).then_some(arn)?;
        let id = self.id_in(&arn)?.to_owned();
        Some(Resource::new(arn, kind, id).told_to_be_in(&event.account, &event.region))
    }

    fn id_in<'a>(&self, arn: &'a Arn) -> Option<&'a str> {
        let rest = arn.resource.strip_prefix(self.prefix)?;
        // The path is not part of a name in IAM, nor the cluster of that of a service or a task.
        match self.service {
            "iam" | "ecs" => rest.rsplit('/').next(),
            _ => Some(rest),
        }
    }

    /// Whether an ARN is of this type and in the event's account: another's was named, not changed.
    fn owns(&self, arn: &Arn, event: &Event) -> bool {
        let here = arn.account.is_empty() || arn.account == event.account;
        here && arn.service == self.service
            && arn.partition == partition(&event.region)
            && arn.resource.strip_prefix(self.prefix).is_some_and(is_id)
    }

    fn arn(&self, id: &str, region: &str, account: &str) -> Option<Arn> {
        let good = is_id(id) && id.starts_with(self.id_prefix) && id.len() > self.id_prefix.len();
        // What EC2 makes has ids of one form: anything else could mean more than an id once it is put into a call.
        let plain = self.id_prefix.is_empty()
            || (id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
        (good && plain).then(|| Arn {
            partition: partition(region).to_owned(),
            service: self.service.to_owned(),
            region: if self.regional {
                region.to_owned()
            } else {
                String::new()
            },
            account: if self.owned {
                account.to_owned()
            } else {
                String::new()
            },
            // A parameter's name may begin with the slash that its ARN has anyway.
            resource: match self.prefix.ends_with('/') {
                true => format!("{}{}", self.prefix, id.trim_start_matches('/')),
                false => format!("{}{id}", self.prefix),
            },
        })
    }
}

/// The resource that an ARN of the account names, when it is of a type that the table has.
pub(crate) fn of_arn(text: &str, account: &str) -> Option<Resource> {
    let mut arn = text.parse::<Arn>().ok()?;
    match arn.service.as_str() {
        // An object is a matter of its bucket.
        "s3" => arn.resource = arn.resource.split('/').next()?.to_owned(),
        // A version or an alias is a matter of its function.
        "lambda" if arn.resource.starts_with("function:") => {
            let name = arn.resource.split(':').nth(1)?;
            arn.resource = format!("function:{name}");
        }
        // AWS writes these without the account, which the resources of CloudTrail's events have here.
        "ec2" if arn.account.is_empty() && is_shareable(&arn.resource) => {
            arn.account = account.to_owned();
        }
        _ => {}
    }
    let here = arn.account.is_empty() || arn.account == account;
    let fits = |kind: &Type| {
        let rest = arn.resource.strip_prefix(kind.prefix);
        kind.service == arn.service
            && kind.owned != arn.account.is_empty()
            && rest.is_some_and(|rest| is_id(rest) && rest.starts_with(kind.id_prefix))
    };
    let kinds = ROWS.iter().map(|row| &row.kind).filter(|kind| fits(kind));
    let kind = kinds
        .max_by_key(|kind| kind.prefix.len())
        .filter(|_| here)?;
    let id = kind.id_in(&arn)?.to_owned();
    Some(Resource::new(arn, kind.name, id))
}

/// What EC2 may share with other accounts has ARNs that name none.
fn is_shareable(resource: &str) -> bool {
    resource.starts_with("snapshot/") || resource.starts_with("image/")
}

/// The resource of a CloudFormation type and an id, when the table has that type.
pub(crate) fn of_id(kind: &str, id: &str, account: &str, region: &str) -> Option<Resource> {
    let row = ROWS.iter().find(|row| row.kind.name == kind)?;
    let arn = row.kind.arn(id, region, account)?;
    Some(Resource::new(arn, kind, id))
}

/// The value at a place of a record.
fn at<'t>(record: &Reading<'t>, place: Place) -> Option<Part<'t>> {
    let mut names = place.split('/').skip(1);
    let first = record.field(names.next()?)?;
    names.try_fold(first, |part, name| match part.kind() {
        Kind::Array => part.inner().nth(name.parse().ok()?),
        _ => part.child(name),
    })
}

/// Letters, digits and the marks that names in AWS may have; no spaces, no quotes, no climbing.
pub(crate) fn is_id(id: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"-_./@+=,:#$".contains(&b);
    (1..=ID_CHARS_MAX).contains(&id.len()) && id.bytes().all(good) && !id.contains("..")
}

/// The partition that a Region is in.
pub(crate) fn partition(region: &str) -> &'static str {
    match region {
        r if r.starts_with("cn-") => "aws-cn",
        r if r.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(body: &str) -> quell_model::Record {
        quell_model::Record {
            id: quell_model::RecordId::of_bytes(body.as_bytes()),
            origin: quell_model::Origin::File { path: "t".into() },
            received_at: quell_model::Timestamp::EPOCH,
            envelope: None,
            body: serde_json::value::RawValue::from_string(body.to_owned()).unwrap(),
        }
    }

    fn of(body: &str) -> Option<Resource> {
        let record = record(body);
        let mut outline = crate::Outline::default();
        let reading = Reading::new(&record.body, &mut outline).unwrap();
        resource(&crate::event(&record).unwrap(), &reading)
    }

    fn called(service: &str, name: &str, rest: &str) -> Option<Resource> {
        of(&format!(
            r#"{{"eventTime":"2026-11-21T10:00:00Z","eventSource":"{service}.amazonaws.com","awsRegion":"us-east-1",
            "eventName":"{name}","recipientAccountId":"111122223333",{rest}}}"#
        ))
    }

    #[test]
    fn only_ids_are_ids() {
        assert!(is_id("sg-0123abc") && is_id("/app/key") && is_id("a.b-c_d"));
        for bad in ["", "a b", "a\"", "../x", "a/../b", "sg-\u{430}", "*"] {
            assert!(!is_id(bad), "{bad}");
        }
        for bad in [
            "sg-",
            "default",
            "sg-1/../../x",
            "sg-1/x",
            "sg-1,sg-2",
            "sg-*",
        ] {
            let rest = format!(r#""requestParameters":{{"groupId":"{bad}"}}"#);
            assert_eq!(
                called("ec2", "AuthorizeSecurityGroupIngress", &rest),
                None,
                "{bad}"
            );
        }
    }

    #[test]
    fn a_failed_call_names_no_victim_and_a_call_that_reads_changed_nothing() {
        let rest = r#""requestParameters":{"groupId":"sg-1"},"responseElements":null"#;
        let arn = "arn:aws:ec2:us-east-1:111122223333:security-group/sg-1";
        let group = called("ec2", "AuthorizeSecurityGroupIngress", rest).unwrap();
        assert_eq!(
            (group.arn.to_string().as_str(), group.kind.as_str()),
            (arn, "AWS::EC2::SecurityGroup")
        );
        let failed = format!(r#"{rest},"errorCode":"Client.X""#);
        assert_eq!(
            called("ec2", "AuthorizeSecurityGroupIngress", &failed),
            None
        );
        let read = format!(r#"{rest},"readOnly":true"#);
        assert_eq!(called("ec2", "AuthorizeSecurityGroupIngress", &read), None);
    }

    #[test]
    fn types_and_names_are_as_cloudformation_and_arns_have_them() {
        for (service, name, rest, kind, arn) in [
            (
                "iam",
                "AttachRolePolicy",
                r#""requestParameters":{"roleName":"ops","policyArn":"arn:aws:iam::aws:policy/X"}"#,
                "AWS::IAM::Role",
                "arn:aws:iam::111122223333:role/ops",
            ),
            (
                "iam",
                "CreateUser",
                r#""requestParameters":{"userName":"eve"},"responseElements":{"user":{"arn":"arn:aws:iam::111122223333:user/team/eve"}}"#,
                "AWS::IAM::User",
                "arn:aws:iam::111122223333:user/team/eve",
            ),
            (
                "s3",
                "PutBucketPolicy",
                r#""requestParameters":{"bucketName":"b.example"}"#,
                "AWS::S3::Bucket",
                "arn:aws:s3:::b.example",
            ),
            (
                "lambda",
                "UpdateFunctionCode20150331v2",
                r#""requestParameters":{"functionName":"arn:aws:lambda:us-east-1:111122223333:function:f"}"#,
                "AWS::Lambda::Function",
                "arn:aws:lambda:us-east-1:111122223333:function:f",
            ),
            (
                "ec2",
                "RunInstances",
                r#""responseElements":{"instancesSet":{"items":[{"instanceId":"i-0a1"},{"instanceId":"i-0a2"}]}}"#,
                "AWS::EC2::Instance",
                "arn:aws:ec2:us-east-1:111122223333:instance/i-0a1",
            ),
            (
                "cloudtrail",
                "StopLogging",
                r#""requestParameters":{"name":"main"}"#,
                "AWS::CloudTrail::Trail",
                "arn:aws:cloudtrail:us-east-1:111122223333:trail/main",
            ),
            (
                "rds",
                "ModifyDBSnapshotAttribute",
                r#""requestParameters":{"dBSnapshotIdentifier":"nightly"}"#,
                "AWS::RDS::DBSnapshot",
                "arn:aws:rds:us-east-1:111122223333:snapshot:nightly",
            ),
            (
                "ec2",
                "SharedSnapshotCopyInitiated",
                r#""serviceEventDetails":{"snapshotId":"snap-0a1"}"#,
                "AWS::EC2::Snapshot",
                "arn:aws:ec2:us-east-1:111122223333:snapshot/snap-0a1",
            ),
        ] {
            let found = called(service, name, rest).unwrap();
            assert_eq!(
                (found.kind.as_str(), found.arn.to_string().as_str()),
                (kind, arn)
            );
        }
        let foreign = r#""requestParameters":{"functionName":"arn:aws:lambda:us-east-1:999988887777:function:f"}"#;
        assert_eq!(
            called("lambda", "UpdateFunctionCode20150331v2", foreign),
            None
        );
    }

    #[test]
    fn an_arn_or_an_id_gives_the_resource_of_its_own_account_alone() {
        for (text, kind, id) in [
            (
                "arn:aws:ec2:us-east-1:111122223333:instance/i-0a1",
                "AWS::EC2::Instance",
                "i-0a1",
            ),
            (
                "arn:aws:ec2:us-east-1::snapshot/snap-0a1",
                "AWS::EC2::Snapshot",
                "snap-0a1",
            ),
            (
                "arn:aws:ec2:us-east-1::image/ami-0a1",
                "AWS::EC2::Image",
                "ami-0a1",
            ),
            (
                "arn:aws:s3:::b.example/some/key",
                "AWS::S3::Bucket",
                "b.example",
            ),
            (
                "arn:aws:lambda:us-east-1:111122223333:function:f:PROD",
                "AWS::Lambda::Function",
                "f",
            ),
            (
                "arn:aws:iam::111122223333:role/team/ci",
                "AWS::IAM::Role",
                "ci",
            ),
            (
                "arn:aws:rds:us-east-1:111122223333:cluster-snapshot:c",
                "AWS::RDS::DBClusterSnapshot",
                "c",
            ),
        ] {
            let found = of_arn(text, "111122223333").unwrap();
            assert_eq!((found.kind.as_str(), found.id.as_str()), (kind, id));
        }
        for text in [
            "arn:aws:ec2:us-east-1:999988887777:instance/i-0a1",
            "arn:aws:ec2:us-east-1:111122223333:instance/i-0a1 x",
            "arn:aws:ec2:us-east-1:111122223333:instance/",
            "arn:aws:ec2:us-east-1:111122223333:spaceship/s-1",
            "arn:aws:ec2:us-east-1::instance/i-0a1",
            "i-0a1",
        ] {
            assert_eq!(of_arn(text, "111122223333"), None, "{text}");
        }
        let found = of_id("AWS::EC2::Instance", "i-0a1", "111122223333", "us-east-1").unwrap();
        assert_eq!(
            Some(found.clone()),
            of_arn(&found.arn.to_string(), "111122223333")
        );
        assert_eq!(
            of_id("AWS::EC2::Instance", "web-1", "111122223333", "us-east-1"),
            None
        );
    }

    #[test]
    fn every_row_of_the_table_can_be_reached() {
        for (at, row) in ROWS.iter().enumerate() {
            assert!(!row.places.is_empty() && row.places.iter().all(|p| p.starts_with('/')));
            let before = ROWS.iter().take(at);
            let mut hiding = before.filter(|b| b.service == row.service && b.events.is_empty());
            let hidden = hiding.any(|b| row.places.iter().all(|place| b.places.contains(place)));
            assert!(
                !hidden,
                "{} {:?} is behind a row for all events",
                row.service, row.events
            );
        }
    }
}
