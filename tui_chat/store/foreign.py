"""The export formats of ChatGPT and Open WebUI, as values. Both keep a tree of nodes in an object."""

from __future__ import annotations

import base64
import contextlib
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Final

from tui_chat.errors import StoreError
from tui_chat.messages import Message, Role, State
from tui_chat.parts import Blob, File, Image, Thinking, attached, parts_of
from tui_chat.store.fields import Fields, fields, listed
from tui_chat.store.values import Chat, Thread, title_of
from tui_chat.text.sanitize import clean, clean_line

_REASONING: Final = re.compile(
    r'<details type="reasoning"[^<>]*>\s*(?:<summary>.*?</summary>)?(.*?)(?:</details>\s*|\Z)', re.DOTALL
)
_DATA_URL: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,(.*)", re.DOTALL)
_BIGGEST: Final = 1 << 40
"""Bytes that a file can have of which an export tells the size alone."""


@dataclass(frozen=True, slots=True)
class _Node:
    """A node of a foreign tree: its message without id and parent, or None where it holds nothing to keep."""

    parent: str | None
    message: Message | None
    thinking: str = ""
    """Thinking that stands in a node of its own and belongs to the replies below it."""


def chatgpt(chat: Fields) -> Thread:
    """A conversation of ChatGPT's export: `mapping` of nodes, `current_node` on screen.

    Raises:
        StoreError: a value is not what it should be.
    """
    nodes = {key: _chatgpt_node(fields(value)) for key, value in fields(chat.raw.get("mapping")).raw.items()}
    return _thread(
        chat.line("conversation_id") or chat.line("id") or _digest(*nodes),
        nodes,
        chat.optional_line("current_node"),
        Chat(title=chat.line("title"), created=chat.time("create_time"), updated=chat.time("update_time")),
    )


def openwebui(export: Fields) -> Thread:
    """A chat of Open WebUI's export: `chat.history.messages`, `chat.history.currentId` on screen.

    Raises:
        StoreError: a value is not what it should be.
    """
    chat = fields(export.raw.get("chat"))
    history = fields(chat.raw.get("history"))
    nodes = {key: _openwebui_node(fields(value)) for key, value in fields(history.raw.get("messages")).raw.items()}
    created = export.time("created_at") or chat.time("timestamp", ticks=1000)
    return _thread(
        export.line("id") or chat.line("id") or _digest(*nodes),
        nodes,
        history.optional_line("currentId"),
        Chat(
            title=export.line("title") or chat.line("title"),
            created=created,
            updated=export.time("updated_at") or created,
            system=chat.text("system"),
            pinned=bool(export.raw.get("pinned")),
        ),
    )


def _chatgpt_node(node: Fields) -> _Node:
    parent = node.optional_line("parent")
    if node.raw.get("message") is None:
        return _Node(parent, None)
    message = fields(node.raw["message"])
    meta = fields(message.raw.get("metadata") or {})
    role = _role(fields(message.raw.get("author") or {}).line("role"))
    content = fields(message.raw.get("content") or {})
    if content.raw.get("content_type") == "thoughts":
        thoughts = [fields(thought).text("content") for thought in listed(content.raw.get("thoughts") or [])]
        return _Node(parent, None, "\n\n".join(filter(None, thoughts)))
    text = _joined(content.raw.get("parts") or content.raw.get("text"))
    files = _attachments(meta.raw.get("attachments"))
    if role is None or not (text or files) or meta.raw.get("is_visually_hidden_from_conversation"):
        return _Node(parent, None)
    state = (
        State.STOPPED if message.raw.get("status") == "in_progress" and role is Role.ASSISTANT else State.COMPLETE
    )
    model = meta.line("model_slug") if role is Role.ASSISTANT else ""
    created = message.time("create_time")
    return _Node(parent, Message(role, parts_of(text, files=files), model=model, state=state, created=created))


def _openwebui_node(node: Fields) -> _Node:
    parent = node.optional_line("parentId")
    role = _role(node.line("role"))
    raw = _joined(node.raw.get("content"))
    files = _images(node.raw.get("files"))
    if role is None or not (raw or files):
        return _Node(parent, None)
    thinking = "\n\n".join(_unquoted(block) for block in _REASONING.findall(raw))
    text = _REASONING.sub("", raw) if role is Role.ASSISTANT else raw
    cut = role is Role.ASSISTANT and node.raw.get("done") is False
    message = Message(
        role,
        parts_of(text.lstrip("\n"), thinking if role is Role.ASSISTANT else "", files),
        model=node.line("model") if role is Role.ASSISTANT else "",
        state=State.INTERRUPTED if cut else State.COMPLETE,
        created=node.time("timestamp"),
    )
    return _Node(parent, message)


def _thread(key: str, nodes: Mapping[str, _Node], current: str | None, chat: Chat) -> Thread:
    """The tree of the nodes that hold messages, each below its nearest ancestor that does too."""
    kept: list[Message] = []
    last: dict[str, tuple[str | None, str]] = {}
    """Of each node: the last message on the way to it, and the thinking behind that."""
    for name in _parents_first(nodes):
        node = nodes[name]
        parent, thinking = last.get(node.parent or "", (None, ""))
        if node.message is None:
            last[name] = (parent, "\n\n".join(filter(None, (thinking, node.thinking))))
            continue
        message = replace(
            node.message, id=_digest(key, name), parent=parent, created=node.message.created or chat.created
        )
        if thinking and message.role is Role.ASSISTANT and not message.thinking:
            message = replace(message, parts=(Thinking(thinking), *message.parts))
        kept.append(message)
        last[name] = (message.id, "")
    leaf, _ = last.get(current or "", (None, ""))
    prompt = next((message.text for message in kept if message.role is Role.USER), "")
    chat = replace(
        chat,
        id=_digest(key),
        title=chat.title or title_of(prompt),
        model=next((message.model for message in reversed(kept) if message.model), ""),
        leaf=leaf or (kept[-1].id if kept else None),
    )
    return Thread(chat, tuple(kept))


def _parents_first(nodes: Mapping[str, _Node]) -> list[str]:
    """The nodes in the file's order, but each after its parent. A circle is cut where it was entered."""
    order: dict[str, None] = {}
    for name in nodes:
        path: dict[str, None] = {}
        node: str | None = name
        while node is not None and node in nodes and node not in order and node not in path:
            path[node] = None
            node = nodes[node].parent
        order |= dict.fromkeys(reversed(path))
    return list(order)


def _joined(content: object) -> str:
    """The texts of a message's content: a text, or a list of texts and of objects with one."""
    if isinstance(content, str):
        return clean(content)
    parts = content if isinstance(content, list) else []
    texts = (part.get("text") if isinstance(part, dict) else part for part in parts)
    return clean("\n\n".join(text for text in texts if isinstance(text, str) and text))


def lost_blob(file: Fields) -> Blob:
    """The blob of a file whose bytes are not in the export: only its size is known, if at all."""
    return Blob("", min(max(0, file.count("size") or 0), _BIGGEST))


def _attachments(files: object) -> list[Image | File]:
    """The files of a ChatGPT message, which the export only tells of: their bytes are not in it."""
    made: list[Image | File] = []
    for told in files if isinstance(files, list) else []:
        with contextlib.suppress(StoreError):  # no reason to lose what was said about it
            file = fields(told)
            made.append(attached(file.line("name"), file.line("mimeType"), lost_blob(file)))
    return made


def _images(files: object) -> list[Image | File]:
    images: list[Image | File] = []
    for file in files if isinstance(files, list) else []:
        url: Any = file.get("url") if isinstance(file, dict) else None
        match = _DATA_URL.fullmatch(url) if isinstance(url, str) else None
        if match is not None:
            name = clean_line(str(file.get("name") or f"image-{len(images) + 1}"))
            with contextlib.suppress(ValueError):  # a broken image is no reason to lose what was said about it
                images.append(attached(name, match[1], Blob.of(base64.b64decode(match[2]))))
    return images


def _unquoted(block: str) -> str:
    """The thinking in a `<details>` block, where each line is quoted and HTML's characters are written out."""
    return clean(html.unescape("\n".join(re.sub(r"^> ?", "", line) for line in block.strip().splitlines())))


def _role(name: str) -> Role | None:
    return next((role for role in Role if role == name), None)


def _digest(*parts: str) -> str:
    """An id that is the same for the same chat or message each time."""
    return blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=8).hexdigest()
