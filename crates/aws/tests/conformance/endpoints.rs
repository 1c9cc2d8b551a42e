//! `aws-endpoints.jsonl`: parameters in, URL, headers and signing scope out, or the rules' own refusal.

use std::collections::BTreeMap;
use std::sync::Mutex;

use quell_aws::endpoint::{AuthScheme, Endpoint, Partitions, RuleSet};
use serde_json::{Map, Value};

use crate::rows::botocore_file;
use crate::tally::Outcome;

type Sets = BTreeMap<String, Option<&'static RuleSet>>;

/// Runs rows; each rule set is compiled once.
pub(crate) struct Endpoints {
    partitions: Partitions,
    sets: Mutex<Sets>,
}

impl Endpoints {
    pub(crate) fn new() -> Option<Self> {
        let json = botocore_file("partitions.json")?;
        Some(Self {
            partitions: Partitions::from_json(&json).unwrap(),
            sets: Mutex::default(),
        })
    }

    fn rules(&self, service: &str) -> Option<&'static RuleSet> {
        let mut sets = self.sets.lock().unwrap();
        *sets.entry(service.to_owned()).or_insert_with(|| {
            let json = botocore_file(&format!("{service}/endpoint-rule-set-1.json.gz"))?;
            Some(Box::leak(Box::new(RuleSet::from_json(&json).unwrap())))
        })
    }

    pub(crate) fn case(&self, row: &Value) -> Outcome {
        let Some(rules) = self.rules(row["service"].as_str().unwrap()) else {
            return Outcome::Skipped("there are no rules of the service".to_owned());
        };
        let none = Map::new();
        let params = row["params"].as_object().unwrap_or(&none);
        let ours = rules.evaluate(&self.partitions, params);
        match (ours, &row["expect"]["error"]) {
            (Ok(ours), Value::Null) => same(&ours, &row["expect"]["endpoint"]),
            (Err(ours), Value::String(expected)) if ours.to_string() == *expected => Outcome::Passed,
            (ours, _) => Outcome::Failed(format!("{ours:?}, not {}", row["expect"])),
        }
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
