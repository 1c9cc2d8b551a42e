//! Who may take a role. A person decides on it in production, always: the way of whole systems into an account may hang on it.

use quell_model::Class;
use serde_json::Value;

use super::{Look, Target, approved, policy_in};
use crate::policies::{DOCUMENT_BYTES_MAX, Document, keeps_conditioned, narrows};
use crate::proof::Unproven;
use crate::proof::attributes::{Asked, Deed, Way, no};

/// Another trust policy.
pub(super) fn put(asked: &Asked<'_>, target: &Target<'_>) -> Result<Look, Unproven> {
    asked.only(&["RoleName", "PolicyDocument"])?;
    target.is_named(asked)?;
    let key = target.attribute("trust");
    if asked.way == Way::Back {
        // As it was, to the letter: it need not be understood.
        let text = asked.text("PolicyDocument")?;
        let said: Option<Value> = serde_json::from_str(text).ok();
        let said = said.filter(|_| text.len() <= DOCUMENT_BYTES_MAX);
        let said = said.ok_or_else(|| no("PolicyDocument is no policy"))?;
        return Ok(Look::sure(Deed::setting(key, said).of_class(Class::R2)));
    }
    let (said, after) = policy_in(asked, "PolicyDocument")?;
    let is = asked.image.get(&key).filter(|is| **is != said);
    let is = is.ok_or_else(|| no("the trust policy is so already"))?;
    let before =
        Document::of(is).map_err(|e| no(format!("the trust policy cannot be read: {e}")))?;
    let wanted = approved(asked.claim).and_then(|all| all.get(&key));
    let doubts = match wanted {
        Some(wanted) if *wanted == said => match narrows(&before, &after) {
            Ok(()) => Vec::new(),
            Err(more) => vec![format!(
                "the approved trust policy goes further in part: {more}"
            )],
        },
        Some(_) => return Err(no("nobody approved this trust policy")),
        None => {
            narrows(&before, &after)
                .map_err(|more| no(format!("more could take the role: {more}")))?;
            keeps_conditioned(&before, &after).map_err(|e| no(e.to_string()))?;
            vec![format!(
                "whoever is let in to {} from outside may be meant to be",
                target.name
            )]
        }
    };
    let look = Look::with(Deed::setting(key, said), doubts);
    Ok(Look {
        deed: look.deed.of_class(Class::R2),
        ..look
    })
}
