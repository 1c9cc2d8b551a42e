//! The optimised integrations of Step Functions: one row a service.

use crate::resource::Pattern;

use Pattern::{RequestResponse as Rr, Sync, Sync2, WaitForTaskToken as Token};

type Row = (&'static str, &'static [(&'static str, &'static [Pattern])]);

const CALL: &[Pattern] = &[Rr];
const JOB: &[Pattern] = &[Rr, Sync];
const CALLBACK: &[Pattern] = &[Rr, Token];
const JOB_CALLBACK: &[Pattern] = &[Rr, Sync, Token];

/// Service, then action and the patterns it takes.
const TABLE: &[Row] = &[
    ("apigateway", &[("invoke", CALLBACK)]),
    (
        "athena",
        &[
            ("startQueryExecution", JOB),
            ("stopQueryExecution", CALL),
            ("getQueryExecution", CALL),
            ("getQueryResults", CALL),
        ],
    ),
    ("batch", &[("submitJob", JOB)]),
    (
        "bedrock",
        &[("invokeModel", CALL), ("createModelCustomizationJob", JOB)],
    ),
    (
        "codebuild",
        &[
            ("startBuild", JOB),
            ("stopBuild", CALL),
            ("batchDeleteBuilds", CALL),
            ("batchGetReports", CALL),
            ("startBuildBatch", JOB),
            ("stopBuildBatch", CALL),
            ("retryBuildBatch", JOB),
            ("deleteBuildBatch", CALL),
        ],
    ),
    ("databrew", &[("startJobRun", JOB)]),
    (
        "dynamodb",
        &[
            ("getItem", CALL),
            ("putItem", CALL),
            ("deleteItem", CALL),
            ("updateItem", CALL),
        ],
    ),
    ("ecs", &[("runTask", JOB_CALLBACK)]),
    (
        "eks",
        &[
            ("call", CALL),
            ("runJob", JOB),
            ("createCluster", JOB),
            ("deleteCluster", JOB),
            ("createFargateProfile", JOB),
            ("deleteFargateProfile", JOB),
            ("createNodegroup", JOB),
            ("deleteNodegroup", JOB),
        ],
    ),
    (
        "elasticmapreduce",
        &[
            ("createCluster", JOB),
            ("setClusterTerminationProtection", CALL),
            ("terminateCluster", JOB),
            ("addStep", JOB),
            ("cancelStep", CALL),
            ("modifyInstanceFleetByName", CALL),
            ("modifyInstanceGroupByName", CALL),
        ],
    ),
    (
        "emr-containers",
        &[
            ("createVirtualCluster", CALL),
            ("deleteVirtualCluster", JOB),
            ("startJobRun", JOB),
        ],
    ),
    (
        "emr-serverless",
        &[
            ("createApplication", JOB),
            ("startApplication", JOB),
            ("stopApplication", JOB),
            ("deleteApplication", JOB),
            ("startJobRun", JOB),
            ("cancelJobRun", JOB),
        ],
    ),
    ("events", &[("putEvents", CALLBACK)]),
    ("glue", &[("startJobRun", JOB)]),
    ("http", &[("invoke", CALL)]),
    ("lambda", &[("invoke", CALLBACK)]),
    ("mediaconvert", &[("createJob", JOB)]),
    (
        "sagemaker",
        &[
            ("createEndpoint", CALL),
            ("createEndpointConfig", CALL),
            ("createHyperParameterTuningJob", JOB),
            ("createLabelingJob", JOB),
            ("createModel", CALL),
            ("createProcessingJob", JOB),
            ("createTrainingJob", JOB),
            ("createTransformJob", JOB),
            ("updateEndpoint", CALL),
        ],
    ),
    ("sns", &[("publish", CALLBACK)]),
    ("sqs", &[("sendMessage", CALLBACK)]),
    ("states", &[("startExecution", &[Rr, Sync, Sync2, Token])]),
];

/// Whether Step Functions has this integration with this pattern.
pub(crate) fn is_known(service: &str, action: &str, pattern: Pattern) -> bool {
    TABLE
        .iter()
        .filter(|(name, _)| *name == service)
        .flat_map(|(_, actions)| actions.iter())
        .any(|(name, patterns)| *name == action && patterns.contains(&pattern))
}
