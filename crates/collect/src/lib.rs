//! Where records come from: SQS, S3, HTTP and folders.
