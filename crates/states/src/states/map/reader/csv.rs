//! Items in CSV (RFC 4180): each row is an object of texts.

use crate::diagnostic::Faults;
use crate::document::fields::Fields;
use crate::family::Item;
use crate::limits::CSV_COLUMNS_MAX;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// How a file is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Csv {
    /// The names of the columns, unless the first row has them.
    headers: Option<Vec<String>>,
    delimiter: char,
}

impl Csv {
    /// Reads the fields about CSV of a ReaderConfig; `wanted`: it must have them.
    pub(super) fn read(config: &Fields<'_>, wanted: bool, faults: &mut Faults) -> Csv {
        let place = config.word("CSVHeaderLocation", &["FIRST_ROW", "GIVEN"], faults);
        let words = ["COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"];
        let delimiter = match config.word("CSVDelimiter", &words, faults) {
            Some("PIPE") => '|',
            Some("SEMICOLON") => ';',
            Some("SPACE") => ' ',
            Some("TAB") => '\t',
            _ => ',',
        };
        let headers = match config.value("CSVHeaders") {
            Some(_) => config.list("CSVHeaders", faults),
            None => None,
        };
        if wanted && config.value("CSVHeaderLocation").is_none() {
            config.require(&["CSVHeaderLocation"], faults);
        }
        match (place, headers.is_some()) {
            (Some("GIVEN"), false) => config.require(&["CSVHeaders"], faults),
            (Some("FIRST_ROW"), true) => faults.schema(
                config.at("CSVHeaders"),
                "CSVHeaders is for the CSVHeaderLocation GIVEN only",
            ),
            _ => {}
        }
        let names: Option<Vec<String>> = headers.and_then(|headers| {
            let names = headers.iter().map(|name| name.as_str().map(str::to_owned));
            names.collect()
        });
        if headers.is_some() && names.is_none() {
            faults.schema(config.at("CSVHeaders"), "Expected an array of strings");
        }
        Csv {
            headers: names,
            delimiter,
        }
    }

    /// A file without a header, whose columns are known.
    pub(super) fn given(columns: &[String]) -> Csv {
        Csv {
            headers: Some(columns.to_vec()),
            delimiter: ',',
        }
    }

    /// What is wrong with the given headers.
    pub(super) fn check(&self) -> Result<(), String> {
        self.headers.as_deref().map_or(Ok(()), check_headers)
    }

    /// The rows of a text. Short rows are filled up with empty texts, long ones
    /// cut, empty ones passed over (recorded on AWS).
    pub(super) fn items(&self, text: &str) -> Result<Vec<Item>, String> {
        let mut rows = Rows {
            rest: text.strip_prefix('\u{feff}').unwrap_or(text),
            delimiter: self.delimiter,
        };
        let headers = match &self.headers {
            Some(headers) => headers.clone(),
            None => rows.next().transpose()?.unwrap_or_default(),
        };
        check_headers(&headers)?;
        rows.map(|row| {
            let mut cells = row?.into_iter();
            let fields: Map<String, Value> = headers
                .iter()
                .map(|name| (name.clone(), Value::from(cells.next().unwrap_or_default())))
                .collect();
            Ok(Item {
                value: Value::Object(fields),
                key: None,
            })
        })
        .collect()
    }
}

fn check_headers(headers: &[String]) -> Result<(), String> {
    if headers.len() > CSV_COLUMNS_MAX {
        return Err(format!("A CSV file has at most {CSV_COLUMNS_MAX} columns."));
    }
    let unique: BTreeSet<&String> = headers.iter().collect();
    match unique.len() == headers.len() {
        true => Ok(()),
        false => Err("CSV headers cannot contain duplicates.".to_owned()),
    }
}

/// The rows of a text, one after the other; empty lines are passed over.
struct Rows<'t> {
    rest: &'t str,
    delimiter: char,
}

/// What ended a cell.
enum Stop {
    Delimiter,
    Line,
}

impl Iterator for Rows<'_> {
    type Item = Result<Vec<String>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rest = self.rest.trim_start_matches(['\r', '\n']);
        if self.rest.is_empty() {
            return None;
        }
        let mut cells = Vec::new();
        loop {
            match self.cell() {
                Ok((cell, stop)) => {
                    // A row may be long; more cells than columns are of no use.
                    if cells.len() <= CSV_COLUMNS_MAX {
                        cells.push(cell);
                    }
                    if matches!(stop, Stop::Line) {
                        return Some(Ok(cells));
                    }
                }
                Err(fault) => {
                    self.rest = "";
                    return Some(Err(fault));
                }
            }
        }
    }
}

impl Rows<'_> {
    fn cell(&mut self) -> Result<(String, Stop), String> {
        match self.rest.strip_prefix('"') {
            Some(quoted) => {
                self.rest = quoted;
                self.quoted()
            }
            None => {
                let ends = |c: char| c == self.delimiter || c == '\r' || c == '\n';
                let (cell, rest) = self
                    .rest
                    .split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
                self.rest = rest;
                Ok((cell.to_owned(), self.stop()))
            }
        }
    }

    fn quoted(&mut self) -> Result<(String, Stop), String> {
        let mut cell = String::new();
        loop {
            let Some((text, rest)) = self.rest.split_once('"') else {
                return Err("A quoted CSV field is not closed.".to_owned());
            };
            cell.push_str(text);
            match rest.strip_prefix('"') {
                Some(rest) => {
                    cell.push('"');
                    self.rest = rest;
                }
                None => {
                    self.rest = rest;
                    let ends = |c: char| c == self.delimiter || c == '\r' || c == '\n';
                    let (tail, rest) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
                    cell.push_str(tail);
                    self.rest = rest;
                    return Ok((cell, self.stop()));
                }
            }
        }
    }

    /// Passes over what ended a cell.
    fn stop(&mut self) -> Stop {
        match self.rest.strip_prefix(self.delimiter) {
            Some(rest) => {
                self.rest = rest;
                Stop::Delimiter
            }
            None => Stop::Line,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn csv(headers: Option<&[&str]>, delimiter: char) -> Csv {
        Csv {
            headers: headers.map(|names| names.iter().map(|n| (*n).to_owned()).collect()),
            delimiter,
        }
    }

    fn rows(csv: &Csv, text: &str) -> Vec<Value> {
        csv.items(text)
            .unwrap()
            .into_iter()
            .map(|item| item.value)
            .collect()
    }

    #[test]
    fn rows_are_objects_of_texts() {
        let text = "a,b\r\n1,\"x, \"\"y\"\"\n z\"\n\n2\n3,4,5\n";
        assert_eq!(
            rows(&csv(None, ','), text),
            [
                json!({ "a": "1", "b": "x, \"y\"\n z" }),
                json!({ "a": "2", "b": "" }),
                json!({ "a": "3", "b": "4" }),
            ]
        );
    }

    #[test]
    fn other_delimiters_and_given_headers() {
        assert_eq!(
            rows(&csv(Some(&["a", "b"]), '|'), "1|2"),
            [json!({ "a": "1", "b": "2" })]
        );
        assert_eq!(
            rows(&csv(None, '\t'), "a\tb\n\t2"),
            [json!({ "a": "", "b": "2" })]
        );
        assert_eq!(rows(&csv(None, ','), "\u{feff}a\n1"), [json!({ "a": "1" })]);
        assert!(rows(&csv(None, ','), "").is_empty());
    }

    #[test]
    fn faulty_files_are_refused() {
        assert!(csv(None, ',').items("a,a\n1,2").is_err());
        assert!(csv(None, ',').items("a\n\"1").is_err());
        assert!(csv(Some(&["h", "h"]), ',').check().is_err());
    }
}
