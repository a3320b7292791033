"""Settings of a service: defaults, then the environment, then the mounted config file, which wins.

A setting's name is its dotted path in the config file (``clickhouse.host``); its environment variable is the
same in capitals with underscores (``CLICKHOUSE_HOST``). The type of the default is the type of the setting.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Union

import yaml

Value = Union[str, int, float, "list[str]"]
SECRET_WORDS = ("password", "secret", "token", "key")
CONFIG_FILE = "/app/config/config.yaml"


class SettingsError(Exception):
    """A setting that the service cannot start with; the text names it, what was found and what is expected."""


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Turn nested mappings into dotted paths; lists and scalars are values."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{path}."))
        else:
            flat[path] = value
    return flat


def read_file(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a config file; a missing one is an empty one, because mounting it is optional."""
    file = Path(path)
    if not file.is_file():
        return {}
    try:
        tree = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"config file {file}: not readable as YAML: {error}") from error
    if tree is None:
        return {}
    if not isinstance(tree, Mapping):
        raise SettingsError(f"config file {file}: found a {type(tree).__name__}, expected a mapping")
    return flatten(tree)


def convert(name: str, found: Any, default: Value, origin: str) -> Value:
    """Give a value the type of its default."""
    try:
        if isinstance(default, list):
            parts = found.split(",") if isinstance(found, str) else found
            return [str(part).strip() for part in parts if str(part).strip()]
        if isinstance(default, (int, float)):
            if isinstance(found, bool):
                raise ValueError
            return type(default)(found)
        if isinstance(found, (list, dict)) or found is None:
            raise ValueError
        return str(found)
    except (TypeError, ValueError):
        shown = "a value" if is_secret(name) else repr(found)
        raise SettingsError(
            f"setting {name}: found {shown} in {origin}, expected {type(default).__name__}"
        ) from None


def is_secret(name: str) -> bool:
    return any(word in name.lower() for word in SECRET_WORDS)


def environment_name(name: str) -> str:
    return name.replace(".", "_").upper()


class Settings:
    """The effective settings, and for each one where it came from."""

    def __init__(
        self, defaults: Mapping[str, Value], environment: Mapping[str, str], file: Mapping[str, Any]
    ):
        self.values: dict[str, Value] = {}
        self.origins: dict[str, str] = {}
        self.notes: list[str] = [
            f"config file names {name}, which is no setting" for name in file if name not in defaults
        ]
        for name, default in defaults.items():
            variable = environment_name(name)
            value, origin = default, "default"
            if environment.get(variable, "") != "":
                value, origin = environment[variable], f"environment {variable}"
            if name in file:
                if origin != "default" and str(value) != str(file[name]):
                    self.notes.append(f"config file overrides {origin} for {name}")
                value, origin = file[name], "config file"
            self.values[name] = convert(name, value, default, origin)
            self.origins[name] = origin

    @classmethod
    def load(cls, defaults: Mapping[str, Value]) -> Settings:
        return cls(defaults, os.environ, read_file(os.environ.get("CONFIG_FILE", CONFIG_FILE)))

    def text(self, name: str) -> str:
        value = self.values[name]
        assert isinstance(value, str), name
        return value

    def number(self, name: str) -> float:
        value = self.values[name]
        assert isinstance(value, (int, float)), name
        return float(value)

    def integer(self, name: str) -> int:
        return int(self.number(name))

    def names(self, name: str) -> list[str]:
        value = self.values[name]
        assert isinstance(value, list), name
        return value

    def describe(self) -> list[str]:
        """One line per setting, with its origin; secrets stay out."""
        return [
            f"setting {name}={'***' if is_secret(name) else value} ({self.origins[name]})"
            for name, value in self.values.items()
        ]
