"""Which service and operation an HTTP request is for, told from the request alone.

The signature's scope names the service, but not always one: `elasticloadbalancing` signs for two models, `s3`
for S3 and S3 Control, `dynamodb` for its streams too. The models say which of them the request fits.
"""

from __future__ import annotations

import functools
import gzip
import json
import os
import re
import zlib
from dataclasses import dataclass
from typing import Any

import botocore
from moto.core.model import OperationModel, ServiceModel
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException

_METADATA = re.compile(r'"metadata"\s*:\s*')


@dataclass(frozen=True)
class Scope:
    """What the signature says: who asks which service where."""

    access_key_id: str | None
    region: str
    signing_name: str


@dataclass(frozen=True)
class Route:
    """The operation a request is for."""

    service: str
    model: ServiceModel
    operation: OperationModel
    protocol: str
    uri_params: dict[str, Any]


@functools.cache
def _index() -> tuple[dict[str, list[str]], dict[str, list[str]], dict[str, dict[str, Any]]]:
    """Signing name and target prefix to service names, from the head of each model file (cheap: no full parse)."""
    root = os.path.join(os.path.dirname(botocore.__file__), "data")
    by_signing: dict[str, list[str]] = {}
    by_target: dict[str, list[str]] = {}
    metadata: dict[str, dict[str, Any]] = {}
    for service in sorted(os.listdir(root)):
        folder = os.path.join(root, service)
        versions = sorted(v for v in os.listdir(folder) if v[:2] == "20") if os.path.isdir(folder) else []
        if not versions:
            continue
        meta = _read_metadata(os.path.join(folder, versions[-1]))
        metadata[service] = meta
        for name in {meta.get("signingName"), meta.get("endpointPrefix")} - {None}:
            by_signing.setdefault(str(name), []).append(service)
        if "targetPrefix" in meta:
            by_target.setdefault(meta["targetPrefix"], []).append(service)
    return by_signing, by_target, metadata


def _read_metadata(folder: str) -> dict[str, Any]:
    for name in ("service-2.json.gz", "service-2.json"):
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            continue
        with open(path, "rb") as file:
            head = file.read(8192)
        if name.endswith(".gz"):
            head = zlib.decompressobj(31).decompress(head, 16384)
        match = _METADATA.search(text := head.decode("utf-8", "replace"))
        if match is None:
            with gzip.open(path) if name.endswith(".gz") else open(path, "rb") as whole:
                return dict(json.load(whole)["metadata"])
        try:
            return dict(json.JSONDecoder().raw_decode(text[match.end() :])[0])
        except ValueError:
            return {}
    return {}


def service_metadata(service: str) -> dict[str, Any]:
    return _index()[2].get(service, {})


def candidates(request: Request, scope: Scope, action: str | None) -> list[str]:
    """The services the request may be for, the likeliest first."""
    by_signing, by_target, metadata = _index()
    target = request.headers.get("X-Amz-Target")
    if target:
        prefix = target.rpartition(".")[0]
        named = by_target.get(prefix, [])
        return sorted(named, key=lambda s: scope.signing_name not in (metadata[s].get("signingName"), metadata[s].get("endpointPrefix")))
    signing = scope.signing_name
    if signing == "s3":
        return ["s3control"] if request.path.startswith("/v20180820/") else ["s3"]
    named = list(by_signing.get(signing, []))
    if signing in metadata and signing not in named:
        named.append(signing)
    if action:
        version = request.values.get("Version")
        named = [
            s for s in named if metadata[s].get("protocol") in ("query", "ec2") or "query" in metadata[s].get("protocols", ())
        ] or named
        named.sort(key=lambda s: (metadata[s].get("apiVersion") != version, s != signing))
    else:
        named.sort(key=lambda s: s != signing)
    return named


def route(request: Request, scope: Scope) -> Route | None:
    """The operation `request` is for, or None when no model knows it."""
    action = None
    if scope.signing_name != "s3" and not request.headers.get("X-Amz-Target"):
        action = request.values.get("Action")
    for service in candidates(request, scope, action):
        try:
            operation, uri_params = get_service_router(service).match(request)
            model = get_service_model(service)
            protocol = determine_request_protocol(model, request.content_type)
        except (HTTPException, NotImplementedError, KeyError):
            continue
        return Route(service, model, operation, protocol, uri_params)
    return None
