//! Lambda: functions with what may call them and how much of them may run.
//!
//! A case has `functions`, by name: `{"role": arn, "concurrency": n, "aliases": [name], "urls": {qualifier: auth}, "policies":
//! {qualifier: [statement]}, "provisioned": {qualifier: n}, "sources": [arn]}`, where the function itself is the qualifier `$LATEST`; and
//! `pageSize`, which cuts lists into pages of that size.

use std::collections::BTreeMap;

use quell_model::Call;
use serde_json::{Map, Value, json};

use super::World;

const ARN: &str = "arn:aws:lambda:us-east-1:444455556666:function:";

#[derive(Clone)]
pub struct Lambda {
    functions: BTreeMap<String, Value>,
    page: usize,
}

type Answer = Result<Value, String>;

fn gone(what: &str) -> String {
    format!("Lambda.ResourceNotFoundException: {what} is not there")
}

fn refused(why: &str) -> String {
    format!("Lambda.InvalidParameterValueException: {why}")
}

fn qualifier(params: &Value) -> &str {
    params["Qualifier"].as_str().unwrap_or("$LATEST")
}

fn members(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

impl Lambda {
    pub fn of(case: &Value) -> Self {
        let functions = members(&case["functions"]).into_iter();
        Self {
            functions: functions.collect(),
            page: case["pageSize"].as_u64().unwrap_or(50) as usize,
        }
    }

    fn function(&mut self, params: &Value) -> Result<&mut Value, String> {
        let name = params["FunctionName"].as_str().unwrap();
        self.functions.get_mut(name).ok_or_else(|| gone(name))
    }

    fn paged(&self, name: &str, all: &[Value], params: &Value) -> Answer {
        let from: usize = params["Marker"].as_str().map_or(0, |m| m.parse().unwrap());
        let to = (from + self.page).min(all.len());
        let mut out = json!({name: all[from..to]});
        if to < all.len() {
            out["NextMarker"] = json!(to.to_string());
        }
        Ok(out)
    }

    fn configuration(&mut self, params: &Value) -> Answer {
        let name = params["FunctionName"].clone();
        let function = self.function(params)?;
        Ok(json!({
            "FunctionName": name, "Role": function["role"], "Runtime": "python3.12", "CodeSha256": "c2hh",
            "LastModified": "2026-11-21T09:00:00.000+0000", "PackageType": "Zip", "Version": "$LATEST", "State": "Active",
        }))
    }

    fn listed(&mut self, operation: &str, params: &Value) -> Answer {
        let name = params["FunctionName"].as_str().unwrap().to_owned();
        let function = self.function(params)?.clone();
        let items = |of: &str| function[of].as_array().cloned().unwrap_or_default();
        let (answer, all): (_, Vec<Value>) = match operation {
            "ListAliases" => {
                let alias = |alias: Value| json!({"Name": alias, "FunctionVersion": "1"});
                ("Aliases", items("aliases").into_iter().map(alias).collect())
            }
            "ListProvisionedConcurrencyConfigs" => {
                let each = members(&function["provisioned"]).into_iter();
                let config = |(of, count): (String, Value)| json!({"FunctionArn": format!("{ARN}{name}:{of}"), "RequestedProvisionedConcurrentExecutions": count, "Status": "READY"});
                ("ProvisionedConcurrencyConfigs", each.map(config).collect())
            }
            _ => {
                let each = items("sources").into_iter().enumerate();
                let mapping = |(i, source): (usize, Value)| json!({"Uuid": format!("mapping-{i}"), "EventSourceArn": source, "State": "Enabled"});
                ("EventSourceMappings", each.map(mapping).collect())
            }
        };
        self.paged(answer, &all, params)
    }

    fn reserve(&mut self, params: &Value) -> Answer {
        let count = params["ReservedConcurrentExecutions"].clone();
        let function = self.function(params)?;
        let warm: u64 = members(&function["provisioned"])
            .values()
            .filter_map(Value::as_u64)
            .sum();
        if count.as_u64().unwrap() < warm {
            return Err(refused(
                "it is less than the provisioned concurrency of the function",
            ));
        }
        function["concurrency"] = count.clone();
        Ok(json!({"ReservedConcurrentExecutions": count}))
    }

    fn provision(&mut self, params: &Value) -> Answer {
        let function = self.function(params)?;
        let count = params["ProvisionedConcurrentExecutions"].clone();
        if function["concurrency"]
            .as_u64()
            .is_some_and(|of| of < count.as_u64().unwrap())
        {
            return Err(refused("it is more than what is reserved"));
        }
        if function["provisioned"].is_null() {
            function["provisioned"] = json!({});
        }
        function["provisioned"][qualifier(params)] = count;
        Ok(json!({"Status": "IN_PROGRESS"}))
    }

    fn unprovision(&mut self, params: &Value) -> Answer {
        let of = qualifier(params);
        let configs = self.function(params)?["provisioned"].as_object_mut();
        let removed = configs.and_then(|configs| configs.remove(of));
        let missing = || {
            "Lambda.ProvisionedConcurrencyConfigNotFoundException: No Provisioned Concurrency Config found"
                .to_owned()
        };
        removed.map(|_| json!({})).ok_or_else(missing)
    }

    fn url(&mut self, params: &Value) -> Answer {
        let of = qualifier(params);
        let auth = self.function(params)?["urls"].get(of).cloned();
        auth.map(|auth| json!({"AuthType": auth, "InvokeMode": "BUFFERED"}))
            .ok_or_else(|| gone("the URL"))
    }

    fn set_url(&mut self, params: &Value) -> Answer {
        self.url(params)?;
        let auth = params["AuthType"].clone();
        self.function(params)?["urls"][qualifier(params)] = auth.clone();
        Ok(json!({"AuthType": auth}))
    }

    fn statements(&mut self, params: &Value) -> Result<Vec<Value>, String> {
        let of = qualifier(params);
        let policy = self.function(params)?["policies"][of].as_array().cloned();
        Ok(policy.unwrap_or_default())
    }

    fn keep_statements(&mut self, params: &Value, statements: Vec<Value>) -> Answer {
        let of = qualifier(params);
        let policies = &mut self.function(params)?["policies"];
        if policies.is_null() {
            *policies = json!({});
        }
        match statements.is_empty() {
            true => drop(policies.as_object_mut().unwrap().remove(of)),
            false => policies[of] = statements.into(),
        }
        Ok(json!({}))
    }

    fn policy(&mut self, params: &Value) -> Answer {
        let statements = self.statements(params)?;
        if statements.is_empty() {
            return Err(gone("the policy"));
        }
        let policy = json!({"Version": "2012-10-17", "Id": "default", "Statement": statements});
        Ok(json!({"Policy": policy.to_string(), "RevisionId": "r"}))
    }

    fn remove(&mut self, params: &Value) -> Answer {
        let mut statements = self.statements(params)?;
        let there = { statements.iter() }.position(|s| s["Sid"] == params["StatementId"]);
        statements.remove(there.ok_or_else(|| gone("the statement"))?);
        self.keep_statements(params, statements)
    }

    fn add(&mut self, params: &Value) -> Answer {
        let mut statements = self.statements(params)?;
        if statements.iter().any(|s| s["Sid"] == params["StatementId"]) {
            return Err(
                "Lambda.ResourceConflictException: The statement id provided already exists".into(),
            );
        }
        let name = params["FunctionName"].as_str().unwrap();
        let resource = match qualifier(params) {
            "$LATEST" => format!("{ARN}{name}"),
            alias => format!("{ARN}{name}:{alias}"),
        };
        let mut statement = json!({
            "Sid": params["StatementId"], "Effect": "Allow", "Principal": params["Principal"], "Action": params["Action"], "Resource": resource,
        });
        if params["FunctionUrlAuthType"].is_string() {
            statement["Condition"]["StringEquals"] =
                json!({"lambda:FunctionUrlAuthType": params["FunctionUrlAuthType"]});
        }
        if params["InvokedViaFunctionUrl"] == true {
            statement["Condition"]["Bool"] = json!({"lambda:InvokedViaFunctionUrl": "true"});
        }
        statements.push(statement);
        self.keep_statements(params, statements)
    }
}

impl World for Lambda {
    fn call(&mut self, call: &Call) -> Answer {
        let params = &call.params;
        match call.operation.as_str() {
            "GetFunctionConfiguration" => self.configuration(params),
            "GetFunctionConcurrency" => match &self.function(params)?["concurrency"] {
                Value::Null => Ok(json!({})),
                count => Ok(json!({"ReservedConcurrentExecutions": count})),
            },
            operation @ ("ListAliases"
            | "ListProvisionedConcurrencyConfigs"
            | "ListEventSourceMappings") => self.listed(operation, params),
            "GetFunctionUrlConfig" => self.url(params),
            "GetPolicy" => self.policy(params),
            "PutFunctionConcurrency" => self.reserve(params),
            "DeleteFunctionConcurrency" => {
                let function = self.function(params)?.as_object_mut();
                function.unwrap().remove("concurrency");
                Ok(json!({}))
            }
            "PutProvisionedConcurrencyConfig" => self.provision(params),
            "DeleteProvisionedConcurrencyConfig" => self.unprovision(params),
            "UpdateFunctionUrlConfig" => self.set_url(params),
            "RemovePermission" => self.remove(params),
            "AddPermission" => self.add(params),
            other => panic!("the world knows no lambda:{other}"),
        }
    }

    /// The order of statements and what is empty mean nothing.
    fn image(&self) -> Value {
        let mut functions = self.functions.clone();
        for function in functions.values_mut() {
            for policy in { function["policies"].as_object_mut() }
                .into_iter()
                .flat_map(|all| all.values_mut())
            {
                let statements = policy.as_array_mut().unwrap();
                statements.sort_by_key(Value::to_string);
            }
            let function = function.as_object_mut().unwrap();
            function
                .retain(|_, of| !of.is_null() && of.as_object().is_none_or(|of| !of.is_empty()));
        }
        json!(functions)
    }

    fn evidence(&self) -> Value {
        Value::Null
    }

    /// Somebody else has it called by another queue.
    fn meddle(&mut self, call: &Call) {
        let function = self.function(&call.params).unwrap();
        if function["sources"].is_null() {
            function["sources"] = json!([]);
        }
        let sources = function["sources"].as_array_mut().unwrap();
        sources.push("arn:aws:sqs:us-east-1:444455556666:other".into());
    }

    fn copy(&self) -> Box<dyn World> {
        Box::new(self.clone())
    }
}
