//! Instances, their attributes and disks, snapshots, tags.

use serde_json::{Value, json};

use super::{Answer, Ec2, filtered, find, given_tags, no, only, tagged};

pub(super) fn call(world: &mut Ec2, operation: &str, params: &Value) -> Option<Answer> {
    Some(match operation {
        "DescribeInstances" => {
            let answer = world.describe_instances(params);
            world.settle();
            answer
        }
        "DescribeInstanceAttribute" => world.instance_attribute(params),
        "ModifyInstanceAttribute" => world.modify_instance(params),
        "DescribeIamInstanceProfileAssociations" => world.profiles(params),
        "CreateSnapshots" => world.take_snapshots(params),
        "DescribeSnapshots" => {
            let found = filtered(&world.snapshots, params, |snapshot, name| match name {
                "volume-id" => vec![snapshot["VolumeId"].clone()],
                other => tagged(snapshot, other),
            });
            world.all("Snapshots", &found, params)
        }
        "LockSnapshot" | "DescribeLockedSnapshots" if !world.lockable => {
            Err(no("UnsupportedOperation"))
        }
        "LockSnapshot" => world.lock(params),
        "DescribeLockedSnapshots" => {
            let asked = |s: &&Value| {
                let mut ids = params["SnapshotIds"].as_array().unwrap().iter();
                ids.any(|id| *id == s["SnapshotId"]) && s.get("LockState").is_some()
            };
            let found: Vec<Value> = world.snapshots.iter().filter(asked).cloned().collect();
            world.all("Snapshots", &found, params)
        }
        "CreateTags" => world.tag(params),
        "ModifyInstanceMetadataOptions" => world.metadata(params),
        "StopInstances" => world.stop(params),
        "StartInstances" => world.start(params),
        "DescribeFleets" => {
            let asked = |fleet: &&Value| {
                params["FleetIds"]
                    .as_array()
                    .unwrap()
                    .contains(&fleet["FleetId"])
            };
            let found: Vec<Value> = world.fleets.iter().filter(asked).cloned().collect();
            world.all("Fleets", &found, params)
        }
        "ModifyFleet" => world.modify_fleet(params),
        _ => return None,
    })
}

impl Ec2 {
    /// What an undo must bring back: attributes, and whether disks go with the instance.
    pub(super) fn machine_image(&self) -> Vec<Value> {
        let of = |i: &Value| {
            json!([
                i["InstanceId"],
                arrives(i),
                i["Attributes"],
                i["BlockDeviceMappings"],
                i["IamInstanceProfile"],
                i["MetadataOptions"]
            ])
        };
        let fleets = self
            .fleets
            .iter()
            .map(|fleet| json!([fleet["FleetId"], fleet["TargetCapacitySpecification"]]));
        self.instances.iter().map(of).chain(fleets).collect()
    }

    fn describe_instances(&self, params: &Value) -> Answer {
        let mut found = filtered(&self.instances, params, |instance, name| match name {
            "instance-id" => vec![instance["InstanceId"].clone()],
            other => tagged(instance, other),
        });
        for instance in &mut found {
            instance.as_object_mut().unwrap().remove("Attributes");
        }
        let reservation = |instance: &Value| json!({"Instances": [instance]});
        let found: Vec<Value> = found.iter().map(reservation).collect();
        self.all("Reservations", &found, params)
    }

    fn instance(&mut self, id: &Value) -> Result<&mut Value, String> {
        find(
            &mut self.instances,
            "InstanceId",
            id,
            "InvalidInstanceID.NotFound",
        )
    }

    fn instance_attribute(&mut self, params: &Value) -> Answer {
        let instance = self.instance(&params["InstanceId"])?;
        let name = params["Attribute"].as_str().unwrap();
        let member = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
        let value = instance["Attributes"][&member].clone();
        assert!(!value.is_null(), "the case has no Attributes.{member}");
        Ok(json!({"InstanceId": params["InstanceId"], member: {"Value": value}}))
    }

    /// One attribute in each call, as EC2 wants it.
    fn modify_instance(&mut self, params: &Value) -> Answer {
        let instance = self.instance(&params["InstanceId"])?;
        let mut members = params.as_object().unwrap().iter();
        let mut members = members.by_ref().filter(|(name, _)| *name != "InstanceId");
        let ((name, value), None) = (members.next().unwrap(), members.next()) else {
            return Err(no("InvalidParameterCombination"));
        };
        if name == "BlockDeviceMappings" {
            for mapping in value.as_array().unwrap() {
                let devices = instance["BlockDeviceMappings"].as_array_mut().unwrap();
                let device = find(
                    devices,
                    "DeviceName",
                    &mapping["DeviceName"],
                    "InvalidInstanceAttributeValue",
                )?;
                device["Ebs"]["DeleteOnTermination"] =
                    mapping["Ebs"]["DeleteOnTermination"].clone();
            }
            return Ok(json!({}));
        }
        if instance["InstanceLifecycle"] == "spot" {
            return Err(no("UnsupportedOperation"));
        }
        assert!(
            instance["Attributes"].get(name).is_some(),
            "no attribute {name}"
        );
        instance["Attributes"][name] = value["Value"].clone();
        Ok(json!({}))
    }

    /// EC2 shows `stopping` for a while, and then that it has stopped.
    fn stop(&mut self, params: &Value) -> Answer {
        only(params, &["InstanceIds", "Hibernate"]);
        let instance = self.instance(&params["InstanceIds"][0])?;
        if instance["Attributes"]["DisableApiStop"] == true
            || instance["InstanceLifecycle"] == "spot"
        {
            return Err(no("UnsupportedOperation"));
        }
        if params.get("Hibernate").is_some() && instance["HibernationOptions"]["Configured"] != true
        {
            return Err(no("UnsupportedHibernationConfiguration"));
        }
        if !matches!(
            instance["State"]["Name"].as_str(),
            Some("running" | "stopped" | "stopping")
        ) {
            return Err(no("IncorrectInstanceState"));
        }
        if instance["State"]["Name"] == "running" {
            instance["State"] = json!({"Name": "stopping"});
        }
        Ok(json!({"StoppingInstances": [{"InstanceId": params["InstanceIds"][0]}]}))
    }

    fn start(&mut self, params: &Value) -> Answer {
        only(params, &["InstanceIds"]);
        let instance = self.instance(&params["InstanceIds"][0])?;
        // Whoever starts it waits until it has stopped.
        if arrives(instance) == "stopped" {
            instance["State"] = json!({"Name": "pending"});
        }
        Ok(json!({"StartingInstances": [{"InstanceId": params["InstanceIds"][0]}]}))
    }

    /// What was on its way has arrived when it is looked at again.
    fn settle(&mut self) {
        for instance in &mut self.instances {
            instance["State"] = json!({"Name": arrives(instance)});
        }
    }

    fn modify_fleet(&mut self, params: &Value) -> Answer {
        only(
            params,
            &[
                "FleetId",
                "ExcessCapacityTerminationPolicy",
                "TargetCapacitySpecification",
            ],
        );
        assert_eq!(params["ExcessCapacityTerminationPolicy"], "no-termination");
        let fleet = find(
            &mut self.fleets,
            "FleetId",
            &params["FleetId"],
            "InvalidFleetId.NotFound",
        )?;
        if fleet["Type"] != "maintain" {
            return Err(no("UnsupportedOperation"));
        }
        for (name, count) in params["TargetCapacitySpecification"].as_object().unwrap() {
            fleet["TargetCapacitySpecification"][name] = count.clone();
        }
        Ok(json!({"Return": true}))
    }

    fn profiles(&self, params: &Value) -> Answer {
        let found = filtered(&self.instances, params, |i, _| {
            vec![i["InstanceId"].clone()]
        });
        let found = found
            .iter()
            .filter(|i| i.get("IamInstanceProfile").is_some());
        let association = |i: &Value| json!({"AssociationId": "iip-assoc-1", "InstanceId": i["InstanceId"], "State": "associated", "IamInstanceProfile": i["IamInstanceProfile"]});
        let found: Vec<Value> = found.map(association).collect();
        self.all("IamInstanceProfileAssociations", &found, params)
    }

    fn take_snapshots(&mut self, params: &Value) -> Answer {
        only(
            params,
            &["InstanceSpecification", "Description", "TagSpecifications"],
        );
        let instance = self.instance(&params["InstanceSpecification"]["InstanceId"])?;
        let mut taken = Vec::new();
        for device in instance["BlockDeviceMappings"]
            .as_array()
            .cloned()
            .unwrap_or_default()
        {
            let id = self.new_id("snap-made");
            taken.push(json!({
                "SnapshotId": id, "VolumeId": device["Ebs"]["VolumeId"], "State": "pending",
                "OwnerId": "444455556666", "Tags": given_tags(params),
            }));
        }
        self.snapshots.extend(taken.clone());
        Ok(json!({"Snapshots": taken}))
    }

    fn lock(&mut self, params: &Value) -> Answer {
        only(params, &["SnapshotId", "LockMode", "LockDuration"]);
        let id = &params["SnapshotId"];
        let snapshot = find(
            &mut self.snapshots,
            "SnapshotId",
            id,
            "InvalidSnapshot.NotFound",
        )?;
        snapshot["LockState"] = params["LockMode"].clone();
        Ok(json!({"SnapshotId": id, "LockState": params["LockMode"]}))
    }

    fn metadata(&mut self, params: &Value) -> Answer {
        only(
            params,
            &["InstanceId", "HttpTokens", "HttpPutResponseHopLimit"],
        );
        let instance = self.instance(&params["InstanceId"])?;
        for name in ["HttpTokens", "HttpPutResponseHopLimit"] {
            instance["MetadataOptions"][name] = params[name].clone();
        }
        let options = instance["MetadataOptions"].clone();
        Ok(json!({"InstanceId": params["InstanceId"], "InstanceMetadataOptions": options}))
    }

    fn tag(&mut self, params: &Value) -> Answer {
        only(params, &["Resources", "Tags"]);
        for id in params["Resources"].as_array().unwrap() {
            let instance = self.instance(id)?;
            let mut tags = instance["Tags"].as_array().cloned().unwrap_or_default();
            for tag in params["Tags"].as_array().unwrap() {
                tags.retain(|old| old["Key"] != tag["Key"]);
                tags.push(tag.clone());
            }
            instance["Tags"] = tags.into();
        }
        Ok(json!({}))
    }
}

/// The state that an instance is in, or comes to by itself.
fn arrives(instance: &Value) -> Value {
    match instance["State"]["Name"].as_str() {
        Some("stopping") => "stopped".into(),
        Some("pending") => "running".into(),
        _ => instance["State"]["Name"].clone(),
    }
}
