"""`python -m states_differential.server`: moto with what the comparison needs, on a free port that it prints.

Beside moto itself: an evaluator of JSONata, which moto leaves out; the spelling of parameters and answers, which it has
and does not use, so that hardly any call could be made; waits that are shorter by `SCALE`, so that a document
may wait as long as it likes; and failures that are asked for (`POST /faults`), because moto has none of its own."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from functools import cache
from types import SimpleNamespace
from typing import Any

import botocore.session
import moto.stepfunctions.parser.asl.component.common.retry.retrier_decl as retrier
import moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback as callback
import moto.stepfunctions.parser.asl.jsonata.jsonata as hook
from botocore import xform_name
from botocore.model import OperationModel
from jsonata import jsonata
from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from werkzeug.serving import make_server

#: How much shorter than it says a wait is.
SCALE = 50

_SPELL_VALUE = StateTaskService._to_boto_request_value

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


def evaluate(expression: str) -> Any:
    """The value of a JSONata expression that brings its variables along."""
    try:
        value = jsonata.Jsonata(expression).evaluate(None)
        return json.loads(json.dumps(value))
    except Exception as why:
        raise hook.JSONataException("UNKNOWN", str(why)) from why


@cache
def operation(service: str, action: str) -> OperationModel:
    """What botocore knows of an action (`send_message`)."""
    model = botocore.session.get_session().get_service_model(service)
    return model.operation_model(next(name for name in model.operation_names if xform_name(name) == action))


def spell_parameters(self: StateTaskService, parameters: Any, boto_service_name: str | None = None, service_action_name: str | None = None) -> None:
    """Instead of `StateTaskService._normalise_parameters`."""
    of = operation(self._get_boto_service_name(boto_service_name), self._get_boto_service_action(service_action_name))
    if of.input_shape:
        self._to_boto_request(parameters, of.input_shape)


def spell_response(self: StateTaskService, response: Any, boto_service_name: str | None = None, service_action_name: str | None = None) -> None:
    """Instead of `StateTaskService._normalise_response`."""
    of = operation(self._get_boto_service_name(boto_service_name), self._get_boto_service_action(service_action_name))
    if of.output_shape:
        self._from_boto_response(response, of.output_shape)


def spell_value(self: StateTaskService, value: Any, shape: Any) -> Any:
    """Instead of `StateTaskService._to_boto_request_value`, which puts a text that is to be bytes into quotes."""
    is_text = shape.type_name == "blob" and isinstance(value, str)
    return value.encode() if is_text else _SPELL_VALUE(self, value, shape)


class Faults:
    """Fails the next calls of an operation of a JSON service, as its service would."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._left: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/faults":
            length = int(environ.get("CONTENT_LENGTH") or 0)
            with self._lock:
                self._left = json.loads(environ["wsgi.input"].read(length))
            start_response("204 No Content", [])
            return []
        operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        fault = self._next(operation)
        if fault is None:
            return list(self._app(environ, start_response))
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        body = json.dumps({"__type": fault["code"], "message": fault["message"]}).encode()
        headers = [("content-type", "application/x-amz-json-1.0"), ("x-amzn-requestid", "r-1")]
        start_response(f"{fault.get('status', 400)} No", [*headers, ("content-length", str(len(body)))])
        return [body]

    def _next(self, operation: str) -> dict[str, Any] | None:
        with self._lock:
            for fault in self._left:
                if fault["operation"] == operation and fault["times"] > 0:
                    fault["times"] -= 1
                    return fault
        return None


def wait_shorter(self: WaitFunction, env: Any, wait_seconds: float) -> None:
    """Instead of `WaitFunction._wait_interval`."""
    env.program_state_event.wait(max(0, wait_seconds) / SCALE)


def serve() -> None:
    """Serves until its standard input ends."""
    hook._eval_jsonata = evaluate
    retrier.time = SimpleNamespace(sleep=lambda seconds: time.sleep(seconds / SCALE))
    callback._DELAY_SECONDS_SYNC_CONDITION_CHECK = 0.05
    WaitFunction._wait_interval = wait_shorter
    StateTaskService._to_boto_request_value = spell_value
    StateTaskService._normalise_parameters = spell_parameters
    StateTaskService._normalise_response = spell_response
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    default_user_config["lambda"] = {"use_docker": False}
    app = Faults(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    # The interpreter calls the server that it is in.
    os.environ["MOTO_PORT"] = str(server.server_port)
    print(server.server_port, flush=True)
    # Nobody reads on: what moto prints later must not end in a broken pipe.
    sys.stdout = open(os.devnull, "w")
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    serve()
