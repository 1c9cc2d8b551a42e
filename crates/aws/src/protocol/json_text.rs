//! JSON text to a value, with a bound on the number of values. Of two members of one name the last holds.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::Malformed;
use super::bounds::{Budget, VALUES_MAX};

/// The text as JSON. serde_json itself stops at a depth of 128.
pub(super) fn parse(text: &[u8]) -> Result<Value, Malformed> {
    let mut budget = Budget::new();
    let mut reader = serde_json::Deserializer::from_slice(text);
    let read = Counted(&mut budget).deserialize(&mut reader);
    read.and_then(|value| reader.end().map(|()| value))
        .map_err(|error| match error.classify() {
            serde_json::error::Category::Data => {
                Malformed(format!("JSON with more than {VALUES_MAX} values"))
            }
            _ => Malformed(format!(
                "not JSON at line {}, column {}",
                error.line(),
                error.column()
            )),
        })
}

/// Any value, each of its parts counted.
struct Counted<'a>(&'a mut Budget);

impl<'de> DeserializeSeed<'de> for Counted<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        self.0.spend().map_err(D::Error::custom)?;
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Counted<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut read = Vec::new();
        while let Some(item) = items.next_element_seed(Counted(self.0))? {
            read.push(item);
        }
        Ok(Value::Array(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut read = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            read.insert(name, members.next_value_seed(Counted(self.0))?);
        }
        Ok(Value::Object(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_what_serde_json_reads() {
        let text = br#"{"a": [1, -2, 1.5, 18446744073709551615, null, true, "\u00fc\n"], "b": {}, "b": {"c": []}}"#;
        assert_eq!(
            parse(text).unwrap(),
            serde_json::from_slice::<Value>(text).unwrap()
        );
        assert_eq!(parse(br#"{"a": 1, "a": 2}"#).unwrap(), json!({"a": 2}));
    }

    #[test]
    fn refuses_what_is_not_json_too_deep_or_too_much() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for text in ["", "{", "{} {}", "nan", "\"\u{1}\"", &deep] {
            assert!(parse(text.as_bytes()).is_err(), "{:.20}", text);
        }
        assert!(parse(b"\"\xff\"").is_err());
        let many = format!("[{}0]", "0,".repeat(VALUES_MAX));
        let refused = parse(many.as_bytes()).unwrap_err();
        assert_eq!(
            refused.0,
            format!("JSON with more than {VALUES_MAX} values")
        );
    }
}
