//! Systems Manager: documents and whom they are shared with.
//!
//! A case has `documents`: by name, whom each is shared with and in which version (`{"deploy": {"all": "$DEFAULT"}}`);
//! `pageSize` cuts answers into pages of that size.

use quell_model::Call;
use serde_json::{Map, Value, json};

use super::World;

/// Systems Manager takes so many accounts at once.
const ACCOUNTS_MAX: usize = 20;

#[derive(Clone)]
pub struct Ssm {
    documents: Map<String, Value>,
    page: usize,
}

impl Ssm {
    pub fn of(case: &Value) -> Self {
        Self {
            documents: case["documents"].as_object().cloned().unwrap_or_default(),
            page: case["pageSize"].as_u64().unwrap_or(200) as usize,
        }
    }

    fn shared(&mut self, params: &Value) -> Result<&mut Map<String, Value>, String> {
        assert_eq!(params["PermissionType"], "Share");
        let document = self.documents.get_mut(params["Name"].as_str().unwrap());
        let document = document.ok_or("Ssm.InvalidDocumentException: it does not exist")?;
        Ok(document.as_object_mut().unwrap())
    }

    fn describe(&mut self, params: &Value) -> Result<Value, String> {
        let page = self.page;
        let shared = self.shared(params)?;
        let from: usize = params["NextToken"]
            .as_str()
            .map_or(0, |t| t.parse().unwrap());
        let shown: Vec<_> = shared.iter().skip(from).take(page).collect();
        if shown.is_empty() {
            return Ok(json!({}));
        }
        let info = |(who, version): &(&String, &Value)| json!({"AccountId": who, "SharedDocumentVersion": version});
        let mut out = json!({
            "AccountIds": shown.iter().map(|(who, _)| who).collect::<Vec<_>>(),
            "AccountSharingInfoList": shown.iter().map(info).collect::<Vec<_>>(),
        });
        if from + shown.len() < shared.len() {
            out["NextToken"] = json!((from + shown.len()).to_string());
        }
        Ok(out)
    }

    fn modify(&mut self, params: &Value) -> Result<Value, String> {
        let list = |name: &str| params[name].as_array().cloned().unwrap_or_default();
        let (removed, added) = (list("AccountIdsToRemove"), list("AccountIdsToAdd"));
        let version = params.get("SharedDocumentVersion").cloned();
        assert!(removed.len() <= ACCOUNTS_MAX && added.len() <= ACCOUNTS_MAX);
        assert!(
            ![&removed, &added]
                .iter()
                .any(|l| l.len() > 1 && l.contains(&json!("all"))),
            "everybody is a call of their own"
        );
        let shared = self.shared(params)?;
        for who in removed {
            shared.remove(who.as_str().unwrap());
        }
        for who in added {
            let version = version.clone().unwrap_or(json!("$DEFAULT"));
            shared.insert(who.as_str().unwrap().to_owned(), version);
        }
        Ok(json!({}))
    }
}

impl World for Ssm {
    fn call(&mut self, call: &Call) -> Result<Value, String> {
        match call.operation.as_str() {
            "DescribeDocumentPermission" => self.describe(&call.params),
            "ModifyDocumentPermission" => self.modify(&call.params),
            other => panic!("the world knows no ssm:{other}"),
        }
    }

    fn image(&self) -> Value {
        self.documents.clone().into()
    }

    /// Somebody else lets another account in.
    fn meddle(&mut self, call: &Call) {
        if let Ok(shared) = self.shared(&call.params) {
            shared.insert("999988887777".to_owned(), json!("$DEFAULT"));
        }
    }

    fn copy(&self) -> Box<dyn World> {
        Box::new(self.clone())
    }
}
