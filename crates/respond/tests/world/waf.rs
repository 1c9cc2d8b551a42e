//! WAF: IP sets. A case has `ipSets`, each as GetIPSet shows it with its `Scope`. `meanwhile` is who else is put on the set that is
//! written next, before that call comes: `["198.51.100.7/32"]`, one for each call.
//!
//! Whoever writes a set by the token `quell:lock-token` has just read it.

use std::collections::BTreeMap;

use quell_model::Call;
use serde_json::{Value, json};

use super::World;

/// What a recorded way back has for a token: it is read when the call is made.
pub const TOKEN_OF_NOW: &str = "quell:lock-token";

#[derive(Clone)]
pub struct Waf {
    sets: Vec<Value>,
    meanwhile: Vec<Value>,
    /// Who came that way.
    theirs: Vec<Value>,
    writes: BTreeMap<String, u32>,
}

impl Waf {
    pub fn of(case: &Value) -> Self {
        let list = |name: &str| case[name].as_array().cloned().unwrap_or_default();
        Self {
            sets: list("ipSets"),
            meanwhile: list("meanwhile"),
            theirs: Vec::new(),
            writes: BTreeMap::new(),
        }
    }

    fn token(&self, params: &Value) -> String {
        let id = params["Id"].to_string();
        format!("token-{}", self.writes.get(&id).unwrap_or(&0))
    }

    fn was_written(&mut self, params: &Value) {
        *self.writes.entry(params["Id"].to_string()).or_default() += 1;
    }

    fn find(&mut self, params: &Value) -> Result<&mut Value, String> {
        let mut sets = self.sets.iter_mut();
        let found = sets.find(|set| ["Name", "Id", "Scope"].iter().all(|m| set[m] == params[m]));
        found.ok_or_else(|| "Wafv2.WafNonexistentItemException: no such set".to_owned())
    }

    fn update(&mut self, params: &Value) -> Result<Value, String> {
        if let Some(other) = self.meanwhile.pop() {
            let set = self.find(params)?;
            set["Addresses"].as_array_mut().unwrap().push(other.clone());
            self.theirs.push(other);
            self.was_written(params);
        }
        let (given, token) = (&params["LockToken"], self.token(params));
        if *given != token.as_str() && *given != TOKEN_OF_NOW {
            return Err("Wafv2.WafOptimisticLockException: it was changed since".to_owned());
        }
        let set = self.find(params)?;
        let addresses = params["Addresses"].as_array().unwrap();
        assert!(addresses.iter().all(|a| a.as_str().unwrap().contains('/')));
        set["Addresses"] = params["Addresses"].clone();
        // What is not said again is gone.
        let shown = set.as_object_mut().unwrap();
        match params.get("Description") {
            Some(text) => drop(shown.insert("Description".to_owned(), text.clone())),
            None => drop(shown.remove("Description")),
        }
        self.was_written(params);
        Ok(json!({"NextLockToken": self.token(params)}))
    }
}

impl World for Waf {
    fn call(&mut self, call: &Call) -> Result<Value, String> {
        let params = &call.params;
        match call.operation.as_str() {
            "GetIPSet" => {
                let mut set = self.find(params)?.clone();
                let shown = set.as_object_mut().unwrap();
                shown.remove("Scope");
                // AWS leaves an empty list out of its answer.
                if shown["Addresses"] == json!([]) {
                    shown.remove("Addresses");
                }
                Ok(json!({"IpSet": set, "LockToken": self.token(params)}))
            }
            "UpdateIPSet" => self.update(params),
            other => panic!("the world knows no {other}"),
        }
    }

    /// Who came meanwhile is nobody's to take away: who is not there any more is lost.
    fn image(&self) -> Value {
        let mut sets = self.sets.clone();
        let mut lost = self.theirs.clone();
        for set in &mut sets {
            let addresses = set["Addresses"].as_array_mut().unwrap();
            lost.retain(|theirs| !addresses.contains(theirs));
            addresses.retain(|address| !self.theirs.contains(address));
            addresses.sort_by_key(Value::to_string);
        }
        json!({"sets": sets, "lost": lost})
    }

    /// Somebody describes the set in other words.
    fn meddle(&mut self, call: &Call) {
        self.was_written(&call.params);
        self.find(&call.params).unwrap()["Description"] = "theirs".into();
    }

    fn copy(&self) -> Box<dyn World> {
        Box::new(self.clone())
    }
}
