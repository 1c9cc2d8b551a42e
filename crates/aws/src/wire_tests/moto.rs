//! Changing calls against moto.

use super::*;
use crate::{RoleToAssume, Scope};

#[tokio::test]
async fn rules_are_added_and_revoked_by_id() {
    let Some(moto) = range::Moto::start() else {
        return;
    };
    let group = range::setup(&moto.url, "ec2-group", &[]).await;
    let client = Client::new(range::config(&moto.url)).unwrap();
    let added = json!({"GroupId": group, "IpPermissions": [{
        "IpProtocol": "tcp", "FromPort": 3389, "ToPort": 3389,
        "IpRanges": [{"CidrIp": "198.51.100.0/24", "Description": "a & b, «c»"}],
    }]});
    let added = call(
        &client,
        "AuthorizeSecurityGroupIngress",
        &added,
        Safety::Once,
    )
    .await
    .unwrap();
    let rule = &added.value.to_json()["SecurityGroupRules"][0].clone();
    assert_eq!(rule["CidrIpv4"], "198.51.100.0/24");
    assert_eq!(rule["Description"], "a & b, «c»");
    let id = rule["SecurityGroupRuleId"].as_str().unwrap().to_owned();

    let gone = json!({"GroupId": group, "SecurityGroupRuleIds": [id]});
    let gone = call(&client, "RevokeSecurityGroupIngress", &gone, Safety::Once)
        .await
        .unwrap();
    assert_eq!(gone.value.to_json()["Return"], true);

    let scope = Scope {
        account: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        role: None,
    };
    let session = client.read_session(&scope).await.unwrap();
    let filter = json!({"Filters": [{"Name": "group-id", "Values": [group]}]});
    let left = session
        .call("ec2", "DescribeSecurityGroupRules", &filter)
        .await
        .unwrap();
    let left = left.value.to_json()["SecurityGroupRules"]
        .as_array()
        .unwrap()
        .clone();
    assert!(
        left.iter()
            .all(|rule| rule["SecurityGroupRuleId"] != id.as_str())
    );
    assert!(left.iter().any(|rule| rule["ToPort"] == 22));
}

#[tokio::test]
async fn a_role_is_reached_through_another() {
    let Some(moto) = range::Moto::start() else {
        return;
    };
    let client = Client::new(range::config(&moto.url)).unwrap();
    let mut role = RoleToAssume::new("arn:aws:iam::222222222222:role/last", "run-1");
    role.via = Some(Box::new(RoleToAssume::new(
        "arn:aws:iam::111111111111:role/hop",
        "run-1",
    )));
    role.tags.insert("run".to_owned(), "run-1".to_owned());
    role.transitive_tags.insert("run".to_owned());
    let scope = Scope {
        account: "222222222222".to_owned(),
        region: "us-east-1".to_owned(),
        role: Some(role),
    };
    let session = client.read_session(&scope).await.unwrap();
    let identity = session.call("sts", "GetCallerIdentity", &json!({})).await;
    let identity = identity.unwrap().value.to_json();
    assert_eq!(
        identity["Arn"],
        "arn:aws:sts::222222222222:assumed-role/last/run-1"
    );
}
