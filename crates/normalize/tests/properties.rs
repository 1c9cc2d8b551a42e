//! Whatever is sent, the splitter answers: nothing is lost unsaid, and nothing brings it down.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use proptest::prelude::*;
use quell_normalize::split;
use serde_json::{Value, json};

fn record() -> impl Strategy<Value = Value> {
    (any::<u16>(), "[a-zA-Z\\PC]{1,12}", any::<i64>())
        .prop_map(|(id, name, n)| json!({"eventID": format!("e-{id}"), "recipientAccountId": "111122223333", "eventName": name, "n": n}))
}

proptest! {
    #[test]
    fn any_bytes_give_records_or_a_reason(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let out = split(&bytes);
        prop_assert!(!out.records.is_empty() || !out.faults.is_empty());
    }

    #[test]
    fn a_cut_file_never_gives_more_than_it_held(records in prop::collection::vec(record(), 1..5), cut in 0.0..1.0_f64) {
        let whole = json!({"Records": records}).to_string();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a short text")]
        let at = (whole.len() as f64 * cut) as usize;
        let out = split(&whole.as_bytes()[..at]);
        prop_assert!(out.records.is_empty() && out.faults.len() == 1, "{:?}", out.faults);
    }

    #[test]
    fn every_form_holds_the_same_records(records in prop::collection::vec(record(), 1..6)) {
        let lines: String = records.iter().map(|r| format!("{r}\n")).collect();
        let events: String = records.iter().map(|r| format!("{}\n", json!({"detail-type": "t", "source": "s", "detail": r}))).collect();
        let ids = |text: &str| split(text.as_bytes()).records.into_iter().map(|r| r.id).collect::<Vec<_>>();
        let wanted = ids(&json!({"Records": records}).to_string());
        prop_assert_eq!(wanted.len(), records.len());
        prop_assert_eq!(&ids(&lines), &wanted);
        prop_assert_eq!(&ids(&events), &wanted);
    }
}
