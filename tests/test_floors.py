"""The architecture as a failing test: a module knows only what lies below it (`design.md`, rooms and floors)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "tui_chat"

FLOORS = (
    ("errors", "messages", "servers", "tasks"),
    ("events", "text", "key_command", "output"),
    ("protocol",),
    ("config", "store"),
    ("backends",),
    ("conversation",),
    ("terminal", "relay"),
    ("ui",),
    ("shell",),
    ("cli",),
    ("__main__",),
)
"""Rooms from the ground up; rooms of one floor do not know each other."""

WALLS = {
    "httpx": ("backends.http",),
    "sqlite3": ("store",),
    "textual": ("ui", "terminal"),
    "rich": ("ui", "terminal"),
    "starlette": ("relay",),
    "uvicorn": ("relay",),
    "markdown_it": ("ui.markdown",),
    "pygments": ("ui.markdown",),
}
"""Libraries, and the only modules that may import them."""

FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_imports_only_from_lower_floors(path: Path) -> None:
    room = name_of(path).split(".")[0]
    for name in imports_of(path):
        package, _, rest = name.partition(".")
        if package != "tui_chat" or not rest or rest == "__version__":
            continue
        other = rest.split(".")[0]
        below = FLOOR_OF[other] < FLOOR_OF[room]
        assert other == room or below, f"{room} (floor {FLOOR_OF[room]}) imports {name} (floor {FLOOR_OF[other]})"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_library_stays_behind_its_wall(path: Path) -> None:
    module = name_of(path)
    for name in imports_of(path):
        allowed = WALLS.get(name.split(".")[0])
        if allowed is not None:
            assert any(module == room or module.startswith(room + ".") for room in allowed), (
                f"{module} imports {name}"
            )


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_task_whose_handle_is_kept_is_started_in_one_way(path: Path) -> None:
    """`asyncio`'s own ways may run the work before they return its handle; where none is kept, that harms nobody."""
    tree = ast.parse(path.read_text())
    unkept = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            eager = node.func.attr in ("create_task", "ensure_future")
            assert not eager or id(node) in unkept, f"{path.name}:{node.lineno}: use tasks.start_task"
