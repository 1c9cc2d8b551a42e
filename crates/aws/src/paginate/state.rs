//! How far the pages have come: what to ask next, and what a page says of the one after it. No calls are made here.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::Value;

use super::{PageError, PageLimits};
use crate::error::AwsError;
use crate::jmes;
use crate::model::Paginator;
use crate::output::{Output, Part};

/// The names of a next page, one for each input token; `null` for one that is not to be given.
type Tokens = Vec<Value>;

pub(super) struct Paging {
    service: String,
    operation: String,
    paginator: &'static Paginator,
    /// Of the next call.
    params: Value,
    pages_max: usize,
    items_max: Option<usize>,
    pages: usize,
    items: usize,
    /// No other page is to be asked for. So it stays when a page fails.
    is_done: bool,
    has_more: bool,
    /// The names of all pages so far.
    seen: HashSet<String>,
}

impl Paging {
    pub(super) fn new(
        service: &str,
        operation: &str,
        paginator: &'static Paginator,
        params: &Value,
        limits: &PageLimits,
    ) -> Self {
        Self {
            service: service.to_owned(),
            operation: operation.to_owned(),
            paginator,
            params: params.clone(),
            pages_max: limits.pages_max,
            items_max: limits.items_max,
            pages: 0,
            items: 0,
            is_done: limits.items_max == Some(0),
            has_more: limits.items_max == Some(0),
            seen: HashSet::new(),
        }
    }

    pub(super) fn operation(&self) -> &str {
        &self.operation
    }

    pub(super) fn params(&self) -> &Value {
        &self.params
    }

    pub(super) fn has_more(&self) -> bool {
        self.has_more
    }

    pub(super) fn too_late(&self, time_max: Duration) -> PageError {
        PageError::TooLate {
            operation: self.operation.clone(),
            page: self.pages + 1,
            time_max,
        }
    }

    /// Whether another page is to be asked for.
    pub(super) fn begin_page(&mut self) -> Result<bool, PageError> {
        if std::mem::replace(&mut self.is_done, true) {
            return Ok(false);
        }
        if self.pages >= self.pages_max {
            return Err(PageError::TooMany {
                operation: self.operation.clone(),
                pages_max: self.pages_max,
            });
        }
        Ok(true)
    }

    /// Takes a page, cuts it to what is wanted, and finds out what to ask next.
    pub(super) fn take_page(&mut self, page: &mut Output<'_>) -> Result<(), PageError> {
        self.pages += 1;
        let tokens = self.tokens(page)?;
        let was_cut = self.cut(page);
        let is_enough = self.items_max.is_some_and(|max| self.items >= max);
        self.has_more = was_cut || (is_enough && tokens.is_some());
        match tokens {
            Some(tokens) if !is_enough => self.go_on(tokens),
            _ => Ok(()),
        }
    }

    /// The names of the next page; `None` when this is the last.
    fn tokens(&self, page: &Output<'_>) -> Result<Option<Tokens>, PageError> {
        let find = |path: &String| {
            let found = jmes::find(path, page);
            found.map_err(|what| AwsError::Model {
                service: self.service.clone(),
                what,
            })
        };
        let says_more = match &self.paginator.more_results {
            Some(path) => Some(!jmes::is_nothing(&find(path)?)),
            None => None,
        };
        if says_more == Some(false) {
            return Ok(None);
        }
        let mut tokens = Tokens::new();
        for path in &self.paginator.output_token {
            let token = find(path)?;
            tokens.push(if jmes::is_nothing(&token) {
                Value::Null
            } else {
                token
            });
        }
        if tokens.iter().any(|token| !token.is_null()) {
            return Ok(Some(tokens));
        }
        match says_more {
            Some(_) => Err(PageError::NoToken {
                operation: self.operation.clone(),
                page: self.pages,
            }),
            None => Ok(None),
        }
    }

    /// Puts the names into the parameters of the next call.
    fn go_on(&mut self, tokens: Tokens) -> Result<(), PageError> {
        if !self.seen.insert(Value::from(tokens.clone()).to_string()) {
            return Err(PageError::Repeats {
                operation: self.operation.clone(),
                page: self.pages,
            });
        }
        if self.params.is_null() {
            self.params = Value::Object(serde_json::Map::new());
        }
        // The call was answered, so the parameters are an object.
        if let Value::Object(params) = &mut self.params {
            for (name, token) in self.paginator.input_token.iter().zip(tokens) {
                params.insert(name.clone(), token);
            }
        }
        self.is_done = false;
        Ok(())
    }

    /// Counts the items of the main result, and cuts off those that are not wanted. Whether there were any.
    fn cut(&mut self, page: &mut Output<'_>) -> bool {
        let Some(place) = self.main_result() else {
            return false;
        };
        let items = page.pointer(&place).map_or(0, |list| list.items().count());
        let wanted = self.items_max.map_or(items, |max| max - self.items);
        page.truncate(&place, wanted);
        self.items += items.min(wanted);
        items > wanted
    }

    /// Where the items of a page are, as a JSON pointer.
    fn main_result(&self) -> Option<String> {
        jmes::pointer(self.paginator.result_key.first()?)
    }

    /// The items of a page's main result.
    pub(super) fn items_of(&self, page: &Output<'_>) -> Vec<Value> {
        let place = self.main_result();
        let results = place.and_then(|place| page.pointer(&place));
        match results {
            Some(list) if list.is_list() => list.items().map(Part::to_json).collect(),
            // A text in pieces, such as a database's log: each piece is an item.
            Some(piece) if !piece.is_null() => vec![piece.to_json()],
            _ => Vec::new(),
        }
    }

    /// Adds a page's results to those of the pages before.
    pub(super) fn add(&self, all: &mut Value, mut page: Value) {
        for key in &self.paginator.result_key {
            let more = result_mut(&mut page, key).map(Value::take);
            match (result_mut(all, key), more) {
                (_, None | Some(Value::Null)) => {}
                (Some(all), Some(more)) => join(all, more),
                // The first pages had none of this kind.
                (None, Some(more)) => put(all, key, more),
            }
        }
    }

    /// Takes the names of next pages out of an answer that is all pages.
    pub(super) fn drop_tokens(&self, all: &mut Value) {
        let Value::Object(members) = all else { return };
        let more = self.paginator.more_results.iter();
        for key in self.paginator.output_token.iter().chain(more) {
            members.remove(key);
        }
    }
}

/// Where a page has the results of a key, which is a chain of names.
fn result_mut<'a>(page: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    page.pointer_mut(&jmes::pointer(key)?)
}

fn join(all: &mut Value, more: Value) {
    match (all, more) {
        (Value::Array(all), Value::Array(more)) => all.extend(more),
        (Value::String(all), Value::String(more)) => all.push_str(&more),
        (all @ Value::Number(_), Value::Number(more)) => {
            let sum = all.as_i64().zip(more.as_i64());
            if let Some(sum) = sum.and_then(|(a, b)| a.checked_add(b)) {
                *all = sum.into();
            }
        }
        (all, more) if all.is_null() => *all = more,
        // No result is of another type.
        _ => {}
    }
}

/// Puts a value where a chain of names says, making the objects on the way.
fn put(all: &mut Value, key: &str, value: Value) {
    let mut place = all;
    for name in key.split('.') {
        if place.is_null() {
            *place = Value::Object(serde_json::Map::new());
        }
        let Value::Object(members) = place else {
            return;
        };
        place = members.entry(name).or_insert(Value::Null);
    }
    *place = value;
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn paging(service: &str, operation: &str, params: Value, limits: &PageLimits) -> Paging {
        let model = crate::registry::service(service).unwrap();
        let paginator = model.paginators.get(operation).unwrap();
        Paging::new(service, operation, paginator, &params, limits)
    }

    /// Begins and takes a page; whether there was one to take.
    fn page(paging: &mut Paging, page: Value) -> Result<Option<Value>, PageError> {
        if !paging.begin_page()? {
            return Ok(None);
        }
        let mut page = Output::from(&page);
        paging.take_page(&mut page)?;
        Ok(Some(page.to_json()))
    }

    fn all(paging: &mut Paging, pages: Vec<Value>) -> Value {
        let mut whole = Value::Null;
        for answer in pages {
            let answer = page(paging, answer).unwrap().unwrap();
            if whole.is_null() {
                whole = answer;
            } else {
                paging.add(&mut whole, answer);
            }
        }
        assert!(!paging.begin_page().unwrap(), "there is no other page");
        paging.drop_tokens(&mut whole);
        whole
    }

    #[test]
    fn one_token_leads_to_the_next_page_and_none_ends_it() {
        let params = json!({"MaxResults": 5});
        let mut paging = paging("ec2", "DescribeInstances", params, &PageLimits::default());
        let first = json!({"Reservations": [{"ReservationId": "r-1"}], "NextToken": "t1"});
        page(&mut paging, first).unwrap().unwrap();
        let wanted = json!({"MaxResults": 5, "NextToken": "t1"});
        assert_eq!(*paging.params(), wanted);
        let last = json!({"Reservations": [{"ReservationId": "r-2"}], "NextToken": ""});
        page(&mut paging, last).unwrap().unwrap();
        assert!(page(&mut paging, json!({})).unwrap().is_none());
        assert!(!paging.has_more());
    }

    #[test]
    fn several_tokens_go_together_and_one_that_is_gone_is_not_sent_again() {
        let limits = PageLimits::default();
        let mut paging = paging("route53", "ListResourceRecordSets", json!({}), &limits);
        let first = json!({"IsTruncated": true, "NextRecordName": "a", "NextRecordType": "A",
            "NextRecordIdentifier": "i", "ResourceRecordSets": []});
        page(&mut paging, first).unwrap();
        let second = json!({"IsTruncated": true, "NextRecordName": "b", "NextRecordType": "A",
            "ResourceRecordSets": []});
        page(&mut paging, second).unwrap();
        let wanted =
            json!({"StartRecordName": "b", "StartRecordType": "A", "StartRecordIdentifier": null});
        assert_eq!(*paging.params(), wanted);
        // Tokens mean nothing once the answer says that it is whole.
        let last = json!({"IsTruncated": false, "NextRecordName": "c", "ResourceRecordSets": []});
        page(&mut paging, last).unwrap();
        assert!(!paging.begin_page().unwrap());
    }

    #[test]
    fn a_token_may_be_the_last_key_or_an_object() {
        let limits = PageLimits::default();
        let mut objects = paging("s3", "ListObjects", json!({"Bucket": "b"}), &limits);
        let first = json!({"IsTruncated": true, "Contents": [{"Key": "k1"}, {"Key": "k2"}]});
        page(&mut objects, first).unwrap();
        assert_eq!(objects.params()["Marker"], "k2");
        let mut scan = paging("dynamodb", "Scan", json!({"TableName": "t"}), &limits);
        let key = json!({"pk": {"S": "a"}});
        page(&mut scan, json!({"Items": [], "LastEvaluatedKey": key})).unwrap();
        assert_eq!(scan.params()["ExclusiveStartKey"], key);
        let mut shards = paging("kinesis", "DescribeStream", json!({}), &limits);
        let first =
            json!({"StreamDescription": {"HasMoreShards": true, "Shards": [{"ShardId": "s"}]}});
        page(&mut shards, first).unwrap();
        assert_eq!(shards.params()["ExclusiveStartShardId"], "s");
    }

    #[test]
    fn a_token_that_comes_again_ends_it_at_once_and_for_good() {
        let limits = PageLimits::default();
        let mut users = paging("iam", "ListUsers", Value::Null, &limits);
        for marker in ["a", "b"] {
            page(
                &mut users,
                json!({"Users": [], "IsTruncated": true, "Marker": marker}),
            )
            .unwrap();
        }
        let again = json!({"Users": [], "IsTruncated": true, "Marker": "a"});
        let error = page(&mut users, again).unwrap_err();
        assert!(
            matches!(error, PageError::Repeats { page: 3, .. }),
            "{error}"
        );
        assert!(!users.begin_page().unwrap());
    }

    #[test]
    fn more_without_a_name_is_an_error_and_so_are_too_many_pages() {
        let limits = PageLimits {
            pages_max: 1,
            ..PageLimits::default()
        };
        let mut users = paging("iam", "ListUsers", json!({}), &limits);
        let nameless = json!({"Users": [], "IsTruncated": true});
        let error = page(&mut users, nameless).unwrap_err();
        assert!(
            matches!(error, PageError::NoToken { page: 1, .. }),
            "{error}"
        );
        let mut users = paging("iam", "ListUsers", json!({}), &limits);
        page(&mut users, json!({"IsTruncated": true, "Marker": "m"})).unwrap();
        let error = page(&mut users, json!({})).unwrap_err();
        assert!(
            matches!(error, PageError::TooMany { pages_max: 1, .. }),
            "{error}"
        );
    }

    #[test]
    fn no_more_items_than_wanted_are_given_and_it_says_that_there_are_more() {
        let limits = PageLimits {
            items_max: Some(3),
            ..PageLimits::default()
        };
        let mut users = paging("iam", "ListUsers", json!({}), &limits);
        let two = |marker| json!({"Users": [1, 2], "IsTruncated": true, "Marker": marker});
        page(&mut users, two("a")).unwrap();
        assert!(!users.has_more());
        let cut = page(&mut users, two("b")).unwrap().unwrap();
        assert_eq!(cut["Users"], json!([1]));
        assert!(users.has_more() && !users.begin_page().unwrap());

        let mut exactly = paging("iam", "ListUsers", json!({}), &limits);
        let three = json!({"Users": [1, 2, 3], "IsTruncated": false});
        page(&mut exactly, three).unwrap();
        assert!(!exactly.has_more() && !exactly.begin_page().unwrap());
    }

    #[test]
    fn all_pages_are_one_answer() {
        let limits = PageLimits::default();
        let mut distributions = paging("cloudfront", "ListDistributions", json!({}), &limits);
        let list = |id: &str, more: bool| {
            json!({"DistributionList": {"Items": [{"Id": id}],
            "IsTruncated": more, "NextMarker": id}})
        };
        let whole = all(&mut distributions, vec![list("a", true), list("b", false)]);
        assert_eq!(
            whole["DistributionList"]["Items"],
            json!([{"Id": "a"}, {"Id": "b"}])
        );
        let mut query = paging("dynamodb", "Query", json!({}), &limits);
        let pages = vec![
            json!({"Items": [1], "Count": 1, "ScannedCount": 5, "LastEvaluatedKey": {"k": {"S": "1"}}}),
            json!({"Items": [2], "Count": 1, "ScannedCount": 7}),
        ];
        let wanted = json!({"Items": [1, 2], "Count": 2, "ScannedCount": 12});
        assert_eq!(all(&mut query, pages), wanted);
        let mut log = paging("rds", "DownloadDBLogFilePortion", json!({}), &limits);
        let pages = vec![
            json!({"LogFileData": "a\n", "AdditionalDataPending": true, "Marker": "1"}),
            json!({"LogFileData": "b\n", "AdditionalDataPending": false, "Marker": "2"}),
        ];
        assert_eq!(all(&mut log, pages), json!({"LogFileData": "a\nb\n"}));
        let mut findings = paging("ecr", "DescribeImageScanFindings", json!({}), &limits);
        let pages = vec![
            json!({"nextToken": "t"}),
            json!({"imageScanFindings": {"findings": [1]}}),
        ];
        let wanted = json!({"imageScanFindings": {"findings": [1]}});
        assert_eq!(all(&mut findings, pages), wanted);
    }
}
