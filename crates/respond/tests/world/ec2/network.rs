//! Network interfaces and elastic addresses.

use serde_json::{Value, json};

use super::{Answer, Ec2, filtered, find, no, only};

pub(super) fn call(world: &mut Ec2, operation: &str, params: &Value) -> Option<Answer> {
    Some(match operation {
        "DescribeNetworkInterfaces" => {
            let found = filtered(&world.interfaces, params, |interface, name| match name {
                "network-interface-id" => vec![interface["NetworkInterfaceId"].clone()],
                "association.public-ip" => vec![interface["Association"]["PublicIp"].clone()],
                "attachment.instance-id" => vec![interface["Attachment"]["InstanceId"].clone()],
                "group-id" => {
                    let groups = interface["Groups"].as_array().unwrap().iter();
                    groups.map(|group| group["GroupId"].clone()).collect()
                }
                other => panic!("no filter «{other}» of interfaces is known"),
            });
            world.all("NetworkInterfaces", &found, params)
        }
        "ModifyNetworkInterfaceAttribute" => world.modify_interface(params),
        "DescribeAddresses" => {
            let found = filtered(&world.addresses, params, |address, name| match name {
                "network-interface-id" => vec![address["NetworkInterfaceId"].clone()],
                "public-ip" => vec![address["PublicIp"].clone()],
                other => panic!("no filter «{other}» of addresses is known"),
            });
            // Not paged, as EC2 does not either.
            let all = json!({"Addresses": found});
            Ok(if found.is_empty() { json!({}) } else { all })
        }
        "DisassociateAddress" => world.disassociate(params),
        "AssociateAddress" => world.associate(params),
        _ => return None,
    })
}

impl Ec2 {
    /// What an undo must bring back; an association gets a new id, and names of groups are said with the groups.
    pub(super) fn network_image(&self) -> Value {
        let interface = |i: &Value| {
            let mut i = i.clone();
            for group in i["Groups"].as_array_mut().into_iter().flatten() {
                group.as_object_mut().unwrap().remove("GroupName");
            }
            i
        };
        let interfaces: Vec<Value> = self.interfaces.iter().map(interface).collect();
        let address = |a: &Value| {
            let mut a = a.clone();
            a.as_object_mut().unwrap().remove("AssociationId");
            a
        };
        json!([
            interfaces,
            self.addresses.iter().map(address).collect::<Vec<_>>()
        ])
    }

    fn modify_interface(&mut self, params: &Value) -> Answer {
        only(params, &["NetworkInterfaceId", "Groups"]);
        let mut groups = Vec::new();
        for id in params["Groups"].as_array().unwrap() {
            let group = find(&mut self.groups, "GroupId", id, "InvalidGroup.NotFound")?;
            groups.push(json!({"GroupId": id, "GroupName": group["GroupName"]}));
        }
        let id = &params["NetworkInterfaceId"];
        let interface = find(
            &mut self.interfaces,
            "NetworkInterfaceId",
            id,
            "InvalidNetworkInterfaceID.NotFound",
        )?;
        if interface["RequesterManaged"] == true {
            return Err(no("OperationNotPermitted"));
        }
        interface["Groups"] = groups.into();
        Ok(json!({"Return": true}))
    }

    fn disassociate(&mut self, params: &Value) -> Answer {
        only(params, &["AssociationId"]);
        let id = &params["AssociationId"];
        let address = find(
            &mut self.addresses,
            "AssociationId",
            id,
            "InvalidAssociationID.NotFound",
        )?;
        let fields = address.as_object_mut().unwrap();
        for field in [
            "AssociationId",
            "NetworkInterfaceId",
            "PrivateIpAddress",
            "InstanceId",
        ] {
            fields.remove(field);
        }
        Ok(json!({"Return": true}))
    }

    fn associate(&mut self, params: &Value) -> Answer {
        only(
            params,
            &[
                "AllocationId",
                "NetworkInterfaceId",
                "PrivateIpAddress",
                "AllowReassociation",
            ],
        );
        let id = self.new_id("eipassoc-made");
        let interface = find(
            &mut self.interfaces,
            "NetworkInterfaceId",
            &params["NetworkInterfaceId"],
            "InvalidNetworkInterfaceID.NotFound",
        )?;
        let instance = interface["Attachment"]["InstanceId"].clone();
        let allocation = &params["AllocationId"];
        let address = find(
            &mut self.addresses,
            "AllocationId",
            allocation,
            "InvalidAllocationID.NotFound",
        )?;
        if address.get("AssociationId").is_some() {
            return Err(no("Resource.AlreadyAssociated"));
        }
        address["AssociationId"] = id.clone().into();
        address["InstanceId"] = instance;
        for field in ["NetworkInterfaceId", "PrivateIpAddress"] {
            address[field] = params[field].clone();
        }
        Ok(json!({"AssociationId": id}))
    }
}
