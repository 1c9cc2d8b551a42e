//! Sigma's meaning, where the evaluator's is another.
//!
//! * `*` and `?` stand for any characters, line ends too: policies in CloudTrail records have them. And a wildcard inside a value does not
//!   change what `startswith` and `endswith` ask for.
//! * `null` in a list of values matches a field that is absent, as it does alone.
//! * A name of a call with a version means the name without it too.

use quell_model::plain_name;
use rsigma_parser::value::{SpecialChar, StringPart};
use rsigma_parser::{
    Detection, DetectionItem, FieldSpec, Modifier, SigmaRule, SigmaString, SigmaValue,
};

use crate::tree::EVENT_NAME;

/// Puts what a rule says into what the evaluator understands by it.
pub(crate) fn put_right(rule: &mut SigmaRule) {
    for detection in rule.detection.named.values_mut() {
        put_detection_right(detection);
    }
}

fn put_detection_right(detection: &mut Detection) {
    match detection {
        Detection::AllOf(items) => {
            items.iter_mut().for_each(name_without_version);
            if items.iter().any(needs_parts) {
                let items = std::mem::take(items);
                let (parts, plain): (Vec<_>, Vec<_>) = items.into_iter().partition(needs_parts);
                let mut all: Vec<Detection> = parts.into_iter().map(in_parts).collect();
                if !plain.is_empty() {
                    // First, since it is the quicker.
                    all.insert(0, Detection::AllOf(plain));
                }
                *detection = Detection::And(all);
            }
        }
        Detection::AnyOf(list) | Detection::And(list) => {
            list.iter_mut().for_each(put_detection_right)
        }
        Detection::ArrayMatch { body, .. } => put_detection_right(body),
        Detection::Conditional { named, .. } => named.values_mut().for_each(put_detection_right),
        Detection::Keywords(_) => {}
    }
}

fn name_without_version(item: &mut DetectionItem) {
    let linked = item.field.has_modifier(Modifier::All);
    if item.field.name.as_deref() != Some(EVENT_NAME) || linked || !is_comparison(&item.field) {
        return;
    }
    let plain = |value: &SigmaValue| match value {
        SigmaValue::String(text) => {
            let text = text.as_plain()?;
            let plain = plain_name(&text);
            (plain != text).then(|| SigmaValue::String(SigmaString::new(plain)))
        }
        _ => None,
    };
    let more: Vec<SigmaValue> = item.values.iter().filter_map(plain).collect();
    item.values.extend(more);
}

/// Whether texts are compared as they stand: no encoding, no expression, no other field.
fn is_comparison(field: &FieldSpec) -> bool {
    use Modifier::{All, Cased, Contains, EndsWith, Neq, StartsWith};
    let known = [All, Cased, Contains, EndsWith, Neq, StartsWith];
    field
        .modifiers
        .iter()
        .all(|modifier| known.contains(modifier))
}

fn needs_parts(item: &DetectionItem) -> bool {
    let wildcard =
        |value: &SigmaValue| matches!(value, SigmaValue::String(text) if text.contains_wildcards());
    let null = |value: &SigmaValue| matches!(value, SigmaValue::Null);
    let several = item.values.len() > 1;
    item.field.name.is_some()
        && is_comparison(&item.field)
        && (item.values.iter().any(wildcard) || (several && item.values.iter().any(null)))
}

/// An item as several, one for each kind of comparison that its values ask for.
fn in_parts(item: DetectionItem) -> Detection {
    let DetectionItem { field, values } = item;
    let linked = field.has_modifier(Modifier::All);
    // Neither of several is all of them not.
    let all = linked || field.has_modifier(Modifier::Neq);
    let mut parts: Vec<DetectionItem> = Vec::new();
    for value in values {
        let (modifiers, value) = comparison(&field, value);
        match parts
            .iter_mut()
            .find(|part| part.field.modifiers == modifiers && value != SigmaValue::Null)
        {
            Some(part) if !part.values.contains(&SigmaValue::Null) => part.values.push(value),
            _ => {
                let field = FieldSpec::new(field.name.clone(), modifiers);
                parts.push(DetectionItem {
                    field,
                    values: vec![value],
                });
            }
        }
    }
    for part in &mut parts {
        if linked && part.values.len() > 1 {
            part.field.modifiers.push(Modifier::All);
        }
    }
    if all {
        return Detection::AllOf(parts);
    }
    Detection::AnyOf(
        parts
            .into_iter()
            .map(|part| Detection::AllOf(vec![part]))
            .collect(),
    )
}

/// How one value is compared: by modifiers, and with what.
fn comparison(field: &FieldSpec, value: SigmaValue) -> (Vec<Modifier>, SigmaValue) {
    let has = |modifier| field.has_modifier(modifier);
    let mut kept: Vec<Modifier> = Vec::new();
    kept.extend(
        [Modifier::Cased, Modifier::Neq]
            .into_iter()
            .filter(|m| has(*m)),
    );
    let any = |part: Option<&StringPart>| {
        matches!(part, Some(StringPart::Special(SpecialChar::WildcardMulti)))
    };
    let SigmaValue::String(text) = &value else {
        kept.extend(
            [Modifier::Contains, Modifier::StartsWith, Modifier::EndsWith]
                .into_iter()
                .filter(|m| has(*m)),
        );
        return (kept, value);
    };
    let open_left = has(Modifier::Contains) || has(Modifier::EndsWith) || any(text.parts.first());
    let open_right = has(Modifier::Contains) || has(Modifier::StartsWith) || any(text.parts.last());
    let mut inner = text.parts.as_slice();
    while let [first, rest @ ..] = inner
        && any(Some(first))
    {
        inner = rest;
    }
    while let [rest @ .., last] = inner
        && any(Some(last))
    {
        inner = rest;
    }
    if let [StringPart::Plain(plain)] = inner {
        kept.extend(match (open_left, open_right) {
            (true, true) => Some(Modifier::Contains),
            (false, true) => Some(Modifier::StartsWith),
            (true, false) => Some(Modifier::EndsWith),
            (false, false) => None,
        });
        return (kept, SigmaValue::String(SigmaString::from_raw(plain)));
    }
    let mut expression = String::new();
    expression.push_str(if open_left { "" } else { "\\A" });
    for part in inner {
        match part {
            StringPart::Plain(plain) => expression.push_str(&regex::escape(plain)),
            StringPart::Special(SpecialChar::WildcardMulti) => expression.push_str(".*"),
            StringPart::Special(SpecialChar::WildcardSingle) => expression.push('.'),
        }
    }
    expression.push_str(if open_right { "" } else { "\\z" });
    kept.extend([Modifier::Re, Modifier::DotAll]);
    if !has(Modifier::Cased) {
        kept.push(Modifier::IgnoreCase);
    }
    kept.retain(|modifier| *modifier != Modifier::Cased);
    (kept, SigmaValue::from_raw_string(&expression))
}
