"""Queues: a waiting receiver wakes at once, no message goes to two receivers, and long queues stay quick."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import Client


@pytest.fixture
def sqs(quell_range: Client) -> Any:
    return quell_range.developer("sqs", quell_range.sandbox)


def test_a_waiting_receiver_wakes_and_blocks_nobody(quell_range: Client, sqs: Any) -> None:
    url = sqs.create_queue(QueueName="waiting")["QueueUrl"]
    got: list[float] = []

    def wait() -> None:
        sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
        got.append(time.monotonic())

    waiter = threading.Thread(target=wait)
    waiter.start()
    quell_range.developer("ec2").describe_vpcs()
    sent = time.monotonic()
    sqs.send_message(QueueUrl=url, MessageBody="now")
    waiter.join(timeout=10)
    assert got and got[0] - sent < 2


def test_two_receivers_never_share_a_message(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="shared")["QueueUrl"]
    for batch in range(8):
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": f"{batch}-{n}"} for n in range(10)])
    got: list[str] = []

    def take() -> None:
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                got.append(message["Body"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == len(set(got)) == 80
    count = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"])
    assert set(count["Attributes"].values()) == {"0"}


def test_visibility_and_redelivery(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="visible")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="again", MessageAttributes={"kind": {"DataType": "String", "StringValue": "test"}})
    (first,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert first["MessageAttributes"]["kind"]["StringValue"] == "test"
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
    (second,) = sqs.receive_message(QueueUrl=url, AttributeNames=["ApproximateReceiveCount"])["Messages"]
    assert second["MessageId"] == first["MessageId"] and second["Attributes"]["ApproximateReceiveCount"] == "2"
    sqs.delete_message(QueueUrl=url, ReceiptHandle=second["ReceiptHandle"])
    with pytest.raises(ClientError):
        sqs.delete_message(QueueUrl=url, ReceiptHandle="nonsense")
    with pytest.raises(ClientError):
        sqs.send_message(QueueUrl=url, MessageBody="x" * 1_100_000)


def test_a_dead_letter_queue_still_works(sqs: Any) -> None:
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = f'{{"deadLetterTargetArn":"{arn}","maxReceiveCount":"1"}}'
    url = sqs.create_queue(QueueName="alive", Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": "0"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    assert sqs.receive_message(QueueUrl=url)["Messages"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    assert sqs.receive_message(QueueUrl=dead)["Messages"][0]["Body"] == "poison"
