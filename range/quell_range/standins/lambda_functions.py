"""Lambda: statements as AddPermission makes them, what is kept warm, and URLs of aliases."""

from __future__ import annotations

import json
from typing import Any

from moto.awslambda.models import lambda_backends

from quell_range.call import Call
from quell_range.errors import ApiError
from quell_range.identity import utcnow
from quell_range.standins import check, stand_in


def function_of(call: Call) -> Any:
    """The function that a call names, by its name or its ARN."""
    name = str(call.params.get("FunctionName", ""))
    return lambda_backends[call.account][call.region].get_function(name.rpartition(":function:")[2].partition(":")[0])


@check("lambda", "AddPermission")
def once(call: Call) -> None:
    name = call.params.get("StatementId")
    if any(statement.get("Sid") == name for statement in function_of(call).policy.statements):
        raise ApiError("ResourceConflictException", f"The statement id ({name}) provided already exists.", 409)


@stand_in("lambda", "AddPermission")
def add_permission(call: Call) -> dict[str, Any] | None:
    """What is about a URL is a condition of the statement; all else is moto's."""
    given = call.params
    if "FunctionUrlAuthType" not in given and "InvokedViaFunctionUrl" not in given:
        return None
    function, principal = function_of(call), str(given["Principal"])
    condition: dict[str, Any] = {}
    if "FunctionUrlAuthType" in given:
        condition["StringEquals"] = {"lambda:FunctionUrlAuthType": given["FunctionUrlAuthType"]}
    if given.get("InvokedViaFunctionUrl"):
        condition["Bool"] = {"lambda:InvokedViaFunctionUrl": "true"}
    qualifier = given.get("Qualifier")
    statement = {
        "Sid": given["StatementId"], "Effect": "Allow", "Principal": principal if principal == "*" else {"AWS": principal},
        "Action": given["Action"], "Resource": function.function_arn + (f":{qualifier}" if qualifier else ""), "Condition": condition,
    }  # fmt: skip
    function.policy.statements.append(statement)
    return {"Statement": json.dumps(statement)}


@check("lambda", "GetFunctionUrlConfig", "UpdateFunctionUrlConfig")
def of_aliases(call: Call) -> None:
    """moto has one URL for each function, and takes an alias for the function."""
    if call.params.get("Qualifier"):
        raise ApiError("ResourceNotFoundException", "The resource you requested does not exist.", 404)


def _warm(call: Call) -> dict[str, int]:
    kept: dict[str, int] = function_of(call).__dict__.setdefault("range_provisioned", {})
    return kept


@check("lambda", "PutFunctionConcurrency")
def room(call: Call) -> None:
    if int(call.params.get("ReservedConcurrentExecutions") or 0) < sum(_warm(call).values()):
        raise ApiError("InvalidParameterValueException", "ReservedConcurrentExecutions is less than the function's provisioned concurrency.")


@stand_in("lambda", "PutProvisionedConcurrencyConfig")
def provision(call: Call) -> dict[str, Any]:
    count = int(call.params["ProvisionedConcurrentExecutions"])
    _warm(call)[str(call.params["Qualifier"])] = count
    return {"RequestedProvisionedConcurrentExecutions": count, "Status": "IN_PROGRESS", "LastModified": utcnow().isoformat()}


@stand_in("lambda", "DeleteProvisionedConcurrencyConfig")
def unprovision(call: Call) -> dict[str, Any]:
    if _warm(call).pop(str(call.params["Qualifier"]), None) is None:
        raise ApiError("ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found for this function", 404)
    return {}


@stand_in("lambda", "ListProvisionedConcurrencyConfigs")
def provisioned(call: Call) -> dict[str, Any]:
    arn = function_of(call).function_arn
    configs = [
        {"FunctionArn": f"{arn}:{of}", "RequestedProvisionedConcurrentExecutions": count, "Status": "READY"}
        for of, count in _warm(call).items()
    ]
    return {"ProvisionedConcurrencyConfigs": configs}
