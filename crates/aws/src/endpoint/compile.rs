//! From the JSON of a rule set to its compiled form. What the engine does not know is an error here, never a rule
//! that quietly does not hold.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;

use super::RulesError;
use super::expression::{Call, Expression, Part, Template};
use super::rules::{
    AuthSchemeRule, BuiltIn, Condition, EndpointRule, Parameter, ParameterKind, Rule, RuleSet, Then,
};
use super::value::{Attribute, Value};

/// How deep trees and calls may be nested; botocore's deepest set has 18 levels.
const DEPTH_MAX: usize = 40;

#[derive(Deserialize)]
struct RawSet {
    version: String,
    parameters: BTreeMap<String, RawParameter>,
    rules: Vec<RawRule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawParameter {
    #[serde(rename = "type")]
    kind: String,
    built_in: Option<String>,
    default: Option<Json>,
    #[serde(default)]
    required: bool,
}

#[derive(Deserialize)]
struct RawRule {
    #[serde(rename = "type")]
    kind: String,
    conditions: Vec<RawCondition>,
    endpoint: Option<RawEndpoint>,
    error: Option<Json>,
    rules: Option<Vec<RawRule>>,
}

#[derive(Deserialize)]
struct RawCondition {
    #[serde(rename = "fn")]
    function: String,
    argv: Vec<Json>,
    assign: Option<String>,
}

#[derive(Deserialize)]
struct RawEndpoint {
    url: Json,
    #[serde(default)]
    headers: BTreeMap<String, Vec<Json>>,
    #[serde(default)]
    properties: RawProperties,
}

/// The other properties (`backend`, `metricValues`) say nothing about where a request goes or how it is signed.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawProperties {
    #[serde(default)]
    auth_schemes: Vec<RawAuthScheme>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawAuthScheme {
    name: String,
    signing_name: Option<String>,
    signing_region: Option<String>,
    #[serde(default)]
    signing_region_set: Vec<String>,
    #[serde(default)]
    disable_double_encoding: bool,
}

type Compiled<T> = Result<T, RulesError>;

pub(super) fn rule_set(json: &str) -> Compiled<RuleSet> {
    let raw: RawSet = serde_json::from_str(json)?;
    if raw.version != "1.0" {
        return Err(RulesError::malformed(format!(
            "version {} of the rules is not known",
            raw.version
        )));
    }
    let parameters = raw.parameters.into_iter().map(parameter);
    let parameters = parameters.collect::<Compiled<Vec<_>>>()?;
    let mut compiler = Compiler {
        names: parameters.iter().map(|p| p.name.clone()).collect(),
        variables_max: parameters.len(),
    };
    let rules = compiler.rules(raw.rules, 0)?;
    Ok(RuleSet {
        parameters,
        rules,
        variables_max: compiler.variables_max,
    })
}

fn parameter((name, raw): (String, RawParameter)) -> Compiled<Parameter> {
    let wrong = |what: &str| RulesError::malformed(format!("the parameter {name}: {what}"));
    let kind = match raw.kind.to_ascii_lowercase().as_str() {
        "string" => ParameterKind::Text,
        "boolean" => ParameterKind::Bool,
        "stringarray" => ParameterKind::List,
        _ => return Err(wrong("its type is not known")),
    };
    let default = match (raw.default, kind) {
        (None, _) => None,
        (Some(Json::String(text)), ParameterKind::Text) => Some(Value::Text(text.into())),
        (Some(Json::Bool(bool)), ParameterKind::Bool) => Some(Value::Bool(bool)),
        _ => return Err(wrong("its default is not of its type")),
    };
    let built_in = match raw.built_in.as_deref() {
        Some(name) => Some(built_in(name).ok_or_else(|| wrong("its built-in is not known"))?),
        None => None,
    };
    Ok(Parameter {
        name,
        kind,
        built_in,
        default,
        is_required: raw.required,
    })
}

fn built_in(name: &str) -> Option<BuiltIn> {
    Some(match name {
        "AWS::Region" => BuiltIn::Region,
        "AWS::UseFIPS" => BuiltIn::UseFips,
        "AWS::UseDualStack" => BuiltIn::UseDualStack,
        "SDK::Endpoint" => BuiltIn::Endpoint,
        "AWS::Auth::AccountId" => BuiltIn::AccountId,
        "AWS::Auth::AccountIdEndpointMode" => BuiltIn::AccountIdEndpointMode,
        "AWS::S3::Accelerate" => BuiltIn::S3Accelerate,
        "AWS::S3::ForcePathStyle" => BuiltIn::S3ForcePathStyle,
        "AWS::S3::UseGlobalEndpoint" => BuiltIn::S3UseGlobalEndpoint,
        "AWS::S3::UseArnRegion" => BuiltIn::S3UseArnRegion,
        "AWS::S3::DisableMultiRegionAccessPoints" => BuiltIn::S3DisableMultiRegionAccessPoints,
        "AWS::S3Control::UseArnRegion" => BuiltIn::S3ControlUseArnRegion,
        "AWS::STS::UseGlobalEndpoint" => BuiltIn::StsUseGlobalEndpoint,
        _ => return None,
    })
}

/// Compiles rules with the variables that are in scope.
struct Compiler {
    /// Their names; the index is their place.
    names: Vec<String>,
    variables_max: usize,
}

impl Compiler {
    fn rules(&mut self, raw: Vec<RawRule>, depth: usize) -> Compiled<Vec<Rule>> {
        check_depth(depth)?;
        raw.into_iter().map(|rule| self.rule(rule, depth)).collect()
    }

    fn rule(&mut self, raw: RawRule, depth: usize) -> Compiled<Rule> {
        let outside = self.names.len();
        let conditions = raw.conditions.into_iter().map(|c| self.condition(c));
        let conditions = conditions.collect::<Compiled<Vec<_>>>()?;
        let then = match (raw.kind.as_str(), raw.endpoint, raw.error, raw.rules) {
            ("endpoint", Some(endpoint), ..) => Then::Endpoint(self.endpoint(endpoint)?),
            ("error", _, Some(error), _) => Then::Error(self.expression(&error, 0)?),
            ("tree", .., Some(rules)) => Then::Tree(self.rules(rules, depth + 1)?),
            (kind, ..) => {
                let what =
                    format!("a rule of the type {kind} without its part, or of no known type");
                return Err(RulesError::malformed(what));
            }
        };
        self.names.truncate(outside);
        Ok(Rule { conditions, then })
    }

    fn condition(&mut self, raw: RawCondition) -> Compiled<Condition> {
        let call = self.call(&raw.function, &raw.argv, 0)?;
        let Some(name) = raw.assign else {
            return Ok(Condition { call, assign: None });
        };
        if self.names.contains(&name) {
            return Err(RulesError::malformed(format!("{name} is assigned twice")));
        }
        let place = self.names.len();
        self.names.push(name);
        self.variables_max = self.variables_max.max(self.names.len());
        Ok(Condition {
            call,
            assign: Some(place),
        })
    }

    fn endpoint(&self, raw: RawEndpoint) -> Compiled<EndpointRule> {
        let header = |(name, values): (String, Vec<Json>)| {
            let values = values.iter().map(|value| self.expression(value, 0));
            Ok((name, values.collect::<Compiled<Vec<_>>>()?))
        };
        let schemes = raw.properties.auth_schemes.into_iter();
        Ok(EndpointRule {
            url: self.expression(&raw.url, 0)?,
            headers: raw
                .headers
                .into_iter()
                .map(header)
                .collect::<Compiled<Vec<_>>>()?,
            auth_schemes: schemes
                .map(|scheme| self.auth_scheme(scheme))
                .collect::<Compiled<Vec<_>>>()?,
        })
    }

    fn auth_scheme(&self, raw: RawAuthScheme) -> Compiled<AuthSchemeRule> {
        let optional = |text: Option<String>| text.map(|text| self.text(&text)).transpose();
        let regions = raw.signing_region_set.iter();
        Ok(AuthSchemeRule {
            name: raw.name,
            signing_name: optional(raw.signing_name)?,
            signing_region: optional(raw.signing_region)?,
            signing_region_set: regions
                .map(|region| self.text(region))
                .collect::<Compiled<Vec<_>>>()?,
            disable_double_encoding: raw.disable_double_encoding,
        })
    }

    fn expression(&self, json: &Json, depth: usize) -> Compiled<Expression> {
        check_depth(depth)?;
        let unknown = || RulesError::malformed(format!("{json} is no expression"));
        match json {
            Json::Bool(bool) => Ok(Expression::Literal(Value::Bool(*bool))),
            Json::String(text) => self.text(text),
            Json::Object(object) => {
                let text = |key: &str| object.get(key).and_then(Json::as_str);
                match (text("ref"), text("fn"), object.get("argv")) {
                    (Some(name), None, None) => self.variable(name).map(Expression::Variable),
                    (None, Some(function), Some(Json::Array(argv))) => {
                        let call = self.call(function, argv, depth + 1)?;
                        Ok(Expression::Call(Box::new(call)))
                    }
                    _ => Err(unknown()),
                }
            }
            _ => Err(unknown()),
        }
    }

    fn call(&self, function: &str, argv: &[Json], depth: usize) -> Compiled<Call> {
        let expression = |json: &Json| self.expression(json, depth);
        Ok(match (function, argv) {
            ("isSet", [of]) => Call::IsSet(expression(of)?),
            ("not", [of]) => Call::Not(expression(of)?),
            ("getAttr", [of, Json::String(path)]) => {
                Call::GetAttr(expression(of)?, attribute(path)?)
            }
            ("substring", [of, start, stop, Json::Bool(reverse)]) => Call::Substring {
                of: expression(of)?,
                start: index(start)?,
                stop: index(stop)?,
                reverse: *reverse,
            },
            ("uriEncode", [of]) => Call::UriEncode(expression(of)?),
            ("stringEquals", [a, b]) => Call::StringEquals(expression(a)?, expression(b)?),
            ("booleanEquals", [a, b]) => Call::BooleanEquals(expression(a)?, expression(b)?),
            ("parseURL", [of]) => Call::ParseUrl(expression(of)?),
            ("isValidHostLabel", [of, Json::Bool(subdomains)]) => {
                Call::IsValidHostLabel(expression(of)?, *subdomains)
            }
            ("aws.isVirtualHostableS3Bucket", [of, Json::Bool(subdomains)]) => {
                Call::IsVirtualHostableS3Bucket(expression(of)?, *subdomains)
            }
            ("aws.partition", [of]) => Call::Partition(expression(of)?),
            ("aws.parseArn", [of]) => Call::ParseArn(expression(of)?),
            _ => {
                let what = format!(
                    "the function {function} of {} arguments is not known",
                    argv.len()
                );
                return Err(RulesError::malformed(what));
            }
        })
    }

    fn variable(&self, name: &str) -> Compiled<usize> {
        let place = self.names.iter().position(|known| known == name);
        place.ok_or_else(|| RulesError::malformed(format!("there is no variable {name}")))
    }

    /// `https://{Bucket}.s3.{PartitionResult#dnsSuffix}`; `{{` and `}}` are braces.
    fn text(&self, text: &str) -> Compiled<Expression> {
        let (mut parts, mut plain) = (Vec::new(), String::new());
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, after) = rest.split_at(at);
            plain.push_str(before);
            let mut doubled = [("{{", '{'), ("}}", '}')]
                .into_iter()
                .filter_map(|(pair, brace)| Some((after.strip_prefix(pair)?, brace)));
            if let Some((after, brace)) = doubled.next() {
                plain.push(brace);
                rest = after;
                continue;
            }
            let hole = after.strip_prefix('{').and_then(|t| t.split_once('}'));
            let (hole, after) = hole
                .ok_or_else(|| RulesError::malformed(format!("a brace is left open in {text}")))?;
            parts.push(Part::Plain(std::mem::take(&mut plain)));
            parts.push(self.hole(hole)?);
            rest = after;
        }
        plain.push_str(rest);
        if parts.is_empty() {
            return Ok(Expression::Literal(Value::Text(plain.into())));
        }
        parts.push(Part::Plain(plain));
        Ok(Expression::Template(Template(parts)))
    }

    fn hole(&self, text: &str) -> Compiled<Part> {
        Ok(match text.split_once('#') {
            Some((name, path)) => Part::Hole(self.variable(name)?, Some(attribute(path)?)),
            None => Part::Hole(self.variable(text)?, None),
        })
    }
}

fn check_depth(depth: usize) -> Compiled<()> {
    if depth <= DEPTH_MAX {
        return Ok(());
    }
    let what = format!("it is nested more than {DEPTH_MAX} levels deep");
    Err(RulesError::malformed(what))
}

fn attribute(path: &str) -> Compiled<Attribute> {
    let parsed = Attribute::parse(path);
    parsed.ok_or_else(|| RulesError::malformed(format!("the attribute {path} is not known")))
}

fn index(json: &Json) -> Compiled<usize> {
    let index = json.as_u64().and_then(|n| usize::try_from(n).ok());
    index.ok_or_else(|| RulesError::malformed(format!("{json} is no place in a text")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::endpoint::{EndpointError, Partitions};

    fn compiled(rules: Json) -> Result<RuleSet, String> {
        let parameters = json!({
            "Region": {"type": "String", "builtIn": "AWS::Region"},
            "Flag": {"type": "boolean", "default": false, "required": true},
            "Needed": {"type": "stringArray", "required": true},
        });
        let set = json!({"version": "1.0", "parameters": parameters, "rules": rules});
        rule_set(&set.to_string()).map_err(|why| why.to_string())
    }

    /// A set with this one condition.
    fn condition(condition: Json) -> Result<RuleSet, String> {
        compiled(json!([{"type": "error", "conditions": [condition], "error": "no"}]))
    }

    #[test]
    fn what_is_not_known_is_told_and_not_skipped() {
        for (wrong, what) in [
            (
                json!({"fn": "isSat", "argv": [{"ref": "Region"}]}),
                "function isSat of 1",
            ),
            (json!({"fn": "isSet", "argv": []}), "function isSet of 0"),
            (
                json!({"fn": "isSet", "argv": [{"ref": "Nobody"}]}),
                "no variable Nobody",
            ),
            (
                json!({"fn": "isSet", "argv": ["{Nobody}"]}),
                "no variable Nobody",
            ),
            (
                json!({"fn": "isSet", "argv": ["{Region"]}),
                "brace is left open",
            ),
            (json!({"fn": "isSet", "argv": [3]}), "3 is no expression"),
            (
                json!({"fn": "getAttr", "argv": [{"ref": "Region"}, "moon"]}),
                "attribute moon",
            ),
            (
                json!({"fn": "getAttr", "argv": [{"ref": "Region"}, "name[x]"]}),
                "attribute name[x]",
            ),
            (
                json!({"fn": "substring", "argv": [{"ref": "Region"}, -1, 2, false]}),
                "-1 is no place",
            ),
            (
                json!({"fn": "isSet", "argv": [{"ref": "Region"}], "assign": "Flag"}),
                "Flag is assigned twice",
            ),
        ] {
            let why = condition(wrong).unwrap_err();
            assert!(why.contains(what), "{why}");
        }
        let why = compiled(json!([{"type": "endpoint", "conditions": []}])).unwrap_err();
        assert!(why.contains("without its part"), "{why}");
        assert!(rule_set("{}").is_err());
        let newer = json!({"version": "1.1", "parameters": {}, "rules": []}).to_string();
        assert!(rule_set(&newer).is_err());
    }

    #[test]
    fn what_is_assigned_is_known_inside_and_not_beside() {
        let assign = json!({"fn": "aws.partition", "argv": [{"ref": "Region"}], "assign": "p"});
        let inside = json!({"type": "error", "conditions": [], "error": "{p#name}"});
        let tree = json!({"type": "tree", "conditions": [assign], "rules": [inside]});
        assert!(compiled(json!([tree])).is_ok());
        let why = compiled(json!([tree, inside])).unwrap_err();
        assert!(why.contains("no variable p"), "{why}");
    }

    #[test]
    fn it_is_only_so_deep() {
        let mut rule = json!({"type": "error", "conditions": [], "error": "deep"});
        let mut call = json!({"ref": "Region"});
        for _ in 0..DEPTH_MAX + 2 {
            rule = json!({"type": "tree", "conditions": [], "rules": [rule]});
            call = json!({"fn": "isSet", "argv": [call]});
        }
        for why in [
            compiled(json!([rule])).unwrap_err(),
            condition(call).unwrap_err(),
        ] {
            assert!(why.contains("levels deep"), "{why}");
        }
    }

    #[test]
    fn parameters_are_checked_and_braces_are_doubled() {
        let rules = json!([
            {"type": "error", "conditions": [{"fn": "booleanEquals", "argv": [{"ref": "Flag"}, true]}],
             "error": "{{{Region}}}"},
            {"type": "endpoint", "conditions": [], "endpoint": {"url": "https://{Region}"}},
        ]);
        let rules = compiled(rules).unwrap();
        let partitions = Partitions::from_json(crate::registry::partitions_json()).unwrap();
        let found = |given: Json| {
            let given: Map<String, Json> = given.as_object().unwrap().clone();
            rules
                .evaluate(&partitions, &given)
                .map(|endpoint| endpoint.url)
        };
        let region = json!({"Needed": [], "Region": "r"});
        assert_eq!(found(region), Ok("https://r".to_owned()));
        let flagged = json!({"Needed": [], "Region": "r", "Flag": true});
        assert_eq!(
            found(flagged),
            Err(EndpointError::Refused("{r}".to_owned()))
        );
        assert_eq!(
            found(json!({})),
            Err(EndpointError::Missing("Needed".to_owned()))
        );
        let wrong = json!({"Needed": ["a", 1]});
        assert_eq!(
            found(wrong),
            Err(EndpointError::WrongType("Needed".to_owned()))
        );
        assert_eq!(found(json!({"Needed": []})), Err(EndpointError::Unset));
        let hostile = json!({"Needed": [], "Region": "r@evil"});
        assert_eq!(found(hostile), Err(EndpointError::NoUrl));
    }
}
