"""The same calls with boto3: CPU seconds for each, a line each. Without a URL nothing is sent: botocore is given the
answer where it would send the request."""

import io
import json
import sys
import time

import boto3
import botocore.awsrequest
import botocore.config

url, repeats, cases = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.stdin.read())
config = botocore.config.Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1})
session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name="us-east-1")


class Raw(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self):
        yield self.read()


def answered(case):
    """A handler that answers instead of the service."""
    headers = dict(line.split(": ", 1) for line in case["headers"].splitlines())
    body = case["body"].encode()
    return lambda request, **_: botocore.awsrequest.AWSResponse(request.url, 200, headers, Raw(body))


def consume(case, answer):
    """Reads an answer as a caller does."""
    read = 0
    paths = [[int(step) if step.isdigit() else step for step in path] for path in case["reads"]]
    for item in answer[case["list"]] if case["list"] else [answer]:
        for path in paths:
            value = item
            for step in path:
                value = value[step]
            read += len(value) if isinstance(value, str) else 1
    return read


for case, count in zip(cases, repeats):
    client = session.client(case["service"], endpoint_url=url or None, config=config)
    if not url:
        client.meta.events.register("before-send", answered(case))
    call = getattr(client, botocore.xform_name(case["operation"]))
    for _ in range(max(1, count // 10)):
        consume(case, call(**case["params"]))
    before = time.process_time()
    for _ in range(count):
        consume(case, call(**case["params"]))
    print(json.dumps((time.process_time() - before) / count), flush=True)
