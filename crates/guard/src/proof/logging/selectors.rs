//! Whether a trail with some event selectors records at least what it records with others: soundly and not completely. What is
//! not understood is not covered.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// A conjunction over the fields of an event; each field with its operators, each operator with its values.
type Selector = Map<String, Value>;

const EQUALS: &str = "Equals";
const NOT_EQUALS: &str = "NotEquals";
const STARTS: &str = "StartsWith";
/// What may be asked of a field.
const OPERATORS: [&str; 6] = [
    EQUALS,
    STARTS,
    "EndsWith",
    NOT_EQUALS,
    "NotStartsWith",
    "NotEndsWith",
];

/// Whether whatever `narrow` records, `wide` records too. Both are the selectors of a trail: of one kind, in a list.
pub(super) fn covers(wide: &Value, narrow: &Value) -> bool {
    let (Some(wide), Some(narrow)) = (read(wide), read(narrow)) else {
        return false;
    };
    narrow
        .iter()
        .all(|less| wide.iter().any(|more| is_within(less, more)))
}

/// Selectors of either kind as conjunctions; `None` when something in them is not understood.
fn read(selectors: &Value) -> Option<Vec<Selector>> {
    let selectors = selectors.as_object().filter(|kinds| kinds.len() == 1)?;
    let (kind, list) = selectors.iter().next()?;
    let list = list.as_array()?;
    match kind.as_str() {
        "EventSelectors" => Some(list.iter().map(basic).collect::<Option<Vec<_>>>()?.concat()),
        "AdvancedEventSelectors" => list.iter().map(advanced).collect(),
        _ => None,
    }
}

fn texts(value: Option<&Value>) -> Option<Vec<&str>> {
    let list = value.map_or(Some(&[][..]), |v| v.as_array().map(Vec::as_slice))?;
    list.iter().map(Value::as_str).collect()
}

/// A basic selector: management events, and those on data below some ARNs.
fn basic(selector: &Value) -> Option<Vec<Selector>> {
    let selector = selector.as_object()?;
    let known = [
        "ReadWriteType",
        "IncludeManagementEvents",
        "DataResources",
        "ExcludeManagementEventSources",
    ];
    if selector.keys().any(|key| !known.contains(&key.as_str())) {
        return None;
    }
    let mut common = Selector::new();
    match selector
        .get("ReadWriteType")
        .map_or(Some("All"), Value::as_str)?
    {
        "All" => {}
        "ReadOnly" => drop(common.insert("readOnly".into(), json!({EQUALS: ["true"]}))),
        "WriteOnly" => drop(common.insert("readOnly".into(), json!({EQUALS: ["false"]}))),
        _ => return None,
    }
    let mut all = Vec::new();
    if selector
        .get("IncludeManagementEvents")
        .map_or(Some(true), Value::as_bool)?
    {
        let mut one = common.clone();
        one.insert("eventCategory".into(), json!({EQUALS: ["Management"]}));
        let left_out = texts(selector.get("ExcludeManagementEventSources"))?;
        if !left_out.is_empty() {
            one.insert("eventSource".into(), json!({NOT_EQUALS: left_out}));
        }
        all.push(one);
    }
    let data = selector
        .get("DataResources")
        .map_or(Some(&[][..]), |list| list.as_array().map(Vec::as_slice))?;
    for resource in data {
        let kind = resource.get("Type").and_then(Value::as_str)?;
        for value in texts(resource.get("Values"))? {
            let mut one = common.clone();
            one.insert("eventCategory".into(), json!({EQUALS: ["Data"]}));
            one.insert("resources.type".into(), json!({EQUALS: [kind]}));
            // Of S3, and of all functions or tables, it is how an ARN begins; of one function or table it is the ARN.
            let is_prefix = kind == "AWS::S3::Object" || value.matches(':').count() < 3;
            let operator = if is_prefix { STARTS } else { EQUALS };
            one.insert("resources.ARN".into(), json!({operator: [value]}));
            all.push(one);
        }
    }
    Some(all)
}

/// An advanced selector. A field that stands in it twice, or is asked in two ways at once, is not understood.
fn advanced(selector: &Value) -> Option<Selector> {
    let mut all = Selector::new();
    for field in selector.get("FieldSelectors")?.as_array()? {
        let mut operators = field.as_object()?.clone();
        let name = operators.remove("Field")?;
        let understood = operators.len() == 1
            && operators.iter().all(|(operator, values)| {
                OPERATORS.contains(&operator.as_str())
                    && texts(Some(values)).is_some_and(|values| !values.is_empty())
            });
        let before = all.insert(name.as_str()?.to_owned(), Value::Object(operators));
        if !understood || before.is_some() {
            return None;
        }
    }
    Some(all)
}

/// Whether whatever fits `less` fits `more`: each thing that `more` asks of a field, `less` asks as strictly.
fn is_within(less: &Selector, more: &Selector) -> bool {
    more.iter().all(|(field, asked)| {
        let asked = asked.as_object().into_iter().flatten();
        let given = less.get(field).and_then(Value::as_object);
        let mut asked = asked.map(|(operator, values)| (operator.as_str(), set(values)));
        given.is_some_and(|given| asked.all(|(operator, values)| implies(given, operator, &values)))
    })
}

fn set(values: &Value) -> BTreeSet<&str> {
    let values = values.as_array().into_iter().flatten();
    values.filter_map(Value::as_str).collect()
}

/// Whether what is asked of a field by `given` implies that `operator` holds with one of `values`, or, when it denies, with all.
fn implies(given: &Map<String, Value>, operator: &str, values: &BTreeSet<&str>) -> bool {
    let of = |operator: &str| given.get(operator).map(set);
    let begins = |text: &&str| values.iter().any(|value| text.starts_with(value));
    match operator {
        EQUALS => of(EQUALS).is_some_and(|ours| ours.is_subset(values)),
        STARTS => {
            let exact = of(EQUALS).is_some_and(|ours| ours.iter().all(begins));
            exact || of(STARTS).is_some_and(|ours| ours.iter().all(begins))
        }
        NOT_EQUALS => {
            let other = of(EQUALS).is_some_and(|ours| ours.is_disjoint(values));
            other || of(NOT_EQUALS).is_some_and(|ours| ours.is_superset(values))
        }
        "EndsWith" => of(operator).is_some_and(|ours| ours.is_subset(values)),
        // What denies: more is denied here than there.
        _ => of(operator).is_some_and(|ours| ours.is_superset(values)),
    }
}
