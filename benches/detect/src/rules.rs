//! The rules: the project's own, and as many generated ones as are wanted.

use std::path::{Path, PathBuf};

use quell_detect::{DetectionFile, Language};

use crate::random::Random;

/// So many Sigma rules: the project's own, evenly chosen when there are more, then generated ones of the same shapes.
pub fn rules(detections: &Path, apis: &[(String, String)], count: usize) -> Vec<DetectionFile> {
    let own: Vec<PathBuf> = files(detections)
        .into_iter()
        .filter(|path| {
            // What is said of several records is not compared: rsigma-eval has its own words for correlations, and none for the rest.
            let name = path.to_str().expect("a name in UTF-8");
            matches!(Language::of(name), Some((Language::Sigma, _)))
        })
        .collect();
    let step = own.len().div_ceil(count).max(1);
    let mut out: Vec<DetectionFile> = own
        .iter()
        .step_by(step)
        .chain(
            own.iter()
                .skip(1)
                .step_by(step)
                .take(usize::from(step > 1) * count),
        )
        .take(count)
        .map(|path| DetectionFile {
            path: path
                .strip_prefix(detections)
                .expect("below it")
                .display()
                .to_string(),
            text: std::fs::read_to_string(path).expect("a rule is readable"),
        })
        .collect();
    let mut random = Random::new(7);
    for at in 0..count.saturating_sub(out.len()) {
        out.push(generated(at, apis, &mut random));
    }
    out
}

/// A rule about calls that attackers make, in one of the shapes that the project's rules have.
fn generated(at: usize, apis: &[(String, String)], random: &mut Random) -> DetectionFile {
    let (source, name) = random.pick(apis).clone();
    let same: Vec<&str> = apis
        .iter()
        .filter(|api| api.0 == source)
        .map(|api| api.1.as_str())
        .take(6)
        .collect();
    let verb: String = name
        .chars()
        .enumerate()
        .take_while(|(n, c)| *n == 0 || c.is_lowercase())
        .map(|(_, c)| c)
        .collect();
    let list: String = same
        .iter()
        .map(|name| format!("      - {name}\n"))
        .collect();
    let filter = "  routine:\n    - userIdentity.type: AWSService\n    - userIdentity.invokedBy|exists: true\n    - userAgent|contains: ['HashiCorp', 'Terraform', 'Pulumi']\n    - userAgent|endswith: .amazonaws.com\n  failed:\n    errorCode|exists: true\n";
    let (selection, condition) = match at % 6 {
        0 => (
            format!("  a:\n    eventSource: {source}\n    eventName: {name}\n{filter}"),
            "a and not failed",
        ),
        1 => (
            format!("  a:\n    eventSource: {source}\n    eventName:\n{list}{filter}"),
            "a and not routine and not failed",
        ),
        2 => (
            format!(
                "  a:\n    eventSource: {source}\n    eventName|startswith: {verb}\n    requestParameters.x{at}|contains: secret\n{filter}"
            ),
            "a and not routine",
        ),
        3 => (
            format!(
                "  a:\n    eventSource: {source}\n    eventName: {name}\n    errorCode|contains: [AccessDenied, Unauthorized]\n{filter}"
            ),
            "a",
        ),
        4 => (
            format!(
                "  a:\n    eventSource: {source}\n    eventName: {name}\n  b:\n    - requestParameters.principal: '*'\n    - requestParameters.policyDocument|re: '\"Principal\"\\s*:\\s*\"\\*\"'\n{filter}"
            ),
            "a and b and not failed",
        ),
        _ => (
            format!(
                "  a:\n    eventSource: {source}\n  b:\n    eventName|contains: {verb}\n    userIdentity.type: Root\n{filter}"
            ),
            "a and b and not failed",
        ),
    };
    let text = format!(
        "title: Generated {at}\nid: 00000000-0000-4000-8000-{at:012}\nlogsource:\n  product: aws\n  service: cloudtrail\ndetection:\n{selection}  condition: {condition}\nlevel: low\n"
    );
    DetectionFile {
        path: format!("generated/{at}.yml"),
        text,
    }
}

/// All files below a folder, in order.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => out.extend(files(&path)),
            false => out.push(path),
        }
    }
    out.sort();
    out
}
