//! The HTTP API: REST, the AWS wire for PutEvents, and the signature check at the door.
