//! ECS: services and tasks.
//!
//! A case has `services` by `cluster/name`, as `DescribeServices` shows them without what is the same of all; `tasks` by `cluster/id`,
//! as `DescribeTasks` shows them; `roles`, by the ARN of a task definition the task role.

use std::collections::BTreeMap;

use quell_model::Call;
use serde_json::{Value, json};

use super::World;

#[derive(Clone)]
pub struct Ecs {
    services: BTreeMap<String, Value>,
    tasks: BTreeMap<String, Value>,
    roles: Value,
}

type Answer = Result<Value, String>;

fn text<'a>(params: &'a Value, name: &str) -> &'a str {
    params[name].as_str().unwrap_or_default()
}

/// `cluster/name`, whether a name or an ARN is given.
fn key(params: &Value, name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or_default();
    format!("{}/{last}", text(params, "Cluster"))
}

impl Ecs {
    pub fn of(case: &Value) -> Self {
        let map = |name: &str| {
            let found = case[name].as_object().cloned().unwrap_or_default();
            found.into_iter().collect::<BTreeMap<_, _>>()
        };
        Self {
            services: map("services"),
            tasks: map("tasks"),
            roles: case["roles"].clone(),
        }
    }

    fn cluster_there(&self, params: &Value) -> Result<(), String> {
        let prefix = format!("{}/", text(params, "Cluster"));
        let mut all = self.services.keys().chain(self.tasks.keys());
        match all.any(|key| key.starts_with(&prefix)) {
            true => Ok(()),
            false => Err("Ecs.ClusterNotFoundException: Cluster not found.".to_owned()),
        }
    }

    fn described(&self, of: &str, params: &Value) -> Answer {
        let all = if of == "Services" {
            &self.services
        } else {
            &self.tasks
        };
        let wanted = params[of].as_array().unwrap().iter();
        let names = wanted.map(|name| key(params, name.as_str().unwrap()));
        let found: Vec<&Value> = names.filter_map(|name| all.get(&name)).collect();
        Ok(json!({of: found}))
    }

    fn running(&self, params: &Value) -> Vec<String> {
        let group = format!("service:{}", text(params, "ServiceName"));
        let of = |(_, task): &(&String, &Value)| {
            task["Group"] == *group && task["DesiredStatus"] == "RUNNING"
        };
        self.tasks
            .iter()
            .filter(of)
            .map(|(key, _)| key.clone())
            .collect()
    }

    fn update(&mut self, params: &Value) -> Answer {
        let name = key(params, text(params, "Service"));
        let missing = || "Ecs.ServiceNotFoundException: Service not found.".to_owned();
        let service = self.services.get_mut(&name).ok_or_else(missing)?;
        assert_eq!(params.as_object().unwrap().len(), 3, "{params}");
        service["DesiredCount"] = params["DesiredCount"].clone();
        Ok(json!({"Service": service}))
    }

    fn stop(&mut self, params: &Value) -> Answer {
        let name = key(params, text(params, "Task"));
        let missing =
            || "Ecs.InvalidParameterException: The referenced task was not found.".to_owned();
        let task = self.tasks.get_mut(&name).ok_or_else(missing)?;
        task["DesiredStatus"] = "STOPPED".into();
        Ok(json!({"Task": task}))
    }
}

impl World for Ecs {
    fn call(&mut self, call: &Call) -> Answer {
        let params = &call.params;
        if call.operation != "DescribeTaskDefinition" {
            self.cluster_there(params)?;
        }
        match call.operation.as_str() {
            "DescribeServices" => self.described("Services", params),
            "DescribeTasks" => self.described("Tasks", params),
            "ListTasks" => Ok(json!({"TaskArns": self.running(params)})),
            "DescribeTaskDefinition" => {
                let of = text(params, "TaskDefinition");
                let mut definition = json!({"TaskDefinitionArn": of});
                if let Some(role) = self.roles.get(of) {
                    definition["TaskRoleArn"] = role.clone();
                }
                Ok(json!({"TaskDefinition": definition}))
            }
            "UpdateService" => self.update(params),
            "StopTask" => self.stop(params),
            other => panic!("the world knows no ecs:{other}"),
        }
    }

    fn image(&self) -> Value {
        json!(self.services)
    }

    /// Tasks come and go: which have been stopped is kept, and nobody gives them back.
    fn evidence(&self) -> Value {
        json!(self.tasks)
    }

    /// Somebody else gives a service to another load balancer, or a task to another group.
    fn meddle(&mut self, call: &Call) {
        let name = |of| key(&call.params, text(&call.params, of));
        match call.operation.as_str() {
            "StopTask" => {
                self.tasks.get_mut(&name("Task")).unwrap()["Group"] = "family:other".into()
            }
            _ => {
                self.services.get_mut(&name("Service")).unwrap()["LoadBalancers"] =
                    json!([{"TargetGroupArn": "arn:other"}]);
            }
        }
    }

    fn copy(&self) -> Box<dyn World> {
        Box::new(self.clone())
    }
}
