//! What an instance serves in: Auto Scaling groups, target groups, classic load balancers.

use serde_json::{Value, json};

use super::{Answer, Ec2, only};

pub(super) fn call(world: &mut Ec2, operation: &str, params: &Value) -> Option<Answer> {
    Some(match operation {
        "DescribeAutoScalingInstances" => world.members(params),
        "DescribeAutoScalingGroups" => {
            let mut names = params["AutoScalingGroupNames"].as_array().unwrap().iter();
            let asked = |g: &&Value| names.any(|name| *name == g["AutoScalingGroupName"]);
            let found: Vec<Value> = world.scaling_groups.iter().filter(asked).cloned().collect();
            world.all("AutoScalingGroups", &found, params)
        }
        "SuspendProcesses" => world.suspend(params, true),
        "ResumeProcesses" => world.suspend(params, false),
        "SetInstanceProtection" => world.protect(params),
        "DetachInstances" => world.detach(params),
        "AttachInstances" => world.attach(params),
        "DescribeTargetGroups" => {
            let mut groups = world.target_groups.clone();
            for group in &mut groups {
                group.as_object_mut().unwrap().remove("Targets");
            }
            Ok(world.paged("TargetGroups", &groups, params, ["Marker", "NextMarker"]))
        }
        "DescribeTargetHealth" => world.health(params),
        "DeregisterTargets" => world.targets(params, false),
        "RegisterTargets" => world.targets(params, true),
        "DescribeLoadBalancers" => {
            let all = &world.load_balancers;
            Ok(world.paged(
                "LoadBalancerDescriptions",
                all,
                params,
                ["Marker", "NextMarker"],
            ))
        }
        "DeregisterInstancesFromLoadBalancer" => world.classic(params, false),
        "RegisterInstancesWithLoadBalancer" => world.classic(params, true),
        _ => return None,
    })
}

const REPLACEMENT: &str = "i-replacement";

fn is_replacement(member: &Value) -> bool {
    let id = member.get("Id").or_else(|| member.get("InstanceId"));
    id.and_then(Value::as_str)
        .is_some_and(|id| id.starts_with(REPLACEMENT))
}

fn list<'a>(thing: &'a mut Value, name: &str) -> &'a mut Vec<Value> {
    if thing.get(name).is_none() {
        thing[name] = json!([]);
    }
    thing[name].as_array_mut().unwrap()
}

impl Ec2 {
    /// Who is where. What a group launched instead of what was taken out of it stays, and is not counted.
    pub(super) fn service_image(&self) -> Value {
        let members = |things: &[Value], name: &str, id: &str| {
            let members = |thing: &Value| {
                let mut members = thing[name].as_array().cloned().unwrap_or_default();
                members.retain(|member| !is_replacement(member));
                members.sort_by_key(ToString::to_string);
                json!([thing[id], members])
            };
            things.iter().map(members).collect::<Vec<_>>()
        };
        let suspended = |group: &Value| {
            let processes = group["SuspendedProcesses"].as_array().into_iter().flatten();
            let mut names: Vec<String> = processes
                .map(|process| process["ProcessName"].to_string())
                .collect();
            names.sort();
            names
        };
        json!([
            self.scaling_groups
                .iter()
                .map(suspended)
                .collect::<Vec<_>>(),
            members(&self.scaling_groups, "Instances", "AutoScalingGroupName"),
            members(&self.target_groups, "Targets", "TargetGroupArn"),
            members(&self.load_balancers, "Instances", "LoadBalancerName"),
        ])
    }

    fn members(&self, params: &Value) -> Answer {
        let mut found = Vec::new();
        for group in &self.scaling_groups {
            for member in group["Instances"].as_array().unwrap() {
                if params["InstanceIds"]
                    .as_array()
                    .unwrap()
                    .contains(&member["InstanceId"])
                {
                    let mut member = member.clone();
                    member["AutoScalingGroupName"] = group["AutoScalingGroupName"].clone();
                    found.push(member);
                }
            }
        }
        self.all("AutoScalingInstances", &found, params)
    }

    fn scaling_group(&mut self, name: &Value) -> Result<&mut Value, String> {
        let found = self
            .scaling_groups
            .iter_mut()
            .find(|g| g["AutoScalingGroupName"] == *name);
        found.ok_or_else(|| invalid("there is no such group"))
    }

    /// What is so already stays so.
    fn suspend(&mut self, params: &Value, suspended: bool) -> Answer {
        only(params, &["AutoScalingGroupName", "ScalingProcesses"]);
        let group = self.scaling_group(&params["AutoScalingGroupName"])?;
        let now = list(group, "SuspendedProcesses");
        for process in params["ScalingProcesses"]
            .as_array()
            .expect("without a list it would be all")
        {
            now.retain(|known| known["ProcessName"] != *process);
            if suspended {
                now.push(json!({"ProcessName": process, "SuspensionReason": "User suspended at 2023-11-14T22:00:00Z"}));
            }
        }
        Ok(json!({}))
    }

    fn protect(&mut self, params: &Value) -> Answer {
        only(
            params,
            &[
                "AutoScalingGroupName",
                "InstanceIds",
                "ProtectedFromScaleIn",
            ],
        );
        let group = self.scaling_group(&params["AutoScalingGroupName"])?;
        let member = list(group, "Instances")
            .iter_mut()
            .find(|m| m["InstanceId"] == params["InstanceIds"][0]);
        let member = member.ok_or_else(|| invalid("the instance is not part of the group"))?;
        member["ProtectedFromScaleIn"] = params["ProtectedFromScaleIn"].clone();
        Ok(json!({}))
    }

    /// It leaves the group and what the group serves, and another is launched: the group keeps its size.
    fn detach(&mut self, params: &Value) -> Answer {
        only(
            params,
            &[
                "AutoScalingGroupName",
                "InstanceIds",
                "ShouldDecrementDesiredCapacity",
            ],
        );
        assert_eq!(params["ShouldDecrementDesiredCapacity"], false);
        let id = params["InstanceIds"][0].clone();
        let replacement = self.new_id(REPLACEMENT);
        let group = self.scaling_group(&params["AutoScalingGroupName"])?;
        let members = list(group, "Instances");
        if !members.iter().any(|m| m["InstanceId"] == id) {
            return Err(invalid("the instance is not part of the group"));
        }
        members.retain(|m| m["InstanceId"] != id);
        members.push(json!({"InstanceId": replacement, "LifecycleState": "Pending", "HealthStatus": "Healthy", "ProtectedFromScaleIn": false}));
        let (arns, names) = (
            group["TargetGroupARNs"].clone(),
            group["LoadBalancerNames"].clone(),
        );
        self.for_each_attached(&arns, &names, &|members, key| {
            members.retain(|m| m[key] != id)
        });
        Ok(json!({"Activities": [{"StatusCode": "InProgress"}]}))
    }

    fn attach(&mut self, params: &Value) -> Answer {
        only(params, &["AutoScalingGroupName", "InstanceIds"]);
        let id = params["InstanceIds"][0].clone();
        let group = self.scaling_group(&params["AutoScalingGroupName"])?;
        let protected = group["NewInstancesProtectedFromScaleIn"]
            .as_bool()
            .unwrap_or(false);
        let most = group["MaxSize"].as_u64().unwrap() as usize;
        let members = list(group, "Instances");
        if members.iter().any(|m| m["InstanceId"] == id) || members.len() >= most {
            return Err(invalid(
                "it is there already, or the group has its greatest size",
            ));
        }
        members.push(json!({"InstanceId": id, "LifecycleState": "InService", "HealthStatus": "Healthy", "ProtectedFromScaleIn": protected}));
        let (arns, names) = (
            group["TargetGroupARNs"].clone(),
            group["LoadBalancerNames"].clone(),
        );
        let ports: Vec<(Value, Value)> = self
            .target_groups
            .iter()
            .map(|g| (g["TargetGroupArn"].clone(), g["Port"].clone()))
            .collect();
        for (arn, port) in ports
            .iter()
            .filter(|(arn, _)| arns.as_array().is_some_and(|all| all.contains(arn)))
        {
            let target = json!({"TargetGroupArn": arn, "Targets": [{"Id": id, "Port": port}]});
            drop(self.targets(&target, true)?);
        }
        for name in names.as_array().into_iter().flatten() {
            drop(self.classic(
                &json!({"LoadBalancerName": name, "Instances": [{"InstanceId": id}]}),
                true,
            )?);
        }
        Ok(json!({}))
    }

    fn for_each_attached(
        &mut self,
        arns: &Value,
        names: &Value,
        change: &dyn Fn(&mut Vec<Value>, &str),
    ) {
        let attached = |all: &Value, id: &Value| all.as_array().is_some_and(|all| all.contains(id));
        for group in self
            .target_groups
            .iter_mut()
            .filter(|g| attached(arns, &g["TargetGroupArn"]))
        {
            change(list(group, "Targets"), "Id");
        }
        for balancer in self
            .load_balancers
            .iter_mut()
            .filter(|b| attached(names, &b["LoadBalancerName"]))
        {
            change(list(balancer, "Instances"), "InstanceId");
        }
    }

    fn target_group(&mut self, arn: &Value) -> Result<&mut Value, String> {
        let found = self
            .target_groups
            .iter_mut()
            .find(|g| g["TargetGroupArn"] == *arn);
        found.ok_or_else(|| "ElasticLoadBalancingV2.TargetGroupNotFoundException: none".to_owned())
    }

    fn health(&mut self, params: &Value) -> Answer {
        let group = self.target_group(&params["TargetGroupArn"])?;
        let described = |target: &Value| {
            let state = target.get("State").cloned().unwrap_or(json!("healthy"));
            json!({"Target": {"Id": target["Id"], "Port": target["Port"]}, "TargetHealth": {"State": state}})
        };
        let all: Vec<Value> = list(group, "Targets").iter().map(described).collect();
        Ok(if all.is_empty() {
            json!({})
        } else {
            json!({"TargetHealthDescriptions": all})
        })
    }

    /// Who is not registered is taken out without a word, and who is registered is put in so too: as AWS does.
    fn targets(&mut self, params: &Value, registered: bool) -> Answer {
        only(params, &["TargetGroupArn", "Targets"]);
        let group = self.target_group(&params["TargetGroupArn"])?;
        for target in params["Targets"].as_array().unwrap() {
            let targets = list(group, "Targets");
            targets.retain(|t| t["Id"] != target["Id"] || t["Port"] != target["Port"]);
            if registered {
                targets.push(json!({"Id": target["Id"], "Port": target["Port"]}));
            }
        }
        Ok(json!({}))
    }

    fn classic(&mut self, params: &Value, registered: bool) -> Answer {
        only(params, &["LoadBalancerName", "Instances"]);
        let found = self
            .load_balancers
            .iter_mut()
            .find(|b| b["LoadBalancerName"] == params["LoadBalancerName"]);
        let balancer = found.ok_or("ElasticLoadBalancing.AccessPointNotFoundException: none")?;
        let instances = list(balancer, "Instances");
        instances.retain(|i| *i != params["Instances"][0]);
        if registered {
            instances.push(params["Instances"][0].clone());
        }
        Ok(json!({}))
    }
}

fn invalid(cause: &str) -> String {
    format!("AutoScaling.AutoScalingException: {cause}")
}
