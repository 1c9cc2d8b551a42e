//! Exceptions: what people decided to leave as it is, for a while. What is excepted is not touched.

use quell_model::{Resource, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ArnPattern;

/// Somebody's decision that something is left as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exception {
    /// `exc-…`.
    pub id: String,
    /// Whose it is: who answers for what is left as it is.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// What is left as it is.
    pub scope: Scope,
    /// Who lets it pass: another than the owner.
    pub approved_by: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when; at that moment it counts no more.
    pub expires_at: Timestamp,
    /// Who ended it before, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// What an exception is about: what answers, and where. Each member that is there narrows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scope {
    /// A playbook's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playbook: Option<String>,
    /// A detection's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detection: Option<String>,
    /// An account, twelve digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// A resource, or those of a pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ArnPattern>,
}

/// Who ended it, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ended {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// An exception that nobody may make, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoException(String);

impl Exception {
    /// It lasts no longer: ninety days.
    pub const MILLIS_MAX: i64 = 90 * 24 * 3_600_000;
    /// So long before it ends people are warned: seven days.
    pub const WARNED_MILLIS: i64 = 7 * 24 * 3_600_000;
    const TEXT_CHARS_MAX: usize = 1000;

    /// Whether it may be made at all.
    ///
    /// # Errors
    /// [`NoException`]: without owner or reason, approved by its owner, about everything, of no duration, or too long.
    pub fn check(&self) -> Result<(), NoException> {
        let no = |why: &str| Err(NoException(why.to_owned()));
        let texts = [&self.owner, &self.reason, &self.approved_by];
        let too_long = |text: &&String| text.chars().count() > Self::TEXT_CHARS_MAX;
        if texts.iter().any(|text| text.trim().is_empty()) || texts.iter().any(too_long) {
            return no(
                "an exception has an owner, a reason and somebody who approves it, each of 1 to 1000 characters",
            );
        }
        if same_person(&self.owner, &self.approved_by) {
            return no(
                "who owns an exception does not approve it: somebody else has to add it, or it is somebody else's",
            );
        }
        let scope = &self.scope;
        if scope.playbook.is_none() && scope.detection.is_none() {
            return no("an exception names a playbook or a detection");
        }
        if scope.account.is_none() && scope.resource.is_none() {
            return no("an exception names an account or a resource");
        }
        let lasts = self.expires_at.millis_since(self.created_at);
        match lasts {
            ..=0 => no("an exception ends after it begins"),
            1..=Self::MILLIS_MAX => Ok(()),
            _ => no("an exception lasts 90 days at most: then somebody looks at it again"),
        }
    }

    /// Whether it counts now.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now >= self.created_at && now < self.expires_at
    }

    /// Whether it counts now, and people should know that it soon will not.
    pub fn ends_soon(&self, now: Timestamp) -> bool {
        self.is_in_force(now) && self.expires_at.millis_since(now) <= Self::WARNED_MILLIS
    }

    /// Whether it is about what a playbook would do to the resource. Of a detection: whether it is about this one.
    fn is_about(&self, playbook: &str, detection: Option<&str>, resource: &Resource) -> bool {
        let Scope {
            playbook: of_playbook,
            detection: of_detection,
            account,
            resource: pattern,
        } = &self.scope;
        of_playbook.as_ref().is_none_or(|id| id == playbook)
            && of_detection
                .as_deref()
                .is_none_or(|id| Some(id) == detection)
            && account.as_ref().is_none_or(|id| *id == resource.account)
            && pattern
                .as_ref()
                .is_none_or(|pattern| pattern.matches(&resource.arn))
    }

    /// What people are told.
    fn words(&self) -> String {
        format!(
            "{} of {} excepts it until {}: {}",
            self.id, self.owner, self.expires_at, self.reason
        )
    }
}

/// People write their names with and without where they sit: `ann`, `Ann (command line)`.
fn same_person(a: &str, b: &str) -> bool {
    let name = |text: &str| {
        let text = text.split(" (").next().unwrap_or(text).trim();
        text.to_lowercase()
    };
    name(a) == name(b)
}

/// Why what a playbook would do to the resource is to be left undone: the words of the exceptions. When several detections were
/// made, every one of them has to be excepted, by whichever exceptions; otherwise the others still stand. Of the resource nothing but its ARN and its account
/// is looked at: tags are written by whoever holds the resource.
pub fn excepted(
    exceptions: &[Exception],
    now: Timestamp,
    playbook: &str,
    detections: &[&str],
    resource: &Resource,
) -> Option<String> {
    let in_force = exceptions.iter().filter(|e| e.is_in_force(now));
    let of = |detection: Option<&str>| {
        let mut about = in_force.clone();
        about.find(|e| e.is_about(playbook, detection, resource))
    };
    if detections.is_empty() {
        return of(None).map(Exception::words);
    }
    let each = detections.iter().map(|detection| of(Some(detection)));
    let mut each: Vec<&Exception> = each.collect::<Option<_>>()?;
    each.dedup_by(|a, b| a.id == b.id);
    let words: Vec<String> = each.into_iter().map(Exception::words).collect();
    Some(words.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3_600_000;

    fn day(days: i64) -> Timestamp {
        Timestamp::from_millis(days * DAY)
    }

    fn group() -> Resource {
        Resource::security_group("aws", "us-east-1", "444455556666", "sg-1")
    }

    fn exception(change: impl FnOnce(&mut Exception)) -> Exception {
        let mut exception = Exception {
            id: "exc-1".into(),
            owner: "web team".into(),
            reason: "a load test".into(),
            scope: Scope {
                playbook: Some("PB-008".into()),
                resource: Some(group().arn.to_string().parse().unwrap()),
                ..Scope::default()
            },
            approved_by: "ann (command line)".into(),
            created_at: day(0),
            expires_at: day(90),
            ended: None,
        };
        change(&mut exception);
        exception
    }

    fn said(exceptions: &[Exception], now: Timestamp, detections: &[&str]) -> Option<String> {
        excepted(exceptions, now, "PB-008", detections, &group())
    }

    #[test]
    fn it_counts_from_its_beginning_to_its_moment_and_not_when_it_was_ended() {
        let stands = [exception(|_| {})];
        let words = said(&stands, day(0), &["a"]).unwrap();
        assert_eq!(
            words,
            "exc-1 of web team excepts it until 1970-04-01T00:00:00.000Z: a load test"
        );
        let last = Timestamp::from_millis(90 * DAY - 1);
        assert!(said(&stands, last, &["a"]).is_some());
        assert_eq!(said(&stands, day(90), &["a"]), None);
        assert_eq!(said(&stands, Timestamp::from_millis(-1), &["a"]), None);
        let ended = exception(|e| {
            e.ended = Some(Ended {
                by: "bob".into(),
                at: day(1),
            });
        });
        assert_eq!(said(&[ended], day(2), &["a"]), None);
        assert!(!stands[0].ends_soon(day(82)) && stands[0].ends_soon(day(83)));
        assert!(!stands[0].ends_soon(day(90)));
    }

    #[test]
    fn each_part_of_the_scope_narrows_it() {
        type Change = fn(&mut Exception);
        let cases: [(Change, bool); 8] = [
            (|_| {}, true),
            (|e| e.scope.playbook = None, true),
            (|e| e.scope.playbook = Some("PB-003".into()), false),
            (|e| e.scope.account = Some("444455556666".into()), true),
            (|e| e.scope.account = Some("111122223333".into()), false),
            (|e| e.scope.detection = Some("a".into()), true),
            (|e| e.scope.detection = Some("b".into()), false),
            (
                |e| {
                    e.scope.resource = Some("arn:aws:ec2:*:*:security-group/sg-2*".parse().unwrap())
                },
                false,
            ),
        ];
        for (change, counts) in cases {
            let exception = exception(change);
            let scope = exception.scope.clone();
            assert_eq!(
                said(&[exception], day(1), &["a"]).is_some(),
                counts,
                "{scope:?}"
            );
        }
    }

    #[test]
    fn an_exception_of_one_detection_leaves_the_others_standing() {
        let of = |id: &str, detection: &str| {
            exception(|e| {
                e.id = id.into();
                e.scope.detection = Some(detection.into());
            })
        };
        let both = [of("exc-1", "a"), of("exc-2", "b")];
        assert!(said(&both[..1], day(1), &["a"]).is_some());
        assert_eq!(said(&both[..1], day(1), &["a", "b"]), None);
        let words = said(&both, day(1), &["a", "b"]).unwrap();
        assert!(
            words.contains("exc-1") && words.contains("exc-2"),
            "{words}"
        );
        // Of what was found nothing is known: an exception of a detection says nothing then.
        assert_eq!(said(&both, day(1), &[]), None);
    }

    #[test]
    fn what_nobody_may_except_is_refused() {
        type Change = fn(&mut Exception);
        let cases: [(Change, &str); 8] = [
            (|e| e.owner = " ".into(), "owner"),
            (|e| e.reason = String::new(), "reason"),
            (|e| e.owner = "Ann".into(), "does not approve"),
            (|e| e.scope.playbook = None, "playbook or a detection"),
            (|e| e.scope.resource = None, "account or a resource"),
            (|e| e.expires_at = e.created_at, "ends after"),
            (|e| e.expires_at = day(91), "90 days"),
            (|e| e.reason = "x".repeat(1001), "1000 characters"),
        ];
        assert_eq!(exception(|_| {}).check(), Ok(()));
        for (change, says) in cases {
            let error = exception(change).check().unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
