//! Outputs by the model of a test, and what becomes of what comes twice.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn output(value: &Value) -> Output<'static> {
    Output::from(value)
}

#[test]
fn parts_are_found_by_name_place_and_pointer() {
    let value =
        json!({"a": {"b": [1, -2, {"c": "d"}]}, "e/f": null, "g": 1.5, "h": true, "i": u64::MAX});
    let output = output(&value);
    assert_eq!(output.to_json(), value);
    assert_eq!(output.pointer("/a/b/2/c").and_then(Part::as_str), Some("d"));
    assert_eq!(output.pointer("/a/b/1").and_then(Part::as_i64), Some(-2));
    assert!(output.pointer("/e~1f").is_some_and(Part::is_null));
    assert_eq!(output.get("g").and_then(Part::as_f64), Some(1.5));
    assert_eq!(output.get("h").and_then(Part::as_bool), Some(true));
    assert_eq!(output.get("i").and_then(Part::as_i64), None);
    for nothing in ["/a/b/3", "/a/b/x", "/z", "a", "/a/b/2/c/d"] {
        assert!(output.pointer(nothing).is_none(), "{nothing}");
    }
    let list = output.pointer("/a/b").unwrap();
    assert!(list.is_list() && !list.is_map() && list.get("c").is_none());
    assert_eq!(list.items().count(), 3);
    assert_eq!(list.members().count(), 0);
    assert_eq!(output.root().items().count(), 0);
    let names: Vec<&str> = output.root().members().map(|(name, _)| name).collect();
    assert_eq!(names, ["a", "e/f", "g", "h", "i"]);
    assert_eq!(format!("{output:?} {list:?}"), "Output { .. } Part { .. }");
    assert_eq!(Output::default().to_json(), json!({}));
}

#[test]
fn a_list_is_cut_and_what_is_beside_it_stays() {
    let whole = json!({"A": {"B": [{"x": [1]}, {"x": [2]}, {"x": []}], "C": [1]}, "D": {"E": 1}});
    for length in 0..4 {
        let mut cut = output(&whole);
        cut.truncate("/A/B", length);
        let mut expected = whole.clone();
        let list = expected.pointer_mut("/A/B").and_then(Value::as_array_mut);
        list.unwrap().truncate(length);
        assert_eq!(cut.to_json(), expected);
    }
    let mut same = output(&whole);
    same.truncate("/A/None", 0);
    same.truncate("/D", 0);
    assert_eq!(same.to_json(), whole);
}

/// A model with a member of every kind, its answers in `protocol`.
fn service(protocol: &str) -> Service {
    let model = json!({"metadata": {"protocol": protocol}, "operations": {"Op": {
        "name": "Op", "http": {"method": "GET", "requestUri": "/"}, "output": {"shape": "Out"}}},
    "shapes": {
        "Out": {"type": "structure", "members": {
            "Text": {"shape": "Text"}, "Number": {"shape": "Number"}, "Kind": {"shape": "Kind"},
            "Texts": {"shape": "Texts"}, "Flat": {"shape": "Flat"}, "Table": {"shape": "Table"},
            "FlatTable": {"shape": "FlatTable"}, "Inner": {"shape": "Out"}, "Any": {"shape": "Any"}}},
        "Kind": {"type": "structure", "union": true, "members": {"A": {"shape": "Text"}}},
        "Any": {"type": "structure", "document": true, "members": {}},
        "Texts": {"type": "list", "member": {"shape": "Text"}},
        "Flat": {"type": "list", "flattened": true, "member": {"shape": "Text"}},
        "Table": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Number"}},
        "FlatTable": {"type": "map", "flattened": true, "key": {"shape": "Text"},
            "value": {"shape": "Number"}},
        "Text": {"type": "string"}, "Number": {"type": "integer"}}});
    Service::from_json(model.to_string().as_bytes()).unwrap()
}

fn read(protocol: &str, body: &str) -> Result<Value, String> {
    use crate::protocol::{self, Protocol, WireResponse};
    let service = service(protocol);
    let response = WireResponse {
        status: 200,
        body: body.to_owned().into(),
        ..WireResponse::default()
    };
    let operation = &service.operations["Op"];
    let read = protocol::read(
        Protocol::of(&service).unwrap(),
        &service,
        operation,
        &response,
    );
    let answer = read.map_err(|unread| unread.to_string())?;
    let value = answer.value.to_json();
    // Each member is found by its name, too.
    for (name, part) in answer.value.root().members() {
        let found = answer.value.get(name).map(Part::to_json);
        assert_eq!(found, Some(part.to_json()), "{name}");
    }
    Ok(value)
}

#[test]
fn in_json_the_last_of_two_holds_and_null_is_none() {
    for (body, expected) in [
        (
            r#"{"Text": "a", "Number": 1, "Text": "b"}"#,
            json!({"Text": "b", "Number": 1}),
        ),
        (
            r#"{"Text": "a", "Inner": {}, "Text": null}"#,
            json!({"Inner": {}}),
        ),
        (
            r#"{"Text": null, "Number": 1, "Text": "b"}"#,
            json!({"Text": "b", "Number": 1}),
        ),
        (
            r#"{"Text": null, "Inner": null, "Texts": [null, "a"]}"#,
            json!({"Texts": [null, "a"]}),
        ),
        (
            r#"{"Inner": {"Text": "a", "Text": "b", "Texts": ["x"]}, "Texts": ["y"], "Number": 1}"#,
            json!({"Inner": {"Text": "b", "Texts": ["x"]}, "Texts": ["y"], "Number": 1}),
        ),
        (
            r#"{"Table": {"a": 1, "b": 2, "a": 3, "c": null, "b": null}, "Number": 1}"#,
            json!({"Table": {"a": 3}, "Number": 1}),
        ),
        (r#"{"Table": {"a": null}}"#, json!({"Table": {}})),
        (
            r#"{"Any": {"a": null, "b": [1], "b": {}}}"#,
            json!({"Any": {"a": null, "b": {}}}),
        ),
        (
            r#"{"Kind": {"__type": "k", "B": 1}}"#,
            json!({"Kind": {"SDK_UNKNOWN_MEMBER": {"name": "B"}}}),
        ),
        (
            r#"{"Kind": {"B": null, "A": "a"}}"#,
            json!({"Kind": {"A": "a"}}),
        ),
        (
            r#"{"Unknown": [{"a": 1}], "Number": "7"}"#,
            json!({"Number": 7}),
        ),
        ("", json!({})),
        (" ", json!({})),
    ] {
        assert_eq!(read("json", body).as_ref(), Ok(&expected), "{body}");
    }
    for wrong in [
        r#"{"Texts": {}}"#,
        r#"{"Text": []}"#,
        r#"{"Table": [1]}"#,
        "[]",
        r#"{"Number": "x"}"#,
    ] {
        assert!(read("json", wrong).is_err(), "{wrong}");
    }
}

#[test]
fn in_xml_the_first_of_two_holds_and_flattened_parts_follow_each_other() {
    for (body, expected) in [
        ("<Text>a</Text><Text>b</Text>", json!({"Text": "a"})),
        ("<Number> </Number><Number>1</Number>", json!({"Number": 1})),
        (
            "<Flat>a</Flat><Text>t</Text><Flat>b</Flat><Inner><Flat>x</Flat></Inner><Flat/>",
            json!({"Flat": ["a", "b", ""], "Text": "t", "Inner": {"Flat": ["x"]}}),
        ),
        (
            "<FlatTable><key>a</key><value>1</value></FlatTable><Text/>\
             <FlatTable><value>2</value><key>b</key></FlatTable><FlatTable><key>a</key><value>3</value></FlatTable>",
            json!({"FlatTable": {"a": 3, "b": 2}, "Text": ""}),
        ),
        (
            "<Table><entry><key>a</key><value>1</value></entry><entry><key>b</key></entry>\
             <entry><key>a</key><value>2</value></entry><entry><key>c</key><value/></entry></Table>",
            json!({"Table": {"a": 2}}),
        ),
        (
            "<Texts><member>a</member><x>b</x></Texts><Texts><member>c</member></Texts>",
            json!({"Texts": ["a", "b"]}),
        ),
        (
            "<Kind><B>1</B></Kind>",
            json!({"Kind": {"SDK_UNKNOWN_MEMBER": {"name": "B"}}}),
        ),
        (
            "<Unknown><Text>a</Text></Unknown><Number>7</Number>",
            json!({"Number": 7}),
        ),
    ] {
        let body = format!("<OpResponse>{body}</OpResponse>");
        assert_eq!(read("ec2", &body).as_ref(), Ok(&expected), "{body}");
    }
    assert!(read("ec2", "<R><Number>x</Number></R>").is_err());
}

/// Lists whose parts come by turns cost no more than others.
#[test]
fn flattened_parts_by_turns_take_no_longer_than_their_number_allows() {
    let parts = "<Flat>a</Flat><FlatTable><key>k</key><value>1</value></FlatTable>".repeat(100_000);
    let read = read("ec2", &format!("<R>{parts}</R>")).unwrap();
    assert_eq!(read["Flat"].as_array().map(Vec::len), Some(100_000));
    assert_eq!(read["FlatTable"], json!({"k": 1}));
}

proptest! {
    #[test]
    fn what_json_holds_comes_back(value in crate::protocol::any_json()) {
        prop_assert_eq!(output(&value).to_json(), value);
    }
}
