"""The architecture as failing tests: what a module may know (`design.md`, rooms and floors), how large a class may be."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "tui_chat"

FLOORS = (
    ("parts",),
    ("errors", "messages", "server", "tasks"),
    ("events", "text", "key_command", "output"),
    ("typed", "files", "images", "untrusted"),
    ("parameters",),
    ("store", "markdown", "servers", "attachments"),
    ("config", "presets"),
    ("chat",),
    ("terminal", "relay"),
    ("ui",),
    ("shell",),
    ("cli",),
    ("__main__",),
)
"""Rooms from the ground up; rooms of one floor do not know each other."""

WALLS = {
    "httpx": ("servers.client",),
    "sqlite3": ("store",),
    "textual": ("ui", "terminal", "markdown"),
    "rich": ("ui", "terminal", "markdown", "text.clusters"),
    "starlette": ("relay",),
    "uvicorn": ("relay",),
    "markdown_it": ("markdown",),
    "pylatexenc": ("markdown.maths",),
    "pygments": ("markdown",),
    "pathspec": ("attachments",),
    "PIL": ("images",),
}
"""Libraries, and the only modules that may import them."""

METHODS = 25
"""So many methods a class may have, those of our own classes that it inherits from included."""
PRIVATE = {
    "terminal.textual_private": {
        "_clipboard",
        "_close_messages_no_wait",
        "_driver",
        "_exit_renderables",
        "_file",
        "_start_widget",
        "_vertical_scrollbar",
        "_writer_thread",
        "_xterm_parser",
    },
    # What a class of ours overrides has to stay in that class.
    "terminal.driver": {"_disable_mouse_support", "_enable_mouse_support"},
    "terminal.keys": {"_sequence_to_key_events"},
    "ui.app": {"_fatal_error"},
    "ui.widgets.composer": {"_on_paste"},
}
"""Modules that use underscored names of Textual's, which any release may change. A name may only leave."""

FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}
del MODULES[""]


def imports_of(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)


def test_a_module_imports_only_from_lower_floors() -> None:
    offences = []
    for module, tree in MODULES.items():
        room = module.split(".")[0]
        for name in imports_of(tree):
            package, _, rest = name.partition(".")
            if package == "tui_chat" and rest and rest != "__version__":
                other = rest.split(".")[0]
                if other != room and FLOOR_OF[other] >= FLOOR_OF[room]:
                    offences.append(f"{module} (floor {FLOOR_OF[room]}) imports {name} (floor {FLOOR_OF[other]})")
            elif not package:
                offences.append(f"{module} imports {name} relatively")
    assert not offences, "\n".join(offences)


def test_a_library_stays_behind_its_wall() -> None:
    offences = []
    for module, tree in MODULES.items():
        for name in imports_of(tree):
            allowed = WALLS.get(name.split(".")[0], (module,))
            if not any(f"{module}.".startswith(f"{room}.") for room in allowed):
                offences.append(f"{module} imports {name}")
    assert not offences, "\n".join(offences)


def test_a_task_whose_handle_is_kept_is_started_in_one_way() -> None:
    """`asyncio`'s own ways may run the work before they return its handle; where none is kept, that harms nobody."""
    offences = []
    for module, tree in MODULES.items():
        unkept = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                eager = node.func.attr in ("create_task", "ensure_future")
                if eager and id(node) not in unkept:
                    offences.append(f"{module}:{node.lineno}: use tasks.start_task")
    assert not offences, "\n".join(offences)


def differences(found: Mapping[str, object], allowed: Mapping[str, object]) -> str:
    """What to do about all that is not as it was written down here."""
    lines = [
        f"{name}: {found.get(name, 'nothing')}, where {allowed.get(name, 'nothing')} is written down"
        for name in sorted(found.keys() | allowed.keys())
        if found.get(name) != allowed.get(name)
    ]
    return "\n".join(["More: find another way. Less: write it down.", *lines])


@cache
def our_classes() -> Mapping[type, str]:
    """Our classes, and `module.Name` of each."""
    return {
        value: f"{module}.{value.__name__}"
        for module in MODULES
        if module != "__main__"
        for value in vars(importlib.import_module(f"tui_chat.{module}")).values()
        if isinstance(value, type) and value.__module__ == f"tui_chat.{module}"
    }


@cache
def source_of(module: str) -> ast.Module:
    return ast.parse(inspect.getsource(sys.modules[module]))


@cache
def body_of(kind: type) -> ast.ClassDef:
    """A class as it is written."""
    nodes = ast.walk(source_of(kind.__module__))
    return next(node for node in nodes if isinstance(node, ast.ClassDef) and node.name == kind.__name__)


def methods_of(kind: type) -> set[str]:
    return {node.name for node in body_of(kind).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_no_class_is_large_nor_put_together_by_inheritance() -> None:
    ours = our_classes()
    counts = {
        name: len(set[str]().union(*(methods_of(base) for base in kind.__mro__ if base in ours)))
        for kind, name in ours.items()
    }
    larger = {name: count for name, count in counts.items() if count > METHODS}
    assert not larger, f"More than {METHODS} methods: {larger}"


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def is_own(node: ast.Attribute) -> bool:
    of = node.value.func if isinstance(node.value, ast.Call) else node.value
    return isinstance(of, ast.Name) and of.id in ("self", "cls", "super")


@cache
def own_private_names(kind: type) -> frozenset[str]:
    """The underscored names that a class defines, or uses of its own instances."""
    body = body_of(kind)
    names = {node.attr for node in ast.walk(body) if isinstance(node, ast.Attribute) and is_own(node)}
    return frozenset(filter(is_private, names | methods_of(kind)))


def private_names_used() -> dict[str, set[str]]:
    """What each module uses of Textual's underscored names: of what it inherits, of other objects, of modules."""
    used: dict[str, set[str]] = defaultdict(set)
    anybodys: set[str] = set()
    for kind, name in our_classes().items():
        theirs = [own_private_names(base) for base in kind.__mro__ if base.__module__.startswith("textual.")]
        anybodys.update(*theirs)
        used[name.rpartition(".")[0]] |= own_private_names(kind).intersection(set().union(*theirs))
    for module, tree in MODULES.items():
        imports = [name for name in imports_of(tree) if name.startswith("textual.")]
        used[module].update(part for name in imports for part in name.split(".") if is_private(part))
        if imports:
            attributes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
            used[module] |= anybodys & {node.attr for node in attributes if not is_own(node)}
    return {module: names for module, names in used.items() if names}


def test_underscored_names_of_textual_are_used_only_where_they_were() -> None:
    used = private_names_used()
    assert used == PRIVATE, differences(used, PRIVATE)


def test_no_statement_numbers_its_placeholders() -> None:
    """Python 3.12.0 warns of them where values come in a sequence, and announces an error; not every Python does."""
    files = (PACKAGE / "store").glob("*.py")
    assert [file.name for file in files if re.search(r"\?\d", file.read_text())] == []
