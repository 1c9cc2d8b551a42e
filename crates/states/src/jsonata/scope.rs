//! What expressions see, and their evaluation.

use super::plain::Surroundings;
use super::{Expression, JsonataError, Limits, Reading, functions, guard};
use crate::clock::Moment;
use crate::limits;
use crate::random::Random;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorOptions};
use jsonata_core::value::JValue;
use serde::Deserialize as _;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};

/// What expressions can see: variables, and the moment for `$now()`, `$millis()`, `$random()` and `$uuid()`. Variables are
/// borrowed; what an expression does not read costs nothing.
pub struct Scope<'a> {
    data: Option<&'a Value>,
    variables: Vec<Bound<'a>>,
    states: Option<Box<States<'a>>>,
    /// What the evaluator was given, in its own form: variables, and members of them.
    converted: RefCell<Vec<Converted>>,
    millis: i64,
    random: Random,
    limits: Limits,
}

/// One variable, or many.
enum Bound<'a> {
    One(&'a str, &'a Value),
    All(&'a Map<String, Value>),
}

/// A value in the evaluator's form, by where the value stands, which a scope borrows or has in a box.
type Converted = (*const Value, JValue);

/// `$states`, whose members are made when they are asked for.
struct States<'a> {
    members: Vec<(&'static str, Member<'a>)>,
    whole: OnceCell<Value>,
}

/// A member of `$states`.
pub(crate) enum Member<'a> {
    Given(&'a Value),
    Made(OnceCell<Value>, Box<dyn Fn() -> Value + 'a>),
}

impl<'a> Member<'a> {
    /// What is made when somebody asks for it, and then once.
    pub(crate) fn made(make: impl Fn() -> Value + 'a) -> Self {
        Member::Made(OnceCell::new(), Box::new(make))
    }

    fn value(&self) -> &Value {
        match self {
            Member::Given(value) => value,
            Member::Made(value, make) => value.get_or_init(make),
        }
    }
}

impl<'a> Scope<'a> {
    /// A scope without variables or context data.
    pub fn new(now: Moment) -> Self {
        Scope::drawing_from(now.millis, Random::new(now.seed))
    }

    /// A scope whose random numbers come from a sequence already in use.
    pub(crate) fn drawing_from(millis: i64, random: Random) -> Self {
        Scope {
            data: None,
            variables: Vec::new(),
            states: None,
            converted: RefCell::default(),
            millis,
            random,
            limits: Limits::default(),
        }
    }

    /// Replaces the limits.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Sets the value of `$` and `$$`, which Step Functions leaves undefined.
    pub fn set_data(&mut self, data: &'a Value) {
        self.data = Some(data);
    }

    /// Binds `$name`; what is bound last counts.
    pub fn bind(&mut self, name: &'a str, value: &'a Value) {
        self.variables.push(Bound::One(name, value));
    }

    /// Binds each name to its value; what is bound last counts.
    pub fn bind_all(&mut self, variables: &'a Map<String, Value>) {
        self.variables.push(Bound::All(variables));
    }

    /// Binds `$states`.
    pub(crate) fn bind_states(&mut self, members: Vec<(&'static str, Member<'a>)>) {
        self.converted.take();
        self.states = Some(Box::new(States {
            members,
            whole: OnceCell::new(),
        }));
    }

    /// Evaluates an expression; `None` is JSONata's undefined. What is a part of what was bound is not copied.
    pub fn evaluate<'s>(
        &'s self,
        expression: &'s Expression,
    ) -> Result<Option<Cow<'s, Value>>, JsonataError> {
        if let Some(plain) = &expression.0.plain
            && let Ok(value) = plain.evaluate(self, self.limits.sequence)
        {
            return Ok(value);
        }
        self.evaluate_fully(expression)
            .map(|value| value.map(Cow::Owned))
    }

    /// Evaluates an expression with the evaluator.
    pub(super) fn evaluate_fully(
        &self,
        expression: &Expression,
    ) -> Result<Option<Value>, JsonataError> {
        let names = &expression.0.names;
        let mut context = Context::new();
        for (name, reading) in names {
            if let Some(value) = self.read(name, reading)? {
                context.bind(name.clone(), value);
            }
        }
        let mut evaluator = Evaluator::with_options(context, self.options());
        functions::register(&mut evaluator, names.keys(), self.millis, &self.random)
            .and_then(|()| guard::register(&mut evaluator, |name| names.contains_key(name)))
            .map_err(|error| JsonataError::new(error.message()))?;
        let data = match self.data {
            Some(data) => self.convert(data)?,
            None => JValue::Undefined,
        };
        let result = evaluator
            .evaluate(&expression.0.ast, &data)
            .map_err(|error| JsonataError::new(error.message()))?;
        as_json(&result)
    }

    /// So much of a variable as an expression reads, in the evaluator's form.
    fn read(&self, name: &str, reading: &Reading) -> Result<Option<JValue>, JsonataError> {
        if let (Reading::Members(read), Some(states), "states") = (reading, &self.states, name) {
            let members = states.members.iter();
            let members = members
                .filter(|(name, _)| read.contains(*name))
                .map(|(name, member)| (*name, member.value()));
            return self.read_members(members).map(Some);
        }
        match (reading, self.variable(name)) {
            (_, None) => Ok(None),
            (Reading::Members(read), Some(Value::Object(object))) => {
                let members = read.iter().filter_map(|name| object.get_key_value(name));
                let members = members.map(|(name, value)| (name.as_str(), value));
                self.read_members(members).map(Some)
            }
            (_, Some(value)) => self.convert(value).map(Some),
        }
    }

    fn read_members<'m>(
        &self,
        members: impl Iterator<Item = (&'m str, &'m Value)>,
    ) -> Result<JValue, JsonataError> {
        let members = members.map(|(name, value)| Ok((name.to_owned(), self.convert(value)?)));
        Ok(JValue::object(
            members.collect::<Result<_, JsonataError>>()?,
        ))
    }

    /// A value in the evaluator's form, which is made once.
    fn convert(&self, value: &Value) -> Result<JValue, JsonataError> {
        let mut converted = self.converted.borrow_mut();
        let known = converted
            .iter()
            .find(|(known, _)| std::ptr::eq(*known, value));
        if let Some((_, known)) = known {
            return Ok(known.clone());
        }
        let made =
            JValue::deserialize(value).map_err(|error| JsonataError::new(&error.to_string()))?;
        converted.push((value, made.clone()));
        Ok(made)
    }

    fn options(&self) -> EvaluatorOptions {
        EvaluatorOptions {
            timeout_ms: Some(self.limits.millis),
            max_stack_depth: Some(self.limits.depth),
            max_sequence_length: Some(self.limits.sequence),
            ..EvaluatorOptions::default()
        }
    }
}

impl Surroundings for Scope<'_> {
    fn variable(&self, name: &str) -> Option<&Value> {
        if let (Some(states), "states") = (&self.states, name) {
            return Some(states.whole.get_or_init(|| states.gather()));
        }
        self.variables.iter().rev().find_map(|bound| match bound {
            Bound::One(own, value) => (*own == name).then_some(*value),
            Bound::All(variables) => variables.get(name),
        })
    }

    fn member(&self, name: &str) -> Option<Option<&Value>> {
        let states = self.states.as_ref()?;
        let member = states.members.iter().find(|(own, _)| *own == name);
        Some(member.map(|(_, member)| member.value()))
    }

    fn millis(&self) -> i64 {
        self.millis
    }

    fn document(&self) -> Option<&Value> {
        self.data
    }
}

impl States<'_> {
    fn gather(&self) -> Value {
        let members = self.members.iter();
        let members = members.map(|(name, member)| ((*name).to_owned(), member.value().clone()));
        Value::Object(members.collect::<Map<String, Value>>())
    }
}

fn as_json(result: &JValue) -> Result<Option<Value>, JsonataError> {
    if result.is_undefined() {
        return Ok(None);
    }
    if result.is_function() {
        return Err(JsonataError::new("The expression returned a function"));
    }
    if !guard::is_within(result, limits::JSONATA_VALUE_BYTES_MAX) {
        return Err(JsonataError::new("The result is too large"));
    }
    if deeper_than(result, limits::PAYLOAD_DEPTH_MAX) {
        return Err(JsonataError::new("The result is nested too deeply"));
    }
    serde_json::to_value(result)
        .map(Some)
        .map_err(|error| JsonataError::new(&error.to_string()))
}

/// Whether a value nests more than `levels` arrays and objects.
fn deeper_than(value: &JValue, levels: usize) -> bool {
    let Some(left) = levels.checked_sub(1) else {
        return matches!(value, JValue::Array(_) | JValue::Object(_));
    };
    match value {
        JValue::Array(items) => items.iter().any(|item| deeper_than(item, left)),
        JValue::Object(fields) => fields.values().any(|field| deeper_than(field, left)),
        _ => false,
    }
}
