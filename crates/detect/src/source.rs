//! Rules that others wrote: whether they are for us, and whose they are.

use rsigma_parser::{SigmaRule, Status, parse_sigma_yaml};

use crate::content::DetectionFile;
use crate::limits::text_fault;

/// Whose a rule is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Who wrote it.
    pub author: Option<String>,
    /// Its licence, as it says itself.
    pub licence: Option<String>,
}

/// Whose a Sigma rule is that Quell can run.
///
/// # Errors
/// In words, and the same words for rules that are left for the same reason: why it is not for Quell.
pub fn source(file: &DetectionFile) -> Result<Source, String> {
    if let Some(fault) = text_fault(&file.text) {
        return Err(fault);
    }
    let collection =
        parse_sigma_yaml(&file.text).map_err(|_| "it is not YAML, or no Sigma rule".to_owned())?;
    if !collection.correlations.is_empty() {
        return Err("a correlation: only rules over single records are brought in".to_owned());
    }
    let [rule] = collection.rules.as_slice() else {
        return Err("it is not YAML, or no Sigma rule".to_owned());
    };
    let logsource = &rule.logsource;
    if logsource.product.as_deref() != Some("aws")
        || logsource.service.as_deref() != Some("cloudtrail")
    {
        let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "any".to_owned());
        return Err(format!(
            "for {}, {}",
            part(&logsource.product),
            part(&logsource.service)
        ));
    }
    if let Some(Status::Deprecated | Status::Unsupported) = rule.status {
        return Err("its authors call it deprecated or unsupported".to_owned());
    }
    match file.load() {
        Ok(_) => Ok(of(rule)),
        Err(faults) => {
            let first = faults.first().map(|fault| fault.message.clone());
            Err(format!("it does not load: {}", first.unwrap_or_default()))
        }
    }
}

fn of(rule: &SigmaRule) -> Source {
    Source {
        author: rule.author.clone(),
        licence: rule.license.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_text(text: &str) -> Result<Source, String> {
        source(&DetectionFile {
            path: "imported/a.yml".into(),
            text: text.into(),
        })
    }

    const RULE: &str = "title: t\nauthor: Somebody\nlicense: DRL 1.1\nlogsource: {product: aws, service: cloudtrail}\ndetection:\n  a:\n    eventName: X\n  condition: a\nlevel: low\n";

    #[test]
    fn rules_bring_their_author_and_licence_or_a_reason() {
        let found = of_text(RULE).unwrap();
        assert_eq!(
            (found.author.as_deref(), found.licence.as_deref()),
            (Some("Somebody"), Some("DRL 1.1"))
        );
        for (text, says) in [
            (RULE.replace("aws", "windows"), "for windows, cloudtrail"),
            (RULE.replace("level: low", "status: deprecated\nlevel: low"), "deprecated"),
            (RULE.replace("level: low\n", ""), "it does not load: the rule has no level"),
            ("a: [".to_owned(), "no Sigma rule"),
            ("title: c\ncorrelation:\n  type: event_count\n  rules: [a]\n  group-by: [b]\n  timespan: 1h\n  condition:\n    gte: 2\n".to_owned(), "correlation"),
        ] {
            let reason = of_text(&text).unwrap_err();
            assert!(reason.contains(says), "{reason}");
        }
    }
}
