//! The service models that are built in, each read once, when it is first asked for.

use std::sync::OnceLock;

use crate::error::AwsError;
use crate::model::{ModelError, Operation, Service};

type Slot = OnceLock<Result<Service, ModelError>>;

/// `models!["ec2", …]`: the file of each service, and where its parsed form is kept.
macro_rules! models {
    ($($name:literal),+ $(,)?) => {
        /// The services there are models of, sorted.
        pub const SERVICES: &[&str] = &[$($name),+];

        fn slot(service: &str) -> Option<(&'static [u8], &'static Slot)> {
            match service {
                $($name => {
                    static SLOT: Slot = OnceLock::new();
                    Some((include_bytes!(concat!("../models/", $name, ".json")), &SLOT))
                })+
                _ => None,
            }
        }
    };
}

models!["ec2", "events", "iam", "s3", "sqs", "sts"];

/// The model of a service.
pub(crate) fn service(name: &str) -> Result<&'static Service, AwsError> {
    let (json, slot) = slot(name).ok_or_else(|| AwsError::UnknownService {
        service: name.to_owned(),
        nearest: crate::validate::nearest(name, SERVICES.iter().copied()),
    })?;
    match slot.get_or_init(|| Service::from_json(json)) {
        Ok(service) => Ok(service),
        Err(why) => Err(AwsError::Model {
            service: name.to_owned(),
            what: why.to_string(),
        }),
    }
}

/// The model of an operation, with its service's.
pub(crate) fn operation(
    service_name: &str,
    operation: &str,
) -> Result<(&'static Service, &'static Operation), AwsError> {
    let service = service(service_name)?;
    let found = service.operations.get(operation);
    let found = found.ok_or_else(|| AwsError::UnknownOperation {
        service: service_name.to_owned(),
        operation: operation.to_owned(),
        nearest: crate::validate::nearest(operation, service.operations.keys().map(String::as_str)),
    })?;
    Ok((service, found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Protocol;

    #[test]
    fn every_model_is_read_and_its_protocol_is_built() {
        for name in SERVICES {
            let service = service(name).unwrap();
            assert!(!service.operations.is_empty(), "{name}");
            assert!(Protocol::of(service).is_some(), "{name}");
        }
    }

    #[test]
    fn a_wrong_name_is_answered_with_the_nearest() {
        let Err(AwsError::UnknownService { nearest, .. }) = service("sqz") else {
            panic!("sqz is no service");
        };
        assert_eq!(nearest.as_deref(), Some("sqs"));
        let Err(AwsError::UnknownOperation { nearest, .. }) = operation("sqs", "SendMesage") else {
            panic!("SendMesage is no operation");
        };
        assert_eq!(nearest.as_deref(), Some("SendMessage"));
    }
}
