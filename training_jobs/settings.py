# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Settings of a training: a YAML file whose keys are the fields of a dataclass."""

import dataclasses
import os
import types
import typing
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml

T = TypeVar("T")


def read_settings(
    kind: type[T],
    what: str,
    published: Mapping[str, Path],
    source: str | os.PathLike[str] | None = None,
    changes: Iterable[str] = (),
    name: str = "",
    **fields: Any,
) -> T:
    """Read settings.

    Args:
        kind: the dataclass; it has a field `name`.
        what: they are called in messages, as `task`.
        published: files of those that come with the package, by name.
        source: one of these names, or a YAML file; None for fields alone.
        changes: `key=value` each, in place of what stands there; the value is YAML, and of a
            mapping `key.entry=value` is one entry.
        name: where no file gives one.
        fields: likewise, as Python values; None leaves a field as it is.

    Raises:
        ValueError: there is no such file, it is not YAML, or a key or value that cannot be; one
            line that names it.
    """
    values: dict[str, Any] = {}
    if source is not None:
        file = published.get(os.fspath(source), Path(source))
        name, values = file.stem, _read_yaml(file, what, published)
    where = what if source is None else f"{what} {source}"
    changes = [changes] if isinstance(changes, str) else changes
    for change in changes:
        key, equals, text = change.partition("=")
        if not equals:
            raise ValueError(f"--set {change}: not of the form key=value")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError:
            raise ValueError(f"--set {change}: the value is not YAML") from None
        *outer, key = key.strip().split(".")
        entries = values
        for entry in outer:
            inside = entries.get(entry) or {}
            if not isinstance(inside, Mapping):
                raise ValueError(f"--set {change}: {entry} has no entries, it is {inside!r}")
            entries[entry] = entries = dict(inside)
        entries[key] = value
    values |= {key: value for key, value in fields.items() if value is not None}
    return _checked(kind, {"name": name, **values}, where)


def _read_yaml(file: Path, what: str, published: Iterable[str]) -> dict[str, Any]:
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(
            f"{what} {file}: there is no such file, and the published {what}s are "
            f"{', '.join(published)}"
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{what} {file}: cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise ValueError(f"{what} {file}: holds no keys and values")
    return values


def _checked(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    kinds = typing.get_type_hints(kind)
    for key in values:
        if key not in kinds:
            close = get_close_matches(str(key), kinds, n=1)
            known = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(kinds)}"
            raise ValueError(f"{where}: unknown key {key!r}; {known}")
    converted = {}
    for key, value in values.items():
        try:
            converted[key] = _as(kinds[key], value)
        except (TypeError, ValueError):
            raise ValueError(f"{where}: {key} is {value!r}, not {_in_words(kinds[key])}") from None
    try:
        return kind(**converted)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _as(kind: Any, value: Any) -> Any:
    """Return a value of YAML as a field's type has it.

    Raises:
        TypeError, ValueError: it is of another type.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        for choice in arguments:
            try:
                return _as(choice, value)
            except (TypeError, ValueError):
                continue
        raise TypeError
    if origin is Literal:
        if value not in arguments:
            raise ValueError
    elif origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise TypeError
        return tuple(_as(arguments[0], entry) for entry in value)
    elif origin is dict:
        if not isinstance(value, Mapping):
            raise TypeError
        return {_as(arguments[0], key): _as(arguments[1], entry) for key, entry in value.items()}
    elif kind is float and isinstance(value, (int, float, str)) and not isinstance(value, bool):
        return float(value)  # YAML takes 1e-4, without a point, for a text
    elif kind is str and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    elif kind is not Any and (not isinstance(value, kind) or (kind is int and value is True)):
        raise TypeError
    return value


def _in_words(kind: Any) -> str:
    """Return what a field may hold, for a message."""
    names = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(map(_in_words, arguments))
    if origin is Literal:
        return " or ".join(map(str, arguments))
    if origin is tuple:
        return "a list in brackets, as [1, 2]"
    if origin is dict:
        return "keys and values"
    return "null" if kind is type(None) else names.get(kind, str(kind))


def as_dictionary(settings: Any) -> dict[str, Any]:
    """Return settings in a form that JSON and YAML hold."""
    values = dataclasses.asdict(settings)
    return {
        key: list(value) if isinstance(value, tuple) else value for key, value in values.items()
    }
