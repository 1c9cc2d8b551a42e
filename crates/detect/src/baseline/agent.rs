//! The family of a user agent: what sort of program called, without its version.

/// Programs that stand behind others' names in a user agent, in the order in which they count.
const KNOWN: &[&str] = &[
    "terraform",
    "opentofu",
    "pulumi",
    "cloudformation",
    "aws-cdk",
    "cloudshell",
    "ansible",
    "packer",
    "pacu",
    "cloudfox",
    "scoutsuite",
    "prowler",
    "steampipe",
    "cloudmapper",
    "enumerate-iam",
    "s3browser",
    "cyberduck",
    "rclone",
    "amazon-ssm-agent",
    "amazon-ecs-agent",
    "eksctl",
    "kops",
    "aws-cli",
    "awscli",
    "boto3",
    "botocore",
];

/// Systems that are made for attacks: GuardDuty's PenTest findings name them too.
const ATTACK_SYSTEMS: &[&str] = &["kali", "parrot", "pentoo", "blackarch"];

/// A family is never longer: the sender writes it.
const CHARS_MAX: usize = 48;

/// `aws-cli/2.15.1 Python/3.11 Linux/…` → `aws-cli`, `Mozilla/5.0 (X11…) Firefox/102.0` → `firefox`. A system
/// that is made for attacks stays in it: `boto3 on kali`.
pub(super) fn family(agent: &str) -> String {
    let lower: String = agent
        .chars()
        .take(1024)
        .flat_map(char::to_lowercase)
        .collect();
    let lower = lower.trim_start_matches('[').trim_end_matches(']').trim();
    let program = KNOWN
        .iter()
        .find(|name| lower.contains(**name))
        .map_or_else(|| own(lower), |name| (*name).to_owned());
    match ATTACK_SYSTEMS.iter().find(|name| lower.contains(**name)) {
        Some(system) => format!("{program} on {system}"),
        None => program,
    }
}

fn own(lower: &str) -> String {
    if lower.starts_with("mozilla/") {
        let browsers = [
            ("edg/", "edge"),
            ("opr/", "opera"),
            ("firefox/", "firefox"),
            ("chrome/", "chrome"),
            ("safari/", "safari"),
        ];
        let found = browsers.iter().find(|(mark, _)| lower.contains(mark));
        return found.map_or("browser", |(_, name)| name).to_owned();
    }
    // The first product, up to its version.
    let product = lower
        .split(['/', ',', ';', '('])
        .next()
        .unwrap_or_default()
        .trim();
    let words = product.split_inclusive(['_', '-', ' ', '.']);
    // A word of digits, or an id, is a version too, and so is all behind it.
    let kept: String = words.take_while(|word| !is_version(word)).collect();
    let kept = kept.trim_end_matches(['_', '-', ' ', '.']);
    let family = if kept.is_empty() { "other" } else { kept };
    family.chars().take(CHARS_MAX).collect()
}

fn is_version(word: &str) -> bool {
    let word = word.trim_end_matches(['_', '-', ' ', '.']);
    let word = word.strip_prefix('v').unwrap_or(word);
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let hex = word.bytes().all(|b| b.is_ascii_hexdigit());
    digits > 0 && (digits == word.len() || (hex && word.len() >= 6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_put_aside() {
        for (agent, is) in [
            (
                "aws-cli/2.15.1 Python/3.11.6 Linux/5.10 exe/x86_64 prompt/off",
                "aws-cli",
            ),
            (
                "APN/1.0 HashiCorp/1.0 Terraform/1.1.2 (+https://www.terraform.io) aws-sdk-go/1.44",
                "terraform",
            ),
            (
                "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.488 Linux/5.10]",
                "s3console",
            ),
            (
                "RDS Console, aws-internal/3 aws-sdk-java/1.11.975",
                "rds console",
            ),
            (
                "stratus-red-team_39f95f43-cd2f-4beb-b69e-be60b6fe1f57",
                "stratus-red-team",
            ),
            (
                "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:102.0) Gecko/20100101 Firefox/102.0",
                "firefox",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/114.0.0.0 Safari/537.36",
                "chrome",
            ),
            (
                "[Boto3/1.26.165 Python/3.10.6 Linux/6.1.0-kali9-amd64 Botocore/1.29]",
                "boto3 on kali",
            ),
            (
                "aws-sdk-go/1.41.4 (go1.18.3; linux; amd64) amazon-ssm-agent/",
                "amazon-ssm-agent",
            ),
            ("aws-sdk-go-v2/1.18.0 os/linux", "aws-sdk-go"),
            ("ec2.amazonaws.com", "ec2.amazonaws.com"),
            ("AWS Internal", "aws internal"),
            ("my tool 7", "my tool"),
            ("deploy-v3-20240101", "deploy"),
            ("", "other"),
            ("/////", "other"),
            ("12", "other"),
        ] {
            assert_eq!(family(agent), is, "{agent}");
        }
        assert_eq!(family(&"é".repeat(5000)).chars().count(), CHARS_MAX);
    }
}
