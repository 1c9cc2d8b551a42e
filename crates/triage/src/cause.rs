//! What makes findings one incident.

use quell_model::{Finding, Incident, Timestamp};

/// A principal that was quiet for so long is looked into anew.
const QUIET_MILLIS_MAX: i64 = 4 * 60 * 60 * 1000;
/// A principal that is never quiet still gives an incident a day, not one for ever.
const SPAN_MILLIS_MAX: i64 = 24 * 60 * 60 * 1000;

/// What kind of trouble findings are, as far as content says.
#[derive(Clone, Copy, Debug)]
pub struct Trouble<'a> {
    /// The category of the reports: `Unauthorized Access`, `Impact`, …
    pub category: &'a str,
    /// Whether a playbook is for it, whatever its severity: that groups it.
    pub answered: Answered,
    /// Whether one begins for it: then it is never weak.
    pub begins: bool,
}

/// Whether a playbook is for it, and what that is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// None does.
    No,
    /// One that is about the resource.
    Resource,
    /// One that is about who did it.
    Principal,
}

/// What groups findings into one incident.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The same kind of trouble on the same resource, for as long as it lasts.
    Resource(String),
    /// The same principal, in one stretch of activity.
    Principal(String),
}

impl Cause {
    /// The cause of a finding: what a playbook answers that is about the resource belongs to the resource; everything else
    /// to whoever did it, who is looked into as a whole.
    pub fn of(trouble: Trouble<'_>, finding: &Finding) -> Self {
        match trouble.answered {
            Answered::Resource => {
                Self::Resource(format!("{}|{}", trouble.category, finding.resource.arn))
            }
            Answered::Principal | Answered::No => Self::of_principal(finding),
        }
    }

    /// The cause of a finding that belongs to whoever did it.
    ///
    /// A service that acts for AWS is nobody to look into: what it did is grouped by the resource. So is what AWS's own
    /// detectors say, but of what they say of a user or a role: that belongs to what Quell's own detections say of them.
    fn of_principal(finding: &Finding) -> Self {
        let (actor, principal) = (&finding.actor, &finding.principal);
        if finding.report.is_some() {
            let arn = &finding.resource.arn;
            return match finding.resource.kind.as_str() {
                "AWS::IAM::User" | "AWS::IAM::Role" => Self::Principal(format!("principal|{arn}")),
                _ => Self::Resource(format!("reported|{arn}")),
            };
        }
        if actor.kind == "AWSService" {
            return Self::Resource(format!("service|{}", finding.resource.arn));
        }
        // Who began it is one and the same in every account that it reached; a user who calls directly began it too.
        if let Some(initiator) = &finding.initiator {
            return Self::Principal(format!("principal|{}", initiator.id));
        }
        // Who signed in elsewhere is in no ARN of the account: the id tells one person from another.
        let outside = principal.kind == "AWS::::Account" && actor.kind != "Root";
        let person = actor.principal_id.as_deref().filter(|_| outside);
        Self::Principal(match person {
            Some(person) => format!("principal|{}|{person}", principal.arn),
            None => format!("principal|{}", principal.arn),
        })
    }

    /// The key that an incident of this cause has.
    pub fn key(&self) -> &str {
        match self {
            Self::Resource(key) | Self::Principal(key) => key,
        }
    }

    /// The moment since which findings belong to what happens `at`; `None` when they always do.
    pub fn since(&self, at: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Resource(_) => None,
            Self::Principal(_) => Some(Timestamp::from_millis(at.millis() - QUIET_MILLIS_MAX)),
        }
    }

    /// Whether an incident of this cause takes what happened `at`.
    pub fn takes(&self, incident: &Incident, at: Timestamp) -> bool {
        match self {
            Self::Resource(_) => true,
            Self::Principal(_) => {
                let (first, last) = (
                    incident.first_event_at.millis(),
                    incident.last_event_at.millis(),
                );
                let at = at.millis();
                let near = at >= first - QUIET_MILLIS_MAX && at <= last + QUIET_MILLIS_MAX;
                near && last.max(at) - first.min(at) <= SPAN_MILLIS_MAX
            }
        }
    }
}
