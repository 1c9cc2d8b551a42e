//! `numeric`: one comparison, or a lower and an upper one.

use super::expression::number;
use super::{Compiler, Failure};
use crate::error::Fault;
use crate::json::Token;
use crate::matcher::Range;

impl Compiler<'_> {
    /// The value of `numeric` and the brace after it.
    pub(super) fn numeric(&mut self) -> Result<Range, Failure> {
        if self.token()? != Token::ArrayStart {
            return Err(Fault::NumericForm.into());
        }
        let operator = match self.token()? {
            Token::Text(operator) => operator,
            token => return Err(Fault::NumericMember(text_of(&token)).into()),
        };
        let range = match &*operator {
            "=" => {
                let value = Some((self.operand("equals")?, true));
                self.end_list(Range {
                    bottom: value,
                    top: value,
                })?
            }
            "<" => {
                let top = Some((self.operand("<")?, false));
                self.end_list(Range { bottom: None, top })?
            }
            "<=" => {
                let top = Some((self.operand("<=")?, true));
                self.end_list(Range { bottom: None, top })?
            }
            ">" => {
                let bottom = self.operand(">")?;
                self.upper(bottom, false)?
            }
            ">=" => {
                let bottom = self.operand(">=")?;
                self.upper(bottom, true)?
            }
            // The value is read before the operator is judged.
            _ => {
                self.token()?;
                return Err(Fault::NumericOperator(operator.into_owned()).into());
            }
        };
        self.end(Fault::TooManyElements)?;
        Ok(range)
    }

    /// What follows a lower bound: the end of the list, or an upper bound and the end.
    fn upper(&mut self, bottom: f64, closed: bool) -> Result<Range, Failure> {
        let operator = match self.token()? {
            Token::ArrayEnd => {
                return Ok(Range {
                    bottom: Some((bottom, closed)),
                    top: None,
                });
            }
            Token::Text(operator) => operator,
            token => return Err(Fault::NumericRangeValue(text_of(&token)).into()),
        };
        let top = match &*operator {
            "<" => (self.operand("<")?, false),
            "<=" => (self.operand("<=")?, true),
            _ => return Err(Fault::NumericRangeOperator(operator.into_owned()).into()),
        };
        if self.token()? != Token::ArrayEnd {
            return Err(Fault::NumericTerms.into());
        }
        if bottom >= top.0 {
            return Err(Fault::NumericEmpty.into());
        }
        Ok(Range {
            bottom: Some((bottom, closed)),
            top: Some(top),
        })
    }

    fn operand(&mut self, operator: &'static str) -> Result<f64, Failure> {
        match self.token()? {
            Token::Number(text) => Ok(number(text)?),
            _ => Err(Fault::NumericValue(operator).into()),
        }
    }

    fn end_list(&mut self, range: Range) -> Result<Range, Failure> {
        if self.token()? == Token::ArrayEnd {
            Ok(range)
        } else {
            Err(Fault::TooManyElements.into())
        }
    }
}

/// A token as a message shows it.
fn text_of(token: &Token<'_>) -> String {
    match token {
        Token::Key(text) | Token::Text(text) => text.to_string(),
        Token::Number(text) => (*text).to_owned(),
        Token::Bool(value) => value.to_string(),
        Token::Null => "null".to_owned(),
        Token::ObjectStart => "{".to_owned(),
        Token::ObjectEnd => "}".to_owned(),
        Token::ArrayStart => "[".to_owned(),
        Token::ArrayEnd => "]".to_owned(),
        Token::End => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::pattern::Pattern;

    fn said(list: &str) -> String {
        match Pattern::parse(&format!(r#"{{"a": [{{"numeric": {list}}}]}}"#)) {
            Ok(_) => "valid".to_owned(),
            Err(error) => error.fault().to_string(),
        }
    }

    #[test]
    fn reads_one_comparison_or_two() {
        for list in [
            r#"["=", 3.8]"#,
            r#"["<", -4e-6]"#,
            r#"["<=", 0]"#,
            r#"[">", 0, "<", 1]"#,
            r#"[">=", 0]"#,
            r#"[">=", 0, "<=", 1]"#,
        ] {
            assert_eq!(said(list), "valid", "{list}");
        }
    }

    #[test]
    fn every_fault_has_its_words() {
        for (list, words) in [
            ("5", "Value of numeric must be an array."),
            ("[]", "Invalid member in numeric match: ]"),
            ("[1]", "Invalid member in numeric match: 1"),
            (r#"["=", true]"#, "Value of equals must be numeric"),
            (r#"["="]"#, "Value of equals must be numeric"),
            (r#"["=", 1, 2]"#, "Too many elements in numeric expression"),
            (r#"["<>", 1]"#, "Unrecognized numeric range operator: <>"),
            (r#"[">", 1, 2]"#, "Bad value in numeric range: 2"),
            (r#"[">", 1, ">", 2]"#, "Bad numeric range operator: >"),
            (r#"[">", 0, "<"]"#, "Value of < must be numeric"),
            (
                r#"[">", 0, "<", 1, "<", 2]"#,
                "Too many terms in numeric range expression",
            ),
            (r#"[">", 1, "<", 1]"#, "Bottom must be less than top"),
            (r#"["=", 2.0e422]"#, "Cannot compare number : 2.0e422"),
        ] {
            assert_eq!(said(list), words, "{list}");
        }
    }

    #[test]
    fn the_bounds_mean_what_they_say() {
        let matches = |list: &str, value: &str| {
            let pattern = Pattern::parse(&format!(r#"{{"a": [{{"numeric": {list}}}]}}"#)).unwrap();
            pattern
                .matches_json(&format!(r#"{{"a": {value}}}"#))
                .unwrap()
        };
        assert!(matches(r#"["=", 3.018e2]"#, "301.8") && !matches(r#"["=", 301.8]"#, "\"301.8\""));
        assert!(matches(r#"["<", 5]"#, "4.999999") && !matches(r#"["<", 5]"#, "5"));
        assert!(matches(r#"[">=", 0, "<", 1]"#, "0") && !matches(r#"[">=", 0, "<", 1]"#, "1"));
        assert!(matches(r#"[">", 0]"#, "1e300") && !matches(r#"[">", 0]"#, "null"));
    }
}
