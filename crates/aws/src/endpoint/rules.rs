//! A service's endpoint rules (Smithy endpoint rules 1.0): parameters in, an endpoint or a refusal out.

use serde_json::{Map, Value as Json};

use super::compile;
use super::expression::{Call, Expression, Scope};
use super::partitions::Partitions;
use super::value::Value;
use super::{AuthScheme, Endpoint, EndpointError, RulesError};

/// A compiled rule set. Evaluation takes no longer than the set is large: there are no loops in it.
#[derive(Debug)]
pub struct RuleSet {
    pub(super) parameters: Vec<Parameter>,
    pub(super) rules: Vec<Rule>,
    /// How many variables there are at most at one time, parameters included.
    pub(super) variables_max: usize,
}

/// A parameter of a rule set. Its place among the parameters is its place among the variables.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) kind: ParameterKind,
    pub(super) built_in: Option<BuiltIn>,
    pub(super) default: Option<Value>,
    pub(super) is_required: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ParameterKind {
    Text,
    Bool,
    List,
}

/// What the client itself knows and gives to a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BuiltIn {
    Region,
    UseFips,
    UseDualStack,
    Endpoint,
    AccountId,
    AccountIdEndpointMode,
    S3Accelerate,
    S3ForcePathStyle,
    S3UseGlobalEndpoint,
    S3UseArnRegion,
    S3DisableMultiRegionAccessPoints,
    S3ControlUseArnRegion,
    StsUseGlobalEndpoint,
}

/// One rule: what follows when all its conditions hold.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) conditions: Vec<Condition>,
    pub(super) then: Then,
}

/// It holds when the call gives anything but `false`.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) call: Call,
    /// The variable that keeps what the call gives.
    pub(super) assign: Option<usize>,
}

#[derive(Debug)]
pub(super) enum Then {
    Endpoint(EndpointRule),
    Error(Expression),
    /// The first that gives anything; when none does, the rules after the tree have their turn, as in botocore.
    Tree(Vec<Rule>),
}

#[derive(Debug)]
pub(super) struct EndpointRule {
    pub(super) url: Expression,
    pub(super) headers: Vec<(String, Vec<Expression>)>,
    pub(super) auth_schemes: Vec<AuthSchemeRule>,
}

#[derive(Debug)]
pub(super) struct AuthSchemeRule {
    pub(super) name: String,
    pub(super) signing_name: Option<Expression>,
    pub(super) signing_region: Option<Expression>,
    pub(super) signing_region_set: Vec<Expression>,
    pub(super) disable_double_encoding: bool,
}

type Outcome = Result<Endpoint, EndpointError>;

impl RuleSet {
    /// Compiles a rule set as botocore has it (`endpoint-rule-set-1.json`).
    ///
    /// # Errors
    /// [`RulesError`] for what is not a rule set, and for functions, attributes, built-ins or variables that are not known.
    pub fn from_json(json: &str) -> Result<Self, RulesError> {
        compile::rule_set(json)
    }

    /// Finds the endpoint for the parameters `given` by their names; what is not given has its default.
    ///
    /// # Errors
    /// [`EndpointError`]: the rules refuse, a parameter is missing or of the wrong type, no rule holds, or what the
    /// rules give is no URL of a host.
    pub fn evaluate(&self, partitions: &Partitions, given: &Map<String, Json>) -> Outcome {
        let mut variables = Vec::with_capacity(self.variables_max);
        for parameter in &self.parameters {
            variables.push(parameter.value(given.get(&parameter.name))?);
        }
        variables.resize(self.variables_max, None);
        let mut scope = Scope {
            partitions,
            variables,
        };
        let found = first(&self.rules, &mut scope).unwrap_or(Err(EndpointError::NoRule))?;
        found.check()?;
        Ok(found)
    }
}

impl Parameter {
    fn value(&self, given: Option<&Json>) -> Result<Option<Value>, EndpointError> {
        let text = |text: &Json| text.as_str().map(std::sync::Arc::from);
        let value = match (given, self.kind) {
            (None | Some(Json::Null), _) => {
                return match (&self.default, self.is_required) {
                    (None, true) => Err(EndpointError::Missing(self.name.clone())),
                    (default, _) => Ok(default.clone()),
                };
            }
            (Some(given), ParameterKind::Text) => text(given).map(Value::Text),
            (Some(given), ParameterKind::Bool) => given.as_bool().map(Value::Bool),
            (Some(given), ParameterKind::List) => {
                let items = given.as_array();
                let items = items.and_then(|items| items.iter().map(text).collect());
                items.map(Value::List)
            }
        };
        let wrong = || EndpointError::WrongType(self.name.clone());
        value.map(Some).ok_or_else(wrong)
    }
}

/// What the first rule that applies gives. The depth was bounded when the set was compiled.
fn first(rules: &[Rule], scope: &mut Scope<'_>) -> Option<Outcome> {
    rules.iter().find_map(|rule| rule.apply(scope))
}

impl Rule {
    fn apply(&self, scope: &mut Scope<'_>) -> Option<Outcome> {
        if !self
            .conditions
            .iter()
            .all(|condition| condition.holds(scope))
        {
            return None;
        }
        match &self.then {
            Then::Endpoint(rule) => Some(rule.endpoint(scope).ok_or(EndpointError::Unset)),
            Then::Error(message) => {
                let message = text(message, scope).map(EndpointError::Refused);
                Some(Err(message.unwrap_or(EndpointError::Unset)))
            }
            Then::Tree(rules) => first(rules, scope),
        }
    }
}

impl Condition {
    fn holds(&self, scope: &mut Scope<'_>) -> bool {
        let value = self.call.value(scope);
        let holds = !matches!(value, None | Some(Value::Bool(false)));
        if let Some(place) = self.assign {
            scope.assign(place, value);
        }
        holds
    }
}

fn text(of: &Expression, scope: &Scope<'_>) -> Option<String> {
    Some(of.value(scope)?.text()?.to_owned())
}

impl EndpointRule {
    fn endpoint(&self, scope: &Scope<'_>) -> Option<Endpoint> {
        let mut headers = Vec::with_capacity(self.headers.len());
        for (name, values) in &self.headers {
            let values = values.iter().map(|value| text(value, scope));
            headers.push((name.clone(), values.collect::<Option<Vec<_>>>()?));
        }
        let schemes = self.auth_schemes.iter().map(|rule| rule.scheme(scope));
        Some(Endpoint {
            url: text(&self.url, scope)?,
            headers,
            auth_schemes: schemes.collect::<Option<Vec<_>>>()?,
        })
    }
}

impl AuthSchemeRule {
    fn scheme(&self, scope: &Scope<'_>) -> Option<AuthScheme> {
        let optional = |of: &Option<Expression>| match of {
            Some(of) => text(of, scope).map(Some),
            None => Some(None),
        };
        Some(AuthScheme {
            name: self.name.clone(),
            signing_name: optional(&self.signing_name)?,
            signing_region: optional(&self.signing_region)?,
            signing_region_set: self
                .signing_region_set
                .iter()
                .map(|of| text(of, scope))
                .collect::<Option<Vec<_>>>()?,
            disable_double_encoding: self.disable_double_encoding,
        })
    }
}
