"""The same calls with boto3: CPU seconds for each, as JSON lines."""

import json
import sys
import time

import boto3
import botocore.config

url, repeats, cases = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.stdin.read())
config = botocore.config.Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1})
session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name="us-east-1")
for case, count in zip(cases, repeats):
    client = session.client(case["service"], endpoint_url=url, config=config)
    call = getattr(client, botocore.xform_name(case["operation"]))
    for _ in range(max(1, count // 10)):
        call(**case["params"])
    before = time.process_time()
    for _ in range(count):
        call(**case["params"])
    print(json.dumps((time.process_time() - before) / count), flush=True)
