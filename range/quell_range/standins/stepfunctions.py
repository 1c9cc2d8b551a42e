"""Step Functions: moto's interpreter with what it lacks to run a document as it is: an evaluator of JSONata, values that stay
what they are, parameters as AWS's SDK spells them, and the roles that states name.

Only when it is switched on (`POST /moto-api/config {"stepfunctions":{"execute_state_machine":true}}`), and loaded then: it is
large, and hardly any range wants it. The evaluator is the package jsonata-python.
"""

from __future__ import annotations

import functools
import json
import logging
import sys
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.handlers import decode_console_output, json_decode_policies
from moto.core.config import default_user_config
from moto.iam.models import iam_backends
from moto.settings import moto_server_port

from quell_range.call import Call
from quell_range.identity import PARTITION
from quell_range.standins import check, sts

#: How the Java SDK, and with it Step Functions, calls a service in the names of its errors.
_ERROR_NAMES = {
    "autoscaling": "AutoScaling",
    "cloudtrail": "CloudTrail",
    "cloudwatch": "CloudWatch",
    "config": "Config",
    "dynamodb": "DynamoDb",
    "ec2": "Ec2",
    "ecs": "Ecs",
    "eks": "Eks",
    "elasticloadbalancing": "ElasticLoadBalancing",
    "elasticloadbalancingv2": "ElasticLoadBalancingV2",
    "eventbridge": "EventBridge",
    "guardduty": "GuardDuty",
    "iam": "Iam",
    "kms": "Kms",
    "lambda": "Lambda",
    "organizations": "Organizations",
    "rds": "Rds",
    "s3": "S3",
    "s3control": "S3Control",
    "sqs": "Sqs",
    "ssm": "Ssm",
    "sts": "Sts",
}
#: How boto calls services that a document calls otherwise.
_BOTO_NAMES = {"elasticloadbalancing": "elb", "elasticloadbalancingv2": "elbv2"}
#: Seconds that a session of a state lasts.
_SESSION_SECONDS = 3600


@check("stepfunctions", "*")
def loaded(call: Call) -> None:
    if default_user_config.get("stepfunctions", {}).get("execute_state_machine"):
        _load()


@functools.cache
def _load() -> None:
    """Puts the pieces in, once."""
    import moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk as aws_sdk
    import moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback as callback
    import moto.stepfunctions.parser.asl.jsonata.jsonata as hook
    import moto.stepfunctions.parser.asl.utils.boto_client as clients
    import moto.stepfunctions.parser.models  # noqa: F401
    from jsonata import jsonata
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService
    from moto.stepfunctions.parser.asl.utils.encoding import to_json_str

    # It tells of each state with the whole document.
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)

    def evaluate(expression: str) -> Any:
        try:
            return json.loads(json.dumps(jsonata.Jsonata(expression).evaluate(None)))
        except Exception as why:
            raise hook.JSONataException("UNKNOWN", str(why)) from why

    def declarations(bindings: dict[str, Any]) -> str:
        # moto puts a text between quotes as it is: one with a quote in it, such as a policy, is a syntax error.
        return "".join(
            f"{name}:={json.dumps(value) if isinstance(value, str) else to_json_str(value)};" for name, value in bindings.items()
        )

    def references(expression: str) -> set[str]:
        # moto refuses `$` wherever it stands. Step Functions does so only where it would be the document that there is not:
        # in a predicate or after a map it is what is looked at.
        found = hook._PATTERN_VARIABLE_REFERENCE.findall(expression or "")
        return {name for name in found if name and name not in hook._ILLEGAL_VARIABLE_REFERENCES}

    def operation(self: Any, service: str | None, action: str | None) -> Any:
        return _operation(self._get_boto_service_name(service), self._get_boto_service_action(action))

    def spell_parameters(self: Any, parameters: Any, boto_service_name: str | None = None, service_action_name: str | None = None) -> None:
        shape = operation(self, boto_service_name, service_action_name).input_shape
        if shape:
            self._to_boto_request(parameters, shape)

    def spell_response(self: Any, response: Any, boto_service_name: str | None = None, service_action_name: str | None = None) -> None:
        shape = operation(self, boto_service_name, service_action_name).output_shape
        if shape:
            self._from_boto_response(response, shape)

    spell_value = StateTaskService._to_boto_request_value

    def spell_bytes(self: Any, value: Any, shape: Any) -> Any:
        is_text = shape.type_name == "blob" and isinstance(value, str)
        return value.encode() if is_text else spell_value(self, value, shape)

    hook._eval_jsonata = evaluate
    _replace(hook.encode_jsonata_variable_declarations, declarations)
    _replace(hook.extract_jsonata_variable_references, references)
    _replace(clients.boto_client_for, client_for)
    StateTaskService._to_boto_request_value = spell_bytes
    StateTaskService._normalise_parameters = spell_parameters  # type: ignore[method-assign]
    StateTaskService._normalise_response = spell_response  # type: ignore[method-assign]
    StateTaskService._SERVICE_NAME_SFN_TO_BOTO_OVERRIDES.update(_BOTO_NAMES)
    aws_sdk._SERVICE_ERROR_NAMES.update(_ERROR_NAMES)
    callback._DELAY_SECONDS_SYNC_CONDITION_CHECK = 0.05  # type: ignore[misc]


def _replace(old: Any, new: Any) -> None:
    """Wherever a function of moto's was imported by its name."""
    for module in [m for name, m in sys.modules.items() if name.startswith("moto.stepfunctions")]:
        for name, value in list(vars(module).items()):
            if value is old:
                setattr(module, name, new)


@functools.cache
def _operation(service: str, action: str) -> Any:
    model = botocore.session.get_session().get_service_model(service)
    return model.operation_model(next(name for name in model.operation_names if xform_name(name) == action))


def client_for(region: str, service: str, state_credentials: Any = None) -> Any:
    """A client with a session of the role that the state, or else the state machine, names; a role that is not there opens nothing."""
    session = _session(str(getattr(state_credentials, "role_arn", "")))
    made = boto3.client(
        service,
        region_name=region,
        endpoint_url=f"http://127.0.0.1:{moto_server_port()}",
        aws_access_key_id=session.access_key_id if session else "ASIANOBODY",
        aws_secret_access_key=session.secret_access_key if session else "nothing",
        aws_session_token=session.session_token if session else "nothing",
        config=Config(parameter_validation=False, retries={"max_attempts": 0}, read_timeout=60, connect_timeout=10),
    )
    # boto reads policies and console output for its callers; the Java SDK gives them as they come.
    made.meta.events.unregister("after-call.iam", json_decode_policies)
    made.meta.events.unregister("after-call.ec2.GetConsoleOutput", decode_console_output)
    if service == "s3control":
        made.meta.events.register("before-sign", _without_account)
    return made


def _without_account(request: Any, **_: Any) -> None:
    """The account before an address, which nobody could look up."""
    parts = urlsplit(request.url)
    request.url = parts._replace(netloc=parts.netloc.partition(".")[2]).geturl()


def _session(role_arn: str) -> Any:
    account, name = (role_arn.split(":") + [""] * 6)[4], role_arn.rpartition("/")[2]
    role = (
        next((r for r in iam_backends[account][PARTITION].roles.values() if r.arn == role_arn), None) if account in iam_backends else None
    )
    if role is None:
        return None
    issuer = {"type": "Role", "principalId": role.id, "arn": role.arn, "accountId": account, "userName": name}
    arn = f"arn:{PARTITION}:sts::{account}:assumed-role/{name}/states"
    return sts._session(account, arn, f"{role.id}:states", "AssumedRole", issuer, _SESSION_SECONDS)
