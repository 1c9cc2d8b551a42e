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
            "FlatTable": {"shape": "FlatTable"}, "Inner": {"shape": "Out"}, "Any": {"shape": "Any"},
            "Outs": {"shape": "Outs"}, "Kinds": {"shape": "Kinds"}}},
        "Outs": {"type": "list", "member": {"shape": "Out"}},
        "Kinds": {"type": "list", "member": {"shape": "Kind"}},
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
    read_by(&service(protocol), body)
}

fn read_by(service: &Service, body: &str) -> Result<Value, String> {
    use crate::protocol::{self, Protocol, WireResponse};
    let response = WireResponse {
        status: 200,
        body: body.to_owned().into(),
        ..WireResponse::default()
    };
    let operation = &service.operations["Op"];
    let read = protocol::read(
        Protocol::of(service).unwrap(),
        service,
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
        (
            r#"{"Outs": [{"Number": 18446744073709551615}, {"Number": -7 }, {"Number": 1.5}, {"Number": "8"}]}"#,
            json!({"Outs": [{"Number": u64::MAX}, {"Number": -7}, {"Number": 1.5}, {"Number": 8}]}),
        ),
        (
            r#"{"Outs": [{"Number": 0}, {"Number": 18446744073709551616}, {"Number": 123456789 }, {"Number": 1e3}]}"#,
            json!({"Outs": [{"Number": 0}, {"Number": 18446744073709551616_f64}, {"Number": 123_456_789}, {"Number": 1e3}]}),
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
        r#"{"Number": 01}"#,
        r#"{"Number": 1x}"#,
        r#"{"Number": 1"#,
    ] {
        assert!(read("json", wrong).is_err(), "{wrong}");
    }
}

/// An item is read as it is read alone, whatever came before it.
fn items_are_read_alike(list: &str, alone: &str, items: &[&str]) {
    let body = format!(r#"{{"{list}": [{}]}}"#, items.join(","));
    let each = items.iter().map(|item| {
        let read = read("json", &format!(r#"{{"{alone}": {item}}}"#));
        let mut read = read?;
        Ok(read.as_object_mut().and_then(|read| read.remove(alone)))
    });
    let each: Result<Vec<_>, String> = each.collect();
    match (read("json", &body), each) {
        (Ok(read), Ok(each)) => assert_eq!(read, json!({list: each}), "{body}"),
        (read, each) => assert!(read.is_err() && each.is_err(), "{body}"),
    }
}

#[test]
fn the_members_of_items_may_come_in_any_order() {
    for items in [
        // The same, fewer, more, and in another order.
        &[
            r#"{"Text":"a","Number":1}"#,
            r#"{"Text":"b","Number":2}"#,
            r#"{"Number":3}"#,
            r#"{"Text":"c","Texts":["x"],"Number":4}"#,
            r#"{"Number":5,"Texts":[],"Text":"d"}"#,
            "{}",
            r#"{"Text":"e","Number":6}"#,
        ][..],
        // One name begins as another does; one is escaped; one is not known.
        &[
            r#"{"Text":"a","Texts":["x"]}"#,
            r#"{"Texts":["x"],"Text":"a"}"#,
            r#"{"Tex":1,"Texts":["y"]}"#,
            r#"{"Text\u0073":["z"],"\u0054ext":"b"}"#,
            r#"{"Text\"":1,"Text":"c"}"#,
            r#"{"Text": "d" , "Texts" : [ "v" ] }"#,
            r#"{"text":"e","Texts":["w"]}"#,
        ],
        // Twice, null, and deeper.
        &[
            r#"{"Text":"a","Number":1,"Inner":{"Number":2,"Text":"b"}}"#,
            r#"{"Text":"a","Text":"b","Number":null,"Inner":null}"#,
            r#"{"Text":"a","Number":1,"Text":null}"#,
            r#"{"Inner":{"Text":"a"},"Inner":{"Number":1},"Outs":[{"Number":1},{"Text":"c","Number":2}]}"#,
        ],
        &[r#"{"Text":"a"}"#, r#"{"Text""b"}"#],
        &[r#"{"Text":"a"}"#, r#"{"Text":"b""Number":1}"#],
        &[r#"{"Text":"a"}"#, r#"{,"Text":"b"}"#],
        &[r#"{"Text":"a"}"#, r#"{"Text"#],
        &[r#"{"Text":"a"}"#, "[]"],
    ] {
        items_are_read_alike("Outs", "Inner", items);
    }
    let kinds = [
        r#"{"A":"a"}"#,
        r#"{"B":"b"}"#,
        r#"{"A":"c"}"#,
        r#"{"A":null,"C":1}"#,
    ];
    items_are_read_alike("Kinds", "Kind", &kinds);
    let with_null = read("json", r#"{"Outs":[{"Text":"a"},null,{"Text":"b"}]}"#);
    assert_eq!(
        with_null,
        Ok(json!({"Outs": [{"Text": "a"}, null, {"Text": "b"}]}))
    );
}

/// Those beyond the 64 that are remembered, and that have a bit of their own, are read as the others.
#[test]
fn a_structure_may_have_many_members() {
    let names: Vec<String> = (0..150).map(|n| format!("M{n:03}")).collect();
    let members = names
        .iter()
        .map(|name| (name.clone(), json!({"shape": "Text"})));
    let members: Map<String, Value> = members.collect();
    let model = json!({"metadata": {"protocol": "json"}, "operations": {"Op": {
        "name": "Op", "http": {"method": "GET", "requestUri": "/"}, "output": {"shape": "Out"}}},
    "shapes": {"Out": {"type": "structure", "members": {"Items": {"shape": "Items"}}},
        "Items": {"type": "list", "member": {"shape": "Item"}},
        "Item": {"type": "structure", "members": members}, "Text": {"type": "string"}}});
    let service = Service::from_json(model.to_string().as_bytes()).unwrap();
    let item = |names: &mut dyn Iterator<Item = &String>, value: &str| {
        let members: Vec<String> = names.map(|name| format!(r#""{name}":{value}"#)).collect();
        members.join(",")
    };
    let body = format!(
        r#"{{"Items":[{{{}}},{{{}}},{{{},{}}},{{{},{}}}]}}"#,
        item(&mut names.iter(), r#""a""#),
        item(&mut names.iter().rev(), r#""b""#),
        item(&mut names.iter(), r#""c""#),
        item(&mut names.iter(), r#""d""#),
        item(&mut names.iter(), r#""e""#),
        item(&mut names.iter().skip(1), "null"),
    );
    let read = read_by(&service, &body).unwrap();
    let all = |value: &str| -> Value {
        names
            .iter()
            .map(|name| (name.clone(), json!(value)))
            .collect()
    };
    assert_eq!(
        read,
        json!({"Items": [all("a"), all("b"), all("d"), {"M000": "e"}]})
    );
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

    /// The members of each item, of which one in some comes escaped or with white space, in any order and now and then
    /// again.
    #[test]
    fn items_in_any_order_are_read_as_they_are_read_alone(
        items in prop::collection::vec(prop::collection::vec((0..9_usize, 0..4_usize), 0..6), 0..6),
    ) {
        let written = |(member, way): &(usize, usize)| {
            let (name, value) = [
                ("Text", r#""a\"b""#), ("Texts", r#"["a"]"#), ("Number", "12345678901"), ("Tex", "1"),
                ("Textss", "{}"), ("Text", "null"), ("Inner", r#"{"Number":1}"#), ("Any", "[1.5]"), ("Number", "-1"),
            ][*member];
            match way {
                0 => format!(" \"{name}\" : {value} "),
                1 => format!("\"\\u{:04x}{}\":{value}", u32::from(name.as_bytes()[0]), &name[1..]),
                _ => format!("\"{name}\":{value}"),
            }
        };
        let item = |members: &Vec<_>| {
            let members: Vec<String> = members.iter().map(written).collect();
            format!("{{{}}}", members.join(","))
        };
        let items: Vec<String> = items.iter().map(item).collect();
        let items: Vec<&str> = items.iter().map(String::as_str).collect();
        items_are_read_alike("Outs", "Inner", &items);
    }
}
