//! Whom a snapshot or an image is shared with. Of each grant there is one, whoever asks how often.

use serde_json::{Value, json};

use super::{Answer, Ec2, find, no, only};

/// The member in which a thing keeps its grants, and the one that has its id.
const OF_SNAPSHOT: [&str; 2] = ["CreateVolumePermissions", "SnapshotId"];
const OF_IMAGE: [&str; 2] = ["LaunchPermissions", "ImageId"];

/// Who else is let in when somebody meddles.
const MEDDLER: &str = "999988887777";

/// What is shared with this one is shared with nobody else's word for it.
pub(super) fn change(grants: &mut Vec<Value>, who: &Value, adds: bool) {
    grants.retain(|known| known != who);
    if adds {
        grants.push(who.clone());
    }
}

pub(super) fn grants<'a>(thing: &'a mut Value, member: &str) -> &'a mut Vec<Value> {
    if thing.get(member).is_none() {
        thing[member] = json!([]);
    }
    thing[member].as_array_mut().unwrap()
}

impl Ec2 {
    /// Only what a case says is shared, or was: snapshots that a run takes are kept on purpose.
    pub(super) fn sharing_image(&self) -> Value {
        let of = |all: &[Value], [member, id]: [&str; 2]| {
            let shared = all.iter().filter(|thing| thing.get(member).is_some());
            let shared = shared.map(|thing| {
                let mut texts: Vec<String> = thing[member]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(Value::to_string)
                    .collect();
                texts.sort();
                json!([thing[id], texts])
            });
            Value::from_iter(shared)
        };
        json!([of(&self.snapshots, OF_SNAPSHOT), of(&self.images, OF_IMAGE)])
    }

    /// Snapshots without whom they are shared with, which is in the image.
    pub(super) fn kept_snapshots(&self) -> Vec<Value> {
        let mut kept = self.snapshots.clone();
        for snapshot in &mut kept {
            snapshot.as_object_mut().unwrap().remove(OF_SNAPSHOT[0]);
        }
        kept
    }

    /// Somebody else lets another account in.
    pub(super) fn share_more(&mut self) -> bool {
        let things = [
            (&mut self.snapshots, OF_SNAPSHOT),
            (&mut self.images, OF_IMAGE),
        ];
        for (all, [member, _]) in things {
            if let Some(thing) = all.iter_mut().find(|thing| thing.get(member).is_some()) {
                grants(thing, member).push(json!({"UserId": MEDDLER}));
                return true;
            }
        }
        false
    }

    /// The owner's, by id, as EC2 shows them: without their attributes.
    pub(super) fn owned(&self, name: &str, params: &Value) -> Answer {
        let (all, [member, id], filter, owners) = match name {
            "Snapshots" => (&self.snapshots, OF_SNAPSHOT, "snapshot-id", "OwnerIds"),
            _ => (&self.images, OF_IMAGE, "image-id", "Owners"),
        };
        let found = super::filtered(all, params, |thing, named| {
            assert_eq!(named, filter);
            vec![thing[id].clone()]
        });
        let owner = |thing: &Value| {
            thing
                .get("OwnerId")
                .cloned()
                .unwrap_or(json!("444455556666"))
        };
        let asked = params[owners].as_array().unwrap();
        let shown = found
            .into_iter()
            .filter(|thing| asked.contains(&owner(thing)));
        let shown = shown.map(|mut thing| {
            thing.as_object_mut().unwrap().remove(member);
            thing.as_object_mut().unwrap().remove("ProductCodes");
            thing
        });
        self.all(name, &shown.collect::<Vec<_>>(), params)
    }

    fn shared(&mut self, [member, id]: [&str; 2], params: &Value) -> Result<&mut Value, String> {
        let all = match member {
            "LaunchPermissions" => &mut self.images,
            _ => &mut self.snapshots,
        };
        find(all, id, &params[id], "it does not exist")
    }

    fn attribute(&mut self, of: [&str; 2], params: &Value) -> Answer {
        only(params, &[of[1], "Attribute"]);
        let thing = self.shared(of, params)?;
        let member = match params["Attribute"].as_str().unwrap() {
            "productCodes" => "ProductCodes",
            "createVolumePermission" | "launchPermission" => of[0],
            other => panic!("the world knows no attribute {other}"),
        };
        let mut out = json!({of[1]: params[of[1]]});
        // AWS leaves an empty list out of its answer.
        if let Some(value) = thing.get(member).filter(|v| **v != json!([])) {
            out[member] = value.clone();
        }
        Ok(out)
    }

    pub(super) fn snapshot_attribute(&mut self, params: &Value) -> Answer {
        self.attribute(OF_SNAPSHOT, params)
    }

    pub(super) fn image_attribute(&mut self, params: &Value) -> Answer {
        self.attribute(OF_IMAGE, params)
    }

    pub(super) fn share_snapshot(&mut self, params: &Value) -> Answer {
        only(
            params,
            &[
                "SnapshotId",
                "Attribute",
                "OperationType",
                "GroupNames",
                "UserIds",
            ],
        );
        assert_eq!(params["Attribute"], "createVolumePermission");
        let adds = params["OperationType"] == "add";
        let blocked = self.sharing_blocked;
        let snapshot = self.shared(OF_SNAPSHOT, params)?;
        for (list, kind) in [("GroupNames", "Group"), ("UserIds", "UserId")] {
            for who in params[list].as_array().into_iter().flatten() {
                if adds && blocked && kind == "Group" {
                    return Err(no("Blocked by the block public access settings"));
                }
                change(grants(snapshot, OF_SNAPSHOT[0]), &json!({kind: who}), adds);
            }
        }
        Ok(json!({}))
    }

    pub(super) fn share_image(&mut self, params: &Value) -> Answer {
        only(params, &["ImageId", "LaunchPermission"]);
        only(&params["LaunchPermission"], &["Add", "Remove"]);
        let image = self.shared(OF_IMAGE, params)?;
        for (list, adds) in [("Remove", false), ("Add", true)] {
            for who in params["LaunchPermission"][list]
                .as_array()
                .into_iter()
                .flatten()
            {
                change(grants(image, OF_IMAGE[0]), who, adds);
            }
        }
        Ok(json!({}))
    }
}
