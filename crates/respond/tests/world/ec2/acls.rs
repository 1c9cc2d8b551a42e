//! Network ACLs of subnets, and VPCs. A case has `acls`, as DescribeNetworkAcls shows them, and `vpcs`.

use quell_model::Call;
use serde_json::{Value, json};

use super::{Answer, Ec2, filtered, find, no, only};

/// In each direction, besides the last that denies what no other speaks of.
const ENTRIES_MAX: usize = 20;

pub(super) fn call(world: &mut Ec2, operation: &str, params: &Value) -> Option<Answer> {
    Some(match operation {
        "DescribeNetworkAcls" => {
            let found = filtered(&world.acls, params, |acl, name| match name {
                "network-acl-id" => vec![acl["NetworkAclId"].clone()],
                "association.subnet-id" => {
                    let subnets = acl["Associations"].as_array().unwrap().iter();
                    subnets.map(|subnet| subnet["SubnetId"].clone()).collect()
                }
                other => panic!("no filter «{other}» of network ACLs is known"),
            });
            world.all("NetworkAcls", &found, params)
        }
        "DescribeVpcs" => world.all("Vpcs", &world.vpcs.clone(), params),
        "CreateNetworkAclEntry" => world.create_entry(params),
        "DeleteNetworkAclEntry" => world.delete_entry(params),
        _ => return None,
    })
}

/// Somebody adds an entry to the ACL that a call is about; whether the call is about one.
pub(super) fn meddle(world: &mut Ec2, call: &Call) -> bool {
    let id = &call.params["NetworkAclId"];
    let acl = world.acls.iter_mut().find(|acl| acl["NetworkAclId"] == *id);
    let entry = json!({"RuleNumber": 250, "Egress": false, "Protocol": "6", "RuleAction": "allow",
        "CidrBlock": "198.51.100.0/24", "PortRange": {"From": 8443, "To": 8443}});
    acl.is_some_and(|acl| {
        acl["Entries"].as_array_mut().unwrap().push(entry);
        true
    })
}

impl Ec2 {
    /// What an undo must bring back.
    pub(super) fn acl_image(&self) -> Value {
        let mut acls = self.acls.clone();
        for acl in &mut acls {
            let entries = acl["Entries"].as_array_mut().unwrap();
            entries.sort_by_key(Value::to_string);
        }
        acls.into()
    }

    fn acl(&mut self, params: &Value) -> Result<&mut Vec<Value>, String> {
        let id = &params["NetworkAclId"];
        let acl = find(
            &mut self.acls,
            "NetworkAclId",
            id,
            "InvalidNetworkAclID.NotFound",
        )?;
        Ok(acl["Entries"].as_array_mut().unwrap())
    }

    fn create_entry(&mut self, params: &Value) -> Answer {
        let known = [
            "NetworkAclId",
            "RuleNumber",
            "Protocol",
            "RuleAction",
            "Egress",
            "CidrBlock",
            "Ipv6CidrBlock",
        ];
        only(params, &known);
        let entries = self.acl(params)?;
        let same_way = |entry: &&Value| entry["Egress"] == params["Egress"];
        let mut own = entries.iter().filter(same_way);
        if own.any(|entry| entry["RuleNumber"] == params["RuleNumber"]) {
            return Err(no("NetworkAclEntryAlreadyExists"));
        }
        let numbered = |entry: &&Value| entry["RuleNumber"].as_i64().unwrap() < 32_767;
        if entries.iter().filter(same_way).filter(numbered).count() >= ENTRIES_MAX {
            return Err(no("NetworkAclEntryLimitExceeded"));
        }
        let mut entry = params.clone();
        entry.as_object_mut().unwrap().remove("NetworkAclId");
        entries.push(entry);
        Ok(json!({}))
    }

    fn delete_entry(&mut self, params: &Value) -> Answer {
        only(params, &["NetworkAclId", "RuleNumber", "Egress"]);
        let entries = self.acl(params)?;
        let count = entries.len();
        entries.retain(|entry| {
            ["RuleNumber", "Egress"]
                .iter()
                .any(|m| entry[m] != params[m])
        });
        match entries.len() < count {
            true => Ok(json!({})),
            false => Err(no("InvalidNetworkAclEntry.NotFound")),
        }
    }
}
