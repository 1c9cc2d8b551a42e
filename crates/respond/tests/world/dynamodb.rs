//! DynamoDB: one table. A case has `table` (`null` is one that is gone) with `protected`, `recoveryDays` (absent when the recovery to any
//! moment is off) and perhaps `status`. `denied` lists operations that are refused.

use quell_model::Call;
use serde_json::{Value, json};

use super::World;

#[derive(Clone)]
pub struct DynamoDb {
    table: Option<Table>,
    denied: Vec<Value>,
}

#[derive(Clone)]
struct Table {
    protected: bool,
    recovery_days: Option<u64>,
    status: String,
}

impl DynamoDb {
    pub fn of(case: &Value) -> Self {
        let table = case["table"].as_object().map(|table| Table {
            protected: table["protected"].as_bool().unwrap(),
            recovery_days: table.get("recoveryDays").and_then(Value::as_u64),
            status: table
                .get("status")
                .and_then(Value::as_str)
                .unwrap_or("ACTIVE")
                .to_owned(),
        });
        let denied = case["denied"].as_array().cloned().unwrap_or_default();
        Self { table, denied }
    }
}

impl Table {
    fn recovery(&self) -> Value {
        match self.recovery_days {
            Some(days) => {
                json!({"PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": days})
            }
            None => json!({"PointInTimeRecoveryStatus": "DISABLED"}),
        }
    }

    fn call(&mut self, call: &Call) -> Value {
        match call.operation.as_str() {
            "DescribeTable" => {
                json!({"Table": {"TableName": call.params["TableName"], "TableStatus": self.status, "DeletionProtectionEnabled": self.protected}})
            }
            "DescribeContinuousBackups" => {
                json!({"ContinuousBackupsDescription": {"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": self.recovery()}})
            }
            "UpdateTable" => {
                self.protected = call.params["DeletionProtectionEnabled"].as_bool().unwrap();
                json!({})
            }
            "UpdateContinuousBackups" => {
                let wanted = &call.params["PointInTimeRecoverySpecification"];
                let is_on = wanted["PointInTimeRecoveryEnabled"].as_bool().unwrap();
                let days = wanted["RecoveryPeriodInDays"].as_u64().unwrap_or(35);
                self.recovery_days = is_on.then_some(days);
                json!({})
            }
            other => panic!("the world knows no dynamodb:{other}"),
        }
    }
}

impl World for DynamoDb {
    fn call(&mut self, call: &Call) -> Result<Value, String> {
        if self.denied.contains(&json!(call.operation)) {
            return Err("DynamoDb.DynamoDbException: not authorized".to_owned());
        }
        match &mut self.table {
            Some(table) => Ok(table.call(call)),
            None => {
                Err("DynamoDb.ResourceNotFoundException: Requested resource not found".to_owned())
            }
        }
    }

    fn image(&self) -> Value {
        let table = self.table.as_ref();
        json!(table.map(|t| json!({"protected": t.protected, "recoveryDays": t.recovery_days})))
    }

    /// Somebody else changes for how long it can be recovered; when that is what the call is about, its protection.
    fn meddle(&mut self, call: &Call) {
        let table = self.table.as_mut().unwrap();
        match call.operation.as_str() {
            "UpdateContinuousBackups" => table.protected = !table.protected,
            _ => table.recovery_days = Some(table.recovery_days.unwrap_or(0) + 1),
        }
    }

    fn copy(&self) -> Box<dyn World> {
        Box::new(self.clone())
    }
}
