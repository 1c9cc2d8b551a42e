//! EKS: clusters with their endpoint.
//!
//! A case has `clusters` by name: `{"public": [block] or absent, "private": bool, "status": "ACTIVE", "entries": [arn] or absent}`; and
//! `slow`: for so many looks after an update a cluster still shows what was before it.

use std::collections::BTreeMap;

use quell_model::Call;
use serde_json::{Value, json};

use super::World;

#[derive(Clone)]
pub struct Eks {
    clusters: BTreeMap<String, Value>,
    slow: u64,
    /// What a cluster still shows, and for how many looks.
    shown: BTreeMap<String, (Value, u64)>,
}

type Answer = Result<Value, String>;

impl Eks {
    pub fn of(case: &Value) -> Self {
        let clusters = case["clusters"].as_object().cloned().unwrap_or_default();
        Self {
            clusters: clusters.into_iter().collect(),
            slow: case["slow"].as_u64().unwrap_or(0),
            shown: BTreeMap::new(),
        }
    }

    fn describe(&mut self, name: &str) -> Answer {
        let missing =
            || format!("Eks.ResourceNotFoundException: No cluster found for name: {name}.");
        let cluster = self.clusters.get(name).ok_or_else(missing)?;
        let (of, status) = match self.shown.get_mut(name) {
            Some((before, left)) if *left > 0 => {
                *left -= 1;
                (&*before, json!("UPDATING"))
            }
            _ => (
                cluster,
                cluster.get("status").cloned().unwrap_or("ACTIVE".into()),
            ),
        };
        let mut vpc = json!({
            "VpcId": "vpc-1", "EndpointPublicAccess": of.get("public").is_some(), "EndpointPrivateAccess": of["private"],
        });
        vpc["PublicAccessCidrs"] = of.get("public").cloned().unwrap_or(json!([]));
        Ok(
            json!({"Cluster": {"Name": name, "Status": status, "Version": "1.33", "ResourcesVpcConfig": vpc}}),
        )
    }

    fn update(&mut self, name: &str, params: &Value) -> Answer {
        if self.shown.get(name).is_some_and(|(_, left)| *left > 0) {
            return Err("Eks.ResourceInUseException: Cluster has an update in progress".to_owned());
        }
        let missing =
            || format!("Eks.ResourceNotFoundException: No cluster found for name: {name}.");
        let cluster = self.clusters.get_mut(name).ok_or_else(missing)?;
        let before = cluster.clone();
        let config = &params["ResourcesVpcConfig"];
        cluster["private"] = config["EndpointPrivateAccess"].clone();
        match config["EndpointPublicAccess"] == true {
            true => cluster["public"] = config["PublicAccessCidrs"].clone(),
            false => drop(cluster.as_object_mut().unwrap().remove("public")),
        }
        if *cluster == before {
            return Err(
                "Eks.InvalidParameterException: Cluster is already at the desired configuration"
                    .to_owned(),
            );
        }
        self.shown.insert(name.to_owned(), (before, self.slow));
        Ok(json!({"Update": {"Status": "InProgress"}}))
    }
}

impl World for Eks {
    fn call(&mut self, call: &Call) -> Answer {
        let params = &call.params;
        let named = params.get("Name").or(params.get("ClusterName"));
        let name = named.and_then(Value::as_str).unwrap();
        match call.operation.as_str() {
            "DescribeCluster" => self.describe(name),
            "UpdateClusterConfig" => self.update(name, params),
            "ListAccessEntries" => match self.clusters[name].get("entries") {
                Some(entries) => Ok(json!({"AccessEntries": entries})),
                None => Err("Eks.InvalidRequestException: The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP]".to_owned()),
            },
            other => panic!("the world knows no eks:{other}"),
        }
    }

    fn image(&self) -> Value {
        json!(self.clusters)
    }

    fn evidence(&self) -> Value {
        Value::Null
    }

    /// Somebody else lets another network in, or takes the way from the VPC away.
    fn meddle(&mut self, call: &Call) {
        let name = call.params["Name"].as_str().unwrap();
        let cluster = self.clusters.get_mut(name).unwrap();
        match cluster.get_mut("public").and_then(Value::as_array_mut) {
            Some(blocks) => blocks.push("198.51.100.0/24".into()),
            None => cluster["private"] = false.into(),
        }
    }

    fn copy(&self) -> Box<dyn World> {
        Box::new(self.clone())
    }
}
