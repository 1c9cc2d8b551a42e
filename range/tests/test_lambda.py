"""Lambda and EKS where moto has nothing or says what AWS does not."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import Client


@pytest.fixture
def function(quell_range: Client) -> tuple[Any, str]:
    iam, functions, name = quell_range.developer("iam"), quell_range.developer("lambda"), f"f-{uuid.uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))["Role"]["Arn"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("app.py", "")
    functions.create_function(FunctionName=name, Role=role, Runtime="python3.12", Handler="app.x", Code={"ZipFile": packed.getvalue()})
    return functions, name


def test_a_statement_is_as_lambda_makes_it_and_comes_back_the_same(function: tuple[Any, str]) -> None:
    functions, name = function
    given = {"FunctionName": name, "StatementId": "open", "Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE"}
    functions.add_permission(**given)
    (first,) = json.loads(functions.get_policy(FunctionName=name)["Policy"])["Statement"]
    assert first["Condition"] == {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}} and first["Principal"] == "*"
    with pytest.raises(ClientError, match="ResourceConflictException"):
        functions.add_permission(**given)
    functions.remove_permission(FunctionName=name, StatementId="open")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        functions.get_policy(FunctionName=name)
    functions.add_permission(**given)
    assert json.loads(functions.get_policy(FunctionName=name)["Policy"])["Statement"] == [first]


def test_what_is_kept_warm_has_to_be_reserved(function: tuple[Any, str]) -> None:
    functions, name = function
    functions.put_provisioned_concurrency_config(FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=2)
    (config,) = functions.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]
    assert config["FunctionArn"].endswith(f":{name}:live") and config["RequestedProvisionedConcurrentExecutions"] == 2
    with pytest.raises(ClientError, match="InvalidParameterValueException"):
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    functions.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert functions.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"] == []


def test_an_update_of_a_cluster_leaves_what_it_does_not_name(quell_range: Client) -> None:
    eks, name = quell_range.developer("eks"), f"k-{uuid.uuid4().hex[:8]}"
    account = quell_range.production["id"]
    config = {"endpointPublicAccess": True, "endpointPrivateAccess": False, "subnetIds": ["subnet-1"]}
    eks.create_cluster(name=name, roleArn=f"arn:aws:iam::{account}:role/eks", resourcesVpcConfig=config)
    update = eks.update_cluster_config(name=name, resourcesVpcConfig={"endpointPublicAccess": False, "endpointPrivateAccess": True})["update"]
    shown = eks.describe_cluster(name=name)["cluster"]["resourcesVpcConfig"]
    assert update["status"] == "Successful" and shown["subnetIds"] == ["subnet-1"]
    assert (shown["endpointPublicAccess"], shown["endpointPrivateAccess"]) == (False, True)
    with pytest.raises(ClientError, match="InvalidParameterException"):
        eks.update_cluster_config(name=name, resourcesVpcConfig={"endpointPublicAccess": False})
