//! EC2's variant of the query protocol: capitalised names, every list flat, no wrapper around the result.

use serde_json::Value;

use super::body::Format;
use super::xml::{Elements, Xml};
use super::{Answer, ErrorAnswer, Malformed, WireRequest, WireResponse, query};
use crate::model::{Operation, Service};
use crate::output::Label;

pub(super) fn write(
    service: &Service,
    operation: &Operation,
    params: &Value,
) -> Result<WireRequest, Malformed> {
    Ok(query::write_form(service, operation, params, true))
}

pub(super) fn read<'m>(
    service: &'m Service,
    operation: &'m Operation,
    response: &WireResponse,
) -> Result<Answer<'m>, Malformed> {
    let mut out = Format::Xml.builder(&response.body);
    let mut xml = Xml::new(&response.body, &mut out)?;
    let root = xml.root()?;
    let request_id = request_id(xml.elements.clone())?;
    match &operation.output {
        Some(output) => xml.structure(service.view(output), root, Label::NONE)?,
        None => xml.skip()?,
    }
    Ok(Answer {
        value: out.finish(Some(service)),
        request_id,
    })
}

/// The request's id, from a root that is open. EC2 has it first.
fn request_id(root: Elements<'_>) -> Result<Option<String>, Malformed> {
    let mut out = Format::Xml.builder(&[]);
    let mut xml = Xml {
        elements: root,
        out: &mut out,
    };
    while let Some(child) = xml.child()? {
        if child.name() == "requestId" {
            return xml.text().map(Some);
        }
        xml.skip()?;
    }
    Ok(None)
}

pub(super) fn read_error(
    response: &WireResponse,
    service: &Service,
    operation: &Operation,
) -> Option<ErrorAnswer> {
    query::read_error(response, service, operation)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{answer, form};
    use serde_json::json;

    #[test]
    fn lists_are_flat_and_names_capitalised() {
        let params = json!({
            "GroupId": "sg-1",
            "DryRun": false,
            "IpPermissions": [{"FromPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}, {"CidrIp": "10.0.0.0/8"}]}],
            "SecurityGroupRuleIds": ["sgr-1", "sgr-2"],
        });
        let mut form = form("ec2", "RevokeSecurityGroupIngress", &params);
        form.sort();
        assert_eq!(
            form,
            [
                "Action=RevokeSecurityGroupIngress",
                "DryRun=false",
                "GroupId=sg-1",
                "IpPermissions.1.FromPort=22",
                "IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0%2F0",
                "IpPermissions.1.IpRanges.2.CidrIp=10.0.0.0%2F8",
                "SecurityGroupRuleId.1=sgr-1",
                "SecurityGroupRuleId.2=sgr-2",
                "Version=2016-11-15",
            ]
        );
    }

    #[test]
    fn answers_are_in_the_apis_spelling() {
        let xml = "<DescribeInstancesResponse><requestId>r-9</requestId><reservationSet><item>\
            <instancesSet><item><instanceId>i-1</instanceId><launchTime>2026-01-02T03:04:05.000Z</launchTime>\
            <ebsOptimized>true</ebsOptimized><amiLaunchIndex>0</amiLaunchIndex></item></instancesSet>\
            <groupSet/></item></reservationSet></DescribeInstancesResponse>";
        let answer = answer("ec2", "DescribeInstances", xml).unwrap();
        assert_eq!(answer.request_id.as_deref(), Some("r-9"));
        assert_eq!(
            answer.value.to_json(),
            json!({"Reservations": [{"Groups": [], "Instances": [{
                "InstanceId": "i-1",
                "LaunchTime": "2026-01-02T03:04:05Z",
                "EbsOptimized": true,
                "AmiLaunchIndex": 0,
            }]}]})
        );
        assert!(super::super::tests::answer("ec2", "DescribeInstances", "<a><b>").is_err());
    }
}
