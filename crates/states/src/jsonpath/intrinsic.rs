//! A call of an intrinsic function: `States.Format('{} of {}', $.a, $.b)`.

use super::cursor::Cursor;
use super::functions::{self, Function};
use super::path::Path;
use super::query::View;
use crate::failure::{Failure, INTRINSIC_FAILURE};
use crate::limits::GATHERED_BYTES_MAX;
use serde_json::Value;

/// Calls one call may nest (Step Functions allows 10).
const NESTING_MAX: u32 = 10;

/// A parsed call.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    text: String,
    function: Function,
    arguments: Vec<Argument>,
}

#[derive(Clone, Debug, PartialEq)]
enum Argument {
    Path(Path, String),
    Literal(Value),
    Call(Call),
}

impl Call {
    /// Parses a whole text; the function must exist and take that many arguments.
    pub(super) fn parse(text: &str) -> Option<Call> {
        let mut cursor = Cursor::new(text);
        let mut call = Call::read(&mut cursor, 0)?;
        cursor.skip_space();
        call.text = text.to_owned();
        cursor.at_end().then_some(call)
    }

    fn read(cursor: &mut Cursor<'_>, depth: u32) -> Option<Call> {
        if depth >= NESTING_MAX {
            return None;
        }
        let name = cursor.take_while(|c| c.is_ascii_alphanumeric() || c == '.');
        let function = Function::named(name)?;
        cursor.expect("(")?;
        let mut arguments = Vec::new();
        if !cursor.eat_spaced(")") {
            loop {
                cursor.skip_space();
                let template = function == Function::Format && arguments.is_empty();
                arguments.push(Argument::read(cursor, template, depth)?);
                if cursor.eat_spaced(")") {
                    break;
                }
                cursor.expect(",")?;
            }
        }
        function.takes(arguments.len()).then(|| Call {
            text: name.to_owned(),
            function,
            arguments,
        })
    }

    pub(super) fn evaluate(&self, view: &View<'_>) -> Result<Value, Failure> {
        let mut gathered = 0;
        let mut values = Vec::new();
        for argument in &self.arguments {
            let value = argument.evaluate(view)?;
            gathered += value.to_string().len();
            if gathered > GATHERED_BYTES_MAX {
                return Err(Failure::data_limit(&self.text));
            }
            values.push(value);
        }
        functions::call(self.function, &values, view.random).map_err(|why| {
            Failure::interpreter(
                INTRINSIC_FAILURE,
                format!(
                    "The function '{}' had the following error: {why}",
                    self.text
                ),
            )
        })
    }
}

impl Argument {
    fn read(cursor: &mut Cursor<'_>, template: bool, depth: u32) -> Option<Argument> {
        match cursor.peek()? {
            '$' => {
                let path = Path::read(cursor)?;
                let text = path.text().to_owned();
                Some(Argument::Path(path, text))
            }
            '\'' => text_literal(cursor, template).map(|text| Argument::Literal(text.into())),
            'S' => Call::read(cursor, depth + 1).map(Argument::Call),
            _ => cursor.plain_literal().map(Argument::Literal),
        }
    }

    fn evaluate(&self, view: &View<'_>) -> Result<Value, Failure> {
        match self {
            Argument::Literal(value) => Ok(value.clone()),
            Argument::Call(call) => call.evaluate(view),
            Argument::Path(path, text) => view.select(path).map_err(|missing| {
                Failure::interpreter(
                    INTRINSIC_FAILURE,
                    format!("Invalid path '{text}' : {missing}"),
                )
            }),
        }
    }
}

/// Single-quoted text. `\'`, `\\`, `\{` and `\}` are its only escapes; the
/// template of `States.Format` keeps them until it is filled in.
fn text_literal(cursor: &mut Cursor<'_>, template: bool) -> Option<String> {
    cursor.expect("'")?;
    let mut text = String::new();
    loop {
        match cursor.advance()? {
            '\'' => return Some(text),
            '\\' => match cursor.advance()? {
                '\'' => text.push('\''),
                escaped @ ('\\' | '{' | '}') => {
                    if template {
                        text.push('\\');
                    }
                    text.push(escaped);
                }
                _ => return None,
            },
            plain => text.push(plain),
        }
    }
}
