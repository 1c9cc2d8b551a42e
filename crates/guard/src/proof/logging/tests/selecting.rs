//! The comparison of event selectors, against an evaluator that tries every event of a small world.

use super::super::selectors::covers;
use proptest::prelude::*;
use serde_json::{Value, json};

/// An event: category, whether it reads, its source, the type and the ARN of what it is about.
type Event = [&'static str; 5];

const FIELDS: [&str; 5] = [
    "eventCategory",
    "readOnly",
    "eventSource",
    "resources.type",
    "resources.ARN",
];
const VALUES: [&[&str]; 5] = [
    &["Management", "Data"],
    &["true", "false"],
    &["kms", "s3"],
    &["", "AWS::S3::Object", "AWS::Lambda::Function"],
    &[
        "",
        "arn:aws:s3:::a/x",
        "arn:aws:s3:::ab/x",
        "arn:aws:lambda:us:1:function:f",
        "arn:aws:lambda:us:1:function:fg",
    ],
];

fn events() -> Vec<Event> {
    let mut all = vec![[""; 5]];
    for (at, values) in VALUES.iter().enumerate() {
        let each = |event: Event| {
            values.iter().map(move |v| {
                let mut event = event;
                event[at] = v;
                event
            })
        };
        all = all.into_iter().flat_map(each).collect();
    }
    all
}

fn texts(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn fits_advanced(selector: &Value, event: &Event) -> bool {
    selector["FieldSelectors"]
        .as_array()
        .unwrap()
        .iter()
        .all(|field| {
            let at = FIELDS.iter().position(|f| field["Field"] == *f).unwrap();
            let value = event[at];
            field
                .as_object()
                .unwrap()
                .iter()
                .filter(|(k, _)| *k != "Field")
                .all(|(operator, values)| {
                    let values = texts(values);
                    match operator.as_str() {
                        "Equals" => values.contains(&value),
                        "NotEquals" => !values.contains(&value),
                        "StartsWith" => values.iter().any(|v| value.starts_with(v)),
                        "NotStartsWith" => !values.iter().any(|v| value.starts_with(v)),
                        "EndsWith" => values.iter().any(|v| value.ends_with(v)),
                        _ => !values.iter().any(|v| value.ends_with(v)),
                    }
                })
        })
}

fn fits_basic(selector: &Value, event: &Event) -> bool {
    let reads = match selector["ReadWriteType"].as_str() {
        Some("ReadOnly") => event[1] == "true",
        Some("WriteOnly") => event[1] == "false",
        _ => true,
    };
    let is_management = event[0] == "Management"
        && selector["IncludeManagementEvents"] != json!(false)
        && !texts(&selector["ExcludeManagementEventSources"]).contains(&event[2]);
    let is_data = event[0] == "Data"
        && selector["DataResources"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|r| {
                let is_of = |v: &&str| match event[3] {
                    "AWS::S3::Object" => event[4].starts_with(v),
                    _ => event[4] == *v || *v == "arn:aws:lambda" && event[4].starts_with(v),
                };
                r["Type"] == event[3] && texts(&r["Values"]).iter().any(is_of)
            });
    reads && (is_management || is_data)
}

fn records(selectors: &Value, event: &Event) -> bool {
    let any = |kind: &str, fits: fn(&Value, &Event) -> bool| {
        selectors[kind]
            .as_array()
            .into_iter()
            .flatten()
            .any(|s| fits(s, event))
    };
    any("EventSelectors", fits_basic) || any("AdvancedEventSelectors", fits_advanced)
}

fn some(of: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::subsequence(of, 1..=of.len())
}

fn field(at: usize) -> impl Strategy<Value = Value> {
    let operators = vec![
        "Equals",
        "NotEquals",
        "StartsWith",
        "NotStartsWith",
        "EndsWith",
        "NotEndsWith",
    ];
    (prop::sample::select(operators), some(VALUES[at]))
        .prop_map(move |(operator, values)| json!({"Field": FIELDS[at], operator: values}))
}

fn advanced() -> impl Strategy<Value = Value> {
    prop::sample::subsequence(vec![0_usize, 1, 2, 3, 4], 1..=3)
        .prop_flat_map(|fields| fields.into_iter().map(field).collect::<Vec<_>>())
        .prop_map(|fields| json!({"FieldSelectors": fields}))
}

fn basic() -> impl Strategy<Value = Value> {
    let kind = prop::sample::select(vec!["All", "ReadOnly", "WriteOnly"]);
    let data = (
        prop::sample::select(vec!["AWS::S3::Object", "AWS::Lambda::Function"]),
        some(&[
            "arn:aws:s3",
            "arn:aws:s3:::a",
            "arn:aws:lambda",
            "arn:aws:lambda:us:1:function:f",
            "arn:aws:lambda:us:1:function:fg",
        ]),
    );
    let data = prop::collection::vec(data, 0..2);
    (kind, any::<bool>(), prop::sample::subsequence(vec!["kms", "s3"], 0..=2), data).prop_map(|(kind, management, left_out, data)| {
        let data: Vec<Value> = data.into_iter().map(|(kind, values)| json!({"Type": kind, "Values": values})).collect();
        json!({"ReadWriteType": kind, "IncludeManagementEvents": management, "ExcludeManagementEventSources": left_out, "DataResources": data})
    })
}

fn selectors() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::collection::vec(advanced(), 1..3)
            .prop_map(|list| json!({"AdvancedEventSelectors": list})),
        prop::collection::vec(basic(), 1..3).prop_map(|list| json!({"EventSelectors": list})),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// What is said to cover records whatever the other does.
    #[test]
    fn what_covers_records_all_of_it(wide in selectors(), narrow in selectors()) {
        if covers(&wide, &narrow) {
            for event in events() {
                prop_assert!(!records(&narrow, &event) || records(&wide, &event), "{event:?}");
            }
        }
    }

    #[test]
    fn one_that_is_understood_covers_itself(some in selectors()) {
        prop_assert!(covers(&some, &some));
    }
}

#[test]
fn what_is_not_understood_covers_nothing() {
    let all =
        json!({"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true}]});
    let with = |field: Value| json!({"AdvancedEventSelectors": [{"FieldSelectors": [field]}]});
    for strange in [
        json!({}),
        json!({"EventSelectors": [{"ReadWriteType": "Some"}]}),
        json!({"EventSelectors": [{"New": true}]}),
        with(json!({"Field": "eventCategory", "Matches": ["Management"]})),
        with(json!({"Field": "eventCategory"})),
        with(json!({"Field": "eventCategory", "Equals": ["Management"], "NotEquals": ["Data"]})),
        json!({"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "a", "Equals": ["x"]}, {"Field": "a", "Equals": ["y"]}]}]}),
    ] {
        assert!(!covers(&strange, &strange), "{strange}");
        assert!(
            !covers(&all, &strange) && !covers(&strange, &all),
            "{strange}"
        );
    }
}
