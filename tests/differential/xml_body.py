"""XML bodies as AWS writes them: elements in any order, new ones that no model knows, space between them, CDATA."""

from __future__ import annotations

import base64
from random import Random
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from botocore.model import Shape

from . import times
from .plain import to_plain


class XmlBody:
    """Writes elements. The same random numbers give the same text."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._space = random.choice(["", "\n  "])

    def document(self, name: str, shape: Shape, value: dict[str, Any], uri: str | None) -> bytes:
        """A whole document whose root has the members of `value`."""
        return self.wrapped(name, "".join(self.members(shape, value)), uri, self._attributes(shape, value))

    def wrapped(self, name: str, content: str, uri: str | None, attributes: str = "") -> bytes:
        """A whole document whose root has this content."""
        declared = self._random.choice(["", '<?xml version="1.0" encoding="UTF-8"?>\n'])
        namespace = "" if uri is None else f" xmlns={quoteattr(uri)}"
        return f"{declared}<{name}{namespace}{attributes}>{content}{self._space}</{name}>".encode()

    def members(self, shape: Shape, value: dict[str, Any]) -> list[str]:
        """The elements of a structure's members that belong into the body."""
        elements = [
            self._member(name, member, value[name])
            for name, member in shape.members.items()
            if name in value and not {"location", "xmlAttribute"} & member.serialization.keys()
        ]
        if not shape.is_tagged_union and self._random.random() < 0.2:
            elements.append(self._random.choice(["<aNewMember/>", "<aNewMember><b>1</b></aNewMember>"]))
        self._random.shuffle(elements)
        return [self._space + element for element in elements]

    def _member(self, name: str, shape: Shape, value: Any) -> str:
        wire = shape.serialization.get("name", name)
        if shape.type_name == "list" and shape.serialization.get("flattened"):
            wire = shape.member.serialization.get("name", wire)
            return "".join(self._element(wire, shape.member, item) for item in value)
        if shape.type_name == "map" and shape.serialization.get("flattened"):
            return "".join(self._entries(wire, shape, value))
        return self._element(wire, shape, value)

    def _element(self, name: str, shape: Shape, value: Any) -> str:
        match shape.type_name:
            case "structure":
                content = "".join(self.members(shape, value))
                return self._container(name, content, self._attributes(shape, value))
            case "list":
                wire = shape.member.serialization.get("name", "member")
                return self._container(name, "".join(self._element(wire, shape.member, item) for item in value))
            case "map":
                return self._container(name, "".join(self._entries("entry", shape, value)))
            case _:
                return f"<{name}>{self._text(self._scalar(shape, value))}</{name}>"

    def _entries(self, around: str, shape: Shape, value: dict[str, Any]) -> list[str]:
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        entries = (
            self._element(key_name, shape.key, key) + self._element(value_name, shape.value, item)
            for key, item in value.items()
        )
        return [self._container(around, entry) for entry in entries]

    def _container(self, name: str, content: str, attributes: str = "") -> str:
        if not content and self._random.random() < 0.5:
            return f"<{name}{attributes}/>"
        return f"<{name}{attributes}>{content}</{name}>"

    def _attributes(self, shape: Shape, value: dict[str, Any]) -> str:
        attributes = ""
        for name, member in shape.members.items():
            if name in value and member.serialization.get("xmlAttribute"):
                attributes += f" {member.serialization['name']}={quoteattr(value[name])}"
        uses_xsi = "xsi:" in attributes
        return (' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"' if uses_xsi else "") + attributes

    def _scalar(self, shape: Shape, value: Any) -> str:
        match shape.type_name:
            case "timestamp":
                form = shape.serialization.get("timestampFormat", "iso8601")
                # Services do not always do as their model says.
                return times.text(value, form if self._random.random() < 0.8 else "iso8601 elsewhere")
            case "blob":
                return base64.b64encode(value).decode()
            case "boolean":
                return "true" if value else "false"
            case _:
                return str(to_plain(shape, value))

    def _text(self, text: str) -> str:
        if "]]>" not in text and self._random.random() < 0.1:
            return f"<![CDATA[{text}]]>"
        if self._random.random() < 0.1:
            return "".join(f"&#{ord(c)};" if c in "<&é/" else escape(c) for c in text)
        return escape(text)
