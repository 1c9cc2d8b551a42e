//! `aws-endpoints.jsonl`: parameters in, URL, headers and signing scope out, or the rules' own refusal.

use std::collections::BTreeMap;
use std::sync::Mutex;

use quell_aws::endpoint::{AuthScheme, BuiltIns, Endpoint, Partitions, RuleSet, parameters};
use quell_aws::registry;
use serde_json::{Map, Value};

use crate::rows::botocore_file;
use crate::tally::Outcome;

/// Runs rows; each rule set is compiled once.
pub(crate) struct Endpoints {
    partitions: Partitions,
    sets: Mutex<BTreeMap<String, Option<&'static RuleSet>>>,
}

/// The rules of a service: the built-in ones, or those of botocore when it is there.
fn rules(service: &str) -> Option<RuleSet> {
    let built_in = registry::service(service).ok();
    let built_in = built_in.and_then(|service| service.endpoint_rule_set_json());
    let botocore = || botocore_file(&format!("{service}/endpoint-rule-set-1.json.gz"));
    let json = built_in.map(str::to_owned).or_else(botocore)?;
    Some(RuleSet::from_json(&json).unwrap())
}

impl Endpoints {
    pub(crate) fn new() -> Self {
        Self {
            partitions: Partitions::from_json(registry::partitions_json()).unwrap(),
            sets: Mutex::default(),
        }
    }

    fn rules(&self, service: &str) -> Option<&'static RuleSet> {
        let mut sets = self.sets.lock().unwrap();
        let compile = || rules(service).map(|rules| &*Box::leak(Box::new(rules)));
        *sets.entry(service.to_owned()).or_insert_with(compile)
    }

    /// A row: once with its parameters, and once with each of its calls, from which the parameters are made.
    pub(crate) fn case(&self, row: &Value) -> Outcome {
        let service = row["service"].as_str().unwrap();
        let Some(rules) = self.rules(service) else {
            return Outcome::Skipped("there are no rules of the service".to_owned());
        };
        let given = row["params"].as_object().cloned().unwrap_or_default();
        let calls = row["operationInputs"].as_array().into_iter().flatten();
        let from_calls = calls.filter_map(|call| parameters_of(rules, service, call));
        for given in std::iter::once(given).chain(from_calls) {
            let outcome = compared(rules.evaluate(&self.partitions, &given), &row["expect"]);
            if !matches!(outcome, Outcome::Passed) {
                return outcome;
            }
        }
        Outcome::Passed
    }
}

fn parameters_of(rules: &RuleSet, service: &str, call: &Value) -> Option<Map<String, Value>> {
    let operation = call["operationName"].as_str()?;
    let (service, operation) = registry::operation(service, operation).ok()?;
    let built_ins = &call["builtInParams"];
    let text = |name: &str| built_ins[name].as_str();
    let is = |name: &str| built_ins[name] == true;
    let built_ins = BuiltIns {
        region: text("AWS::Region"),
        endpoint: text("SDK::Endpoint"),
        use_fips: is("AWS::UseFIPS"),
        use_dual_stack: is("AWS::UseDualStack"),
        account_id: text("AWS::Auth::AccountId"),
        account_id_endpoint_mode: text("AWS::Auth::AccountIdEndpointMode"),
        s3_accelerate: is("AWS::S3::Accelerate"),
        s3_force_path_style: is("AWS::S3::ForcePathStyle"),
        s3_use_global_endpoint: is("AWS::S3::UseGlobalEndpoint"),
        s3_use_arn_region: built_ins["AWS::S3::UseArnRegion"].as_bool(),
        s3_disable_multi_region_access_points: is("AWS::S3::DisableMultiRegionAccessPoints"),
        s3control_use_arn_region: built_ins["AWS::S3Control::UseArnRegion"].as_bool(),
        sts_use_global_endpoint: is("AWS::STS::UseGlobalEndpoint"),
    };
    let input = &call["operationParams"];
    Some(parameters(rules, service, operation, input, &built_ins))
}

fn compared(
    ours: Result<Endpoint, quell_aws::endpoint::EndpointError>,
    expected: &Value,
) -> Outcome {
    match (ours, &expected["error"]) {
        (Ok(ours), Value::Null) => same(&ours, &expected["endpoint"]),
        (Err(ours), Value::String(error)) if ours.to_string() == *error => Outcome::Passed,
        (ours, _) => Outcome::Failed(format!("{ours:?}, not {expected}")),
    }
}

fn same(ours: &Endpoint, expected: &Value) -> Outcome {
    let headers: Map<String, Value> = ours
        .headers
        .iter()
        .map(|(name, values)| (name.clone(), values.clone().into()))
        .collect();
    let none = Value::Object(Map::new());
    let expected_headers = expected.get("headers").unwrap_or(&none);
    let schemes = expected["properties"]["authSchemes"].as_array();
    let schemes: Vec<AuthScheme> = schemes.into_iter().flatten().map(scheme).collect();
    let fits = expected["url"] == ours.url.as_str()
        && *expected_headers == Value::Object(headers)
        && schemes == ours.auth_schemes;
    if fits {
        return Outcome::Passed;
    }
    Outcome::Failed(format!("{ours:?}\n  expected {expected}"))
}

fn scheme(expected: &Value) -> AuthScheme {
    let text = |key: &str| expected[key].as_str().map(str::to_owned);
    let regions = expected["signingRegionSet"].as_array();
    AuthScheme {
        name: text("name").unwrap_or_default(),
        signing_name: text("signingName"),
        signing_region: text("signingRegion"),
        signing_region_set: regions
            .into_iter()
            .flatten()
            .filter_map(|r| r.as_str().map(str::to_owned))
            .collect(),
        disable_double_encoding: expected["disableDoubleEncoding"] == true,
    }
}
