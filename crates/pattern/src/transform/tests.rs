use super::*;

const EVENT: &str = r#"{
    "version": "0", "id": "7bf73129", "detail-type": "EC2 Instance State-change Notification",
    "source": "aws.ec2", "account": "123456789012", "time": "2015-11-11T21:29:54Z", "region": "us-east-1",
    "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],
    "detail": {"instance-id": "i-0123456789", "state": "RUNNING", "n": 1.50, "tags": {"a": "b", "c": [1, "d"]}}
}"#;
const VARIABLES: [(&str, &str); 6] = [
    ("instance", "$.detail.instance-id"),
    ("state", "$.detail.state"),
    ("n", "$.detail.n"),
    ("tags", "$.detail.tags"),
    ("resources", "$.resources"),
    ("none", "$.detail.none"),
];
const CONTEXT: Context<'_> = Context {
    rule_arn: "arn:aws:events:us-east-2:123456789012:rule/example",
    rule_name: "example",
    ingestion_time: "2015-11-11T21:29:55Z",
};

fn filled(template: &str) -> String {
    let transformer = Transformer::template(VARIABLES, template).unwrap();
    transformer.apply(EVENT, &CONTEXT).unwrap()
}

fn refused(template: &str) -> String {
    let refused = Transformer::template(VARIABLES, template);
    refused.unwrap_err().to_string()
}

/// The examples of the user guide, and what AWS was recorded to deliver.
#[test]
fn templates_are_filled_as_eventbridge_fills_them() {
    for (template, output) in [
        (
            r#""instance <instance> is in <state>""#,
            r#""instance i-0123456789 is in RUNNING""#,
        ),
        (
            r#""instance \"<instance>\" is in <state>""#,
            r#""instance \"i-0123456789\" is in RUNNING""#,
        ),
        (
            "{\n  \"instance\" : <instance>,\n  \"state\": <state>\n}",
            r#"{"instance":"i-0123456789","state":"RUNNING"}"#,
        ),
        (
            r#"{"instance" : <instance>, "state": "<state>", "is": "instance \"<instance>\" is in <state>"}"#,
            r#"{"instance":"i-0123456789","state":"RUNNING","is":"instance \"i-0123456789\" is in RUNNING"}"#,
        ),
        (
            r#"{"state": [ 9, <state>, true ], "t": "Y e s"}"#,
            r#"{"state":[9,"RUNNING",true],"t":"Y e s"}"#,
        ),
        (
            r#""<aws.events.rule-name> triggered""#,
            r#""example triggered""#,
        ),
        (
            r#"{"arn": <aws.events.rule-arn>, "at": <aws.events.event.ingestion-time>}"#,
            r#"{"arn":"arn:aws:events:us-east-2:123456789012:rule/example","at":"2015-11-11T21:29:55Z"}"#,
        ),
        (r#""detail <none>""#, r#""detail ""#),
        (r#"{"none": <none>}"#, r#"{"none":""}"#),
        (
            r#""{[/special starting characters <state>""#,
            r#""{[/special starting characters RUNNING""#,
        ),
        (
            r#"{"n": <n>, "t": <tags>}"#,
            r#"{"n":1.50,"t":{"a":"b","c":[1,"d"]}}"#,
        ),
        (
            r#""n <n> in <tags> of <resources>""#,
            r#""n 1.50 in {a:b,c:[1,d]} of [arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111]""#,
        ),
        ("\"<state>\"\n\"<n> < 2\"", "\"RUNNING\"\n\"1.50 < 2\""),
        ("<state>", r#""RUNNING""#),
    ] {
        assert_eq!(filled(template), output, "{template}");
    }
}

#[test]
fn the_event_comes_whole_or_without_its_detail() {
    let whole = Transformer::parse("{}")
        .unwrap()
        .apply(EVENT, &CONTEXT)
        .unwrap();
    assert!(whole.starts_with(r#"{"version":"0","id":"7bf73129","detail-type":"EC2"#));
    assert_eq!(
        filled(r#"{"e": <aws.events.event.json>}"#),
        format!(r#"{{"e":{whole}}}"#)
    );
    assert_eq!(
        filled(r#"{"e": <aws.events.event>}"#),
        r#"{"e":{"id":"7bf73129","account":"123456789012","detailType":"EC2 Instance State-change Notification","time":"2015-11-11T21:29:54Z","source":"aws.ec2","region":"us-east-1","resources":["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],"version":"0"}}"#
    );
}

#[test]
fn what_eventbridge_refuses_is_refused() {
    for (template, error) in [
        ("", "InputTemplate has 1 to 8192 characters"),
        (
            r#""<unknown>""#,
            "InputTemplate contains invalid placeholder unknown.",
        ),
        (
            "instance <instance>",
            "InputTemplate is not in quotes: for strings, quotes are required",
        ),
        (
            r#""open <instance>"#,
            "InputTemplate is not in quotes: for strings, quotes are required",
        ),
        (
            r#"{"<instance>": 1}"#,
            "InputTemplate uses a variable in an object key, <…>",
        ),
    ] {
        assert_eq!(refused(template), error, "{template}");
    }
    assert!(refused(r#"{"a": <instance>"#).starts_with("InputTemplate is not valid JSON: "));
    assert!(refused(r#"{<instance>: 1}"#).starts_with("InputTemplate is not valid JSON: "));
    assert_eq!(refused(&format!("\"{}\"", "x".repeat(8191))), refused(""));
    for name in ["", "a.b", "AWSx", "a b", &"x".repeat(257)] {
        let error = Transformer::template([(name, "$")], "\"x\"").unwrap_err();
        assert_eq!(error, TransformError::Variable(name.to_owned()));
    }
    let names: Vec<String> = (0..=INPUT_VARIABLES_MAX).map(|n| format!("v{n}")).collect();
    let many = names.iter().map(|name| (name.as_str(), "$"));
    assert_eq!(
        Transformer::template(many, "\"x\"").unwrap_err(),
        TransformError::TooManyVariables
    );
}

#[test]
fn a_target_says_it_in_one_way() {
    let apply = |target: &str| {
        Transformer::parse(target)
            .unwrap()
            .apply(EVENT, &CONTEXT)
            .unwrap()
    };
    assert_eq!(
        apply(r#"{"Id": "1", "InputPath": "$.detail.state"}"#),
        "\"RUNNING\""
    );
    assert_eq!(apply(r#"{"InputPath": "$.no"}"#), "null");
    assert_eq!(apply(r#"{"Input": "{\"a\": 1}"}"#), r#"{"a": 1}"#);
    let transformer = r#"{"InputPathsMap": {"s": "$.detail.state"}, "InputTemplate": "\"<s>\""}"#;
    assert_eq!(apply(transformer), "\"RUNNING\"");
    assert_eq!(
        apply(&format!(r#"{{"InputTransformer": {transformer}}}"#)),
        "\"RUNNING\""
    );
    let refused = |target: &str| Transformer::parse(target).unwrap_err();
    assert_eq!(
        refused(r#"{"Input": "x", "InputPath": "$"}"#),
        TransformError::OnlyOne
    );
    assert_eq!(
        refused(r#"{"InputPath": 5}"#),
        TransformError::Form("InputPath")
    );
    assert_eq!(refused("[]"), TransformError::Form("the target"));
    assert!(matches!(refused("{"), TransformError::Json(_)));
}

#[test]
fn a_value_cannot_add_members_when_it_is_escaped() {
    let event = r#"{"detail": {"agent": "x\",\"admin\":\"yes", "o": {"k": "v"}}}"#;
    let variables = [("agent", "$.detail.agent"), ("o", "$.detail.o")];
    let template = r#"{"by": "<agent>", "o": "<o>"}"#;
    let exact = Transformer::template(variables, template).unwrap();
    assert_eq!(
        exact.apply(event, &CONTEXT).unwrap(),
        r#"{"by":"x","admin":"yes","o":"{k:v}"}"#,
        "as EventBridge does it"
    );
    assert_eq!(
        exact.escaping().apply(event, &CONTEXT).unwrap(),
        r#"{"by":"x\",\"admin\":\"yes","o":"{\"k\":\"v\"}"}"#
    );
}

#[test]
fn an_event_is_an_object() {
    let whole = Transformer::parse("{}").unwrap();
    assert_eq!(
        whole.apply("[]", &CONTEXT).unwrap_err(),
        EventError::NotAnObject
    );
    assert!(matches!(
        whole.apply("{", &CONTEXT),
        Err(EventError::Json(_))
    ));
    assert_eq!(
        whole
            .apply(r#"{"a": 1, "b": 2, "a": 3}"#, &CONTEXT)
            .unwrap(),
        r#"{"a":3,"b":2}"#
    );
}
