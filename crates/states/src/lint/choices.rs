//! Choices without a Default: which value falls through.

use super::condition::{Condition, Sample};
use crate::diagnostic::{DiagnosticCode, Faults};
use crate::document::walk::Written;
use serde_json::Value;

/// Gaps named at once.
const GAPS_MAX: usize = 5;

pub(super) fn check(written: Written<'_, '_>, faults: &mut Faults) {
    let rules = written.state.get("Choices").and_then(Value::as_array);
    let (None, Some(rules)) = (written.state.get("Default"), rules) else {
        return;
    };
    let fault = match read(rules) {
        Some((variable, conditions)) => {
            let gaps = gaps(&variable, &conditions);
            if gaps.is_empty() {
                return;
            }
            format!(
                "No rule of the Choice '{}' takes {}, and it has no Default",
                written.name,
                gaps.join(" or ")
            )
        }
        None => format!("The Choice '{}' has no Default", written.name),
    };
    faults.warning(
        DiagnosticCode::MissingChoiceDefault,
        written.at,
        fault,
        "Add a Default: an execution that no rule takes fails with States.NoChoiceMatched.",
    );
}

/// The rules, if all are simple and about one variable.
fn read(rules: &[Value]) -> Option<(String, Vec<Condition>)> {
    let read: Vec<(String, Condition)> =
        rules.iter().map(Condition::read).collect::<Option<_>>()?;
    let variable = read.first()?.0.clone();
    let same = read.iter().all(|(other, _)| *other == variable);
    same.then(|| {
        let conditions = read.into_iter().map(|(_, condition)| condition);
        (variable, conditions.collect())
    })
}

/// What no condition holds for, in words.
fn gaps(variable: &str, conditions: &[Condition]) -> Vec<String> {
    let (mut numbers, mut booleans) = (Vec::new(), false);
    for condition in conditions {
        condition.bounds(&mut numbers, &mut booleans);
    }
    let taken = |sample| conditions.iter().any(|condition| condition.holds(sample));
    let mut gaps = Vec::new();
    if booleans {
        let values = [true, false].into_iter();
        let open = values.filter(|value| !taken(Sample::Bool(*value)));
        gaps.extend(open.map(|value| format!("{variable} = {value}")));
    }
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    let free = |value: f64| !taken(Sample::Number(value));
    let (first, last) = (numbers.first().copied(), numbers.last().copied());
    if let Some(first) = first.filter(|first| free(first - 1.0)) {
        gaps.push(format!("{variable} < {first}"));
    }
    for (n, bound) in numbers.iter().enumerate() {
        if free(*bound) {
            gaps.push(format!("{variable} = {bound}"));
        }
        if let Some(next) = numbers.get(n + 1)
            && free(bound + (next - bound) / 2.0)
        {
            gaps.push(format!("{bound} < {variable} < {next}"));
        }
    }
    if let Some(last) = last.filter(|last| free(last + 1.0)) {
        gaps.push(format!("{variable} > {last}"));
    }
    gaps.truncate(GAPS_MAX);
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(rules: Value) -> Vec<String> {
        let (variable, conditions) = read(rules.as_array().unwrap()).unwrap();
        gaps(&variable, &conditions)
    }

    #[test]
    fn the_value_between_two_rules_is_named() {
        let rules = json!([
            { "Variable": "$.severity", "NumericGreaterThan": 7, "Next": "A" },
            { "Variable": "$.severity", "NumericLessThan": 7, "Next": "B" },
        ]);
        assert_eq!(found(rules), ["$.severity = 7"]);
    }

    #[test]
    fn gaps_of_every_kind() {
        let jsonata = |condition: &str| json!({ "Condition": format!("{{% {condition} %}}") });
        for (rules, expected) in [
            (json!([jsonata("$s >= 7"), jsonata("$s < 7")]), vec![]),
            (
                json!([jsonata("$s > 8"), jsonata("$s < 2")]),
                vec!["$s = 2", "2 < $s < 8", "$s = 8"],
            ),
            (
                json!([jsonata("$s = 1 or $s = 2")]),
                vec!["$s < 1", "1 < $s < 2", "$s > 2"],
            ),
            (
                json!([jsonata("$s > 1 and $s < 3"), jsonata("$s <= 1")]),
                vec!["$s = 3", "$s > 3"],
            ),
            (json!([jsonata("$ok = true")]), vec!["$ok = false"]),
            (json!([jsonata("$ok")]), vec!["$ok = false"]),
            (
                json!([{ "Not": { "Variable": "$.n", "NumericEquals": 0 } }]),
                vec!["$.n = 0"],
            ),
        ] {
            assert_eq!(found(rules.clone()), expected, "{rules}");
        }
    }

    #[test]
    fn other_rules_are_not_guessed_at() {
        for rules in [
            json!([{ "Condition": "{% $count($x) > 1 %}" }]),
            json!([{ "Condition": "{% $a > 1 %}" }, { "Condition": "{% $b > 1 %}" }]),
            json!([{ "Variable": "$.s", "StringEquals": "x" }]),
            json!([{}]),
        ] {
            assert_eq!(read(rules.as_array().unwrap()), None, "{rules}");
        }
    }
}
