//! From a session to who began it.

use quell_model::{Hop, Initiator, Timestamp};

use super::{Caller, Links, Session, Somebody};

/// A way from a call back to who began the sessions. It asks for the links of one session after another.
#[derive(Clone, Debug)]
pub struct Walk {
    /// The session whose links are wanted, and when it was used.
    at: Session,
    used: Timestamp,
    hops: Vec<Hop>,
}

/// What a walk says.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The links of this session are wanted.
    Wants(Session),
    /// This one began it.
    Found(Initiator),
    /// How this session came to be is not known, or not yet.
    Unknown(Session),
    /// Nobody of whom one could know more: another account's principal, or a chain that is too long.
    Nobody,
}

impl Walk {
    /// Begins at who made a call at a moment.
    pub fn from(caller: Caller, used: Timestamp) -> Result<Walk, Step> {
        match caller {
            Caller::Somebody(somebody) => Err(Step::Found(initiator(somebody, Vec::new()))),
            Caller::Foreign { .. } => Err(Step::Nobody),
            Caller::Session(at) => Ok(Walk {
                at,
                used,
                hops: Vec::new(),
            }),
        }
    }

    /// The session whose links are wanted.
    pub fn wants(&self) -> &Session {
        &self.at
    }

    /// Goes on with the links of the session that was wanted.
    pub fn next(&mut self, links: Option<&Links>) -> Step {
        let Some(link) = links.and_then(|links| links.of(&self.at, self.used)) else {
            return Step::Unknown(self.at.clone());
        };
        self.hops.push(Hop {
            session: link.session.arn.clone(),
            call: link.call.clone(),
            time: link.time,
            record: link.record.clone(),
        });
        match &link.parent {
            Caller::Somebody(somebody) => {
                let mut hops = std::mem::take(&mut self.hops);
                hops.reverse();
                Step::Found(initiator(somebody.clone(), hops))
            }
            // A session is not made before its parent; where all are of one second, the bound ends it.
            Caller::Session(parent)
                if self.hops.len() < Initiator::HOPS_MAX
                    && parent.created <= link.time.seconds() =>
            {
                self.used = link.time;
                self.at = parent.clone();
                Step::Wants(parent.clone())
            }
            Caller::Session(_) => Step::Nobody,
            // The other account's record may still come.
            Caller::Foreign { .. } => Step::Unknown(self.at.clone()),
        }
    }
}

fn initiator(somebody: Somebody, hops: Vec<Hop>) -> Initiator {
    let Somebody {
        kind,
        id,
        label,
        account,
    } = somebody;
    Initiator {
        kind,
        id,
        label,
        account,
        hops,
    }
}
