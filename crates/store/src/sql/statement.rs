//! One SQL text for every database: `?` for each value, as SQLite has it; PostgreSQL's `$1` is made from that.

use quell_model::Timestamp;

use crate::{Document, Entry, Kind};

/// A value of a statement or of a row. Two types are all there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    Text(String),
    Int(i64),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<Timestamp> for Cell {
    fn from(at: Timestamp) -> Self {
        Self::Int(at.millis())
    }
}

/// SQL with its values. The text is made from literals only; whatever comes from outside is a value.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    sql: String,
    pub(crate) values: Vec<Cell>,
}

impl Statement {
    pub(crate) fn new(sql: &'static str) -> Self {
        Self {
            sql: sql.to_owned(),
            values: Vec::new(),
        }
    }

    /// More text.
    pub(crate) fn push(&mut self, sql: &'static str) {
        self.sql.push_str(sql);
    }

    /// The value of the next `?`.
    pub(crate) fn bind(&mut self, value: impl Into<Cell>) {
        self.values.push(value.into());
    }

    /// The same, with the value of the next `?`.
    #[must_use]
    pub(crate) fn with(mut self, value: impl Into<Cell>) -> Self {
        self.bind(value);
        self
    }

    /// As SQLite wants it.
    pub(crate) fn question_marks(&self) -> String {
        self.sql.clone()
    }

    /// As PostgreSQL wants it: `$1`, `$2`, …
    pub(crate) fn numbered(&self) -> String {
        let mut parts = self.sql.split('?');
        let mut sql = parts.next().unwrap_or_default().to_owned();
        for (at, part) in parts.enumerate() {
            sql.push_str(&format!("${}", at + 1));
            sql.push_str(part);
        }
        sql
    }
}

/// The columns of a row, taken from the left.
#[derive(Debug)]
pub(crate) struct Row(pub(crate) std::vec::IntoIter<Cell>);

impl Row {
    pub(crate) fn text(&mut self) -> Result<String, sqlx::Error> {
        match self.0.next() {
            Some(Cell::Text(text)) => Ok(text),
            other => Err(unexpected("text", other.as_ref())),
        }
    }

    pub(crate) fn int(&mut self) -> Result<i64, sqlx::Error> {
        match self.0.next() {
            Some(Cell::Int(number)) => Ok(number),
            other => Err(unexpected("a number", other.as_ref())),
        }
    }

    pub(crate) fn cell(&mut self) -> Result<Cell, sqlx::Error> {
        self.0.next().ok_or_else(|| unexpected("a value", None))
    }

    /// A document: id, version, status, parent, at, body.
    pub(crate) fn document(mut self, kind: Kind) -> Result<Document, sqlx::Error> {
        Ok(Document {
            kind,
            id: self.text()?,
            version: self.int()?,
            status: self.text()?,
            parent: self.text()?,
            at: Timestamp::from_millis(self.int()?),
            body: self.text()?,
        })
    }

    /// An entry of a log: seq, at, body.
    pub(crate) fn entry(mut self) -> Result<Entry, sqlx::Error> {
        Ok(Entry {
            seq: self.int()?,
            at: Timestamp::from_millis(self.int()?),
            body: self.text()?,
        })
    }
}

fn unexpected(wanted: &str, found: Option<&Cell>) -> sqlx::Error {
    let found = match found {
        None => "no column",
        Some(Cell::Text(_)) => "text",
        Some(Cell::Int(_)) => "a number",
    };
    sqlx::Error::Decode(format!("{wanted} was wanted and {found} found").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_numbered_for_postgresql() {
        let statement = Statement::new("SELECT a FROM t WHERE b = ? AND c > ?")
            .with("x")
            .with(3);
        assert_eq!(
            statement.numbered(),
            "SELECT a FROM t WHERE b = $1 AND c > $2"
        );
        assert_eq!(statement.values, [Cell::Text("x".to_owned()), Cell::Int(3)]);
    }
}
