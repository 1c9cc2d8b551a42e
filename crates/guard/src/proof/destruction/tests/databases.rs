//! Databases and tables.

use super::*;

fn protect(on: bool) -> UndoCall {
    let arguments = json!({"DbInstanceIdentifier": "shop", "DeletionProtection": on, "ApplyImmediately": false});
    said(
        "rds:modifyDBInstance",
        arguments,
        "db/deletion-protection",
        json!(on),
    )
}

fn keep(days: u64) -> UndoCall {
    let arguments = json!({"DbInstanceIdentifier": "shop", "BackupRetentionPeriod": days, "ApplyImmediately": true});
    said(
        "rds:modifyDBInstance",
        arguments,
        "db/backup-retention-days",
        json!(days),
    )
}

fn backups(from: u64, to: u64) -> Trial {
    let before = json!({"db/deletion-protection": true, "db/backup-retention-days": from});
    let request = json!([{"event": "ModifyDBInstance", "at": "2026-11-21T10:00:00Z", "wanted": from, "days": to}]);
    Trial::new(database(), before, keep(to), Some(keep(from)))
        .fact("daysInForce", json!(7))
        .telling(request)
}

#[test]
fn a_database_is_protected_and_nothing_pending_goes_with_it() {
    let plan = || {
        Trial::new(
            database(),
            json!({"db/deletion-protection": false}),
            protect(true),
            Some(protect(false)),
        )
    };
    plan().holds();
    let mut waiting = plan();
    waiting.before["db/pending"] = json!(["EngineVersion"]);
    waiting.holds();
    plan()
        .argument("ApplyImmediately", json!(true))
        .refused("ApplyImmediately is");
    plan()
        .argument("EngineVersion", json!("17"))
        .refused("EngineVersion");
    plan()
        .argument("MasterUserPassword", json!("x"))
        .refused("MasterUserPassword");
    plan()
        .argument("DbInstanceIdentifier", json!("other"))
        .refused("DbInstanceIdentifier is");
    let off = Trial::new(
        database(),
        json!({"db/deletion-protection": true}),
        protect(false),
        Some(protect(true)),
    );
    off.refused("DeletionProtection is");
    let mut member = plan();
    member.before["db/cluster"] = json!("orders");
    member.refused("are the cluster's");
    for operation in [
        "deleteDBInstance",
        "rebootDBInstance",
        "modifyDBCluster",
        "modifyDBSnapshotAttribute",
    ] {
        let mut other = plan();
        other.call.resource = format!("arn:aws:states:::aws-sdk:rds:{operation}");
        other.refused("no call that saves");
    }
}

#[test]
fn backups_are_kept_for_longer_as_they_were_and_never_with_anything_pending() {
    backups(0, 7).holds();
    backups(1, 14).holds();
    backups(7, 7).refused("not be kept for longer");
    backups(14, 7).refused("not be kept for longer");
    backups(0, 36).refused("0 to 35");
    backups(0, 7)
        .telling(json!([]))
        .refused("not known to have been kept");
    backups(0, 7)
        .fact("historyIsWhole", json!(false))
        .refused("not known");
    let earlier = json!([{"event": "CreateDBInstance", "at": "2026-10-01T10:00:00Z", "days": 3, "pending": 5}]);
    backups(0, 7).telling(earlier.clone()).refused("not known");
    backups(0, 5).telling(earlier).holds();
    backups(0, 7)
        .fact("daysInForce", json!(0))
        .refused("class R2 at least");
    backups(0, 7)
        .fact("daysInForce", json!(0))
        .of_class(Class::R2)
        .holds();
    backups(0, 30)
        .approved(json!({"db/backup-retention-days": 30}))
        .holds();
    backups(0, 7)
        .approved(json!({"db/backup-retention-days": 30}))
        .refused("not known");
    let mut waiting = backups(0, 7);
    waiting.before["db/pending"] = json!(["EngineVersion"]);
    waiting.refused("EngineVersion");
    backups(0, 7)
        .argument("ApplyImmediately", json!(false))
        .refused("ApplyImmediately is");
}

#[test]
fn a_table_is_protected_and_recoverable_again_when_it_was() {
    let protect = |on: bool| {
        said(
            "dynamodb:updateTable",
            json!({"TableName": "carts", "DeletionProtectionEnabled": on}),
            "table/deletion-protection",
            json!(on),
        )
    };
    let plan = || {
        Trial::new(
            table(),
            json!({"table/deletion-protection": false}),
            protect(true),
            Some(protect(false)),
        )
    };
    plan().holds();
    plan()
        .argument("BillingMode", json!("PROVISIONED"))
        .refused("BillingMode");
    plan()
        .argument("TableName", json!("other"))
        .refused("TableName is");
    Trial::new(
        table(),
        json!({"table/deletion-protection": true}),
        protect(false),
        Some(protect(true)),
    )
    .refused("DeletionProtectionEnabled is");
    let recover = |days: u64| {
        let arguments = json!({"TableName": "carts", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true, "RecoveryPeriodInDays": days}});
        let there = said(
            "dynamodb:updateContinuousBackups",
            arguments,
            "table/recovery-days",
            json!(days),
        );
        let off = json!({"TableName": "carts", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": false}});
        let back = said(
            "dynamodb:updateContinuousBackups",
            off,
            "table/recovery-days",
            Value::Null,
        );
        Trial::new(table(), json!({}), there, Some(back))
    };
    let put = |at: &str, enabled: bool, days: u64| json!({"event": "UpdateContinuousBackups", "at": at, "enabled": enabled, "days": days});
    let (old, new) = (
        "2026-10-01T10:00:00Z",
        json!({"event": "UpdateContinuousBackups", "at": "2026-11-21T10:00:00Z", "enabled": false}),
    );
    recover(35).telling(json!([new])).holds();
    recover(14)
        .telling(json!([new, put(old, true, 14)]))
        .holds();
    recover(35)
        .telling(json!([new, put(old, true, 14)]))
        .refused("may only be");
    recover(35).refused("not known to have been on");
    recover(14)
        .telling(json!([new, put(old, false, 14)]))
        .refused("not known to have been on");
    recover(7)
        .approved(json!({"table/recovery-days": 7}))
        .holds();
    recover(7)
        .approved(json!({}))
        .refused("not known to have been on");
    let mut shortens = recover(7).approved(json!({"table/recovery-days": 7}));
    shortens.before = json!({"table/recovery-days": 35});
    shortens.refused("already");
}
