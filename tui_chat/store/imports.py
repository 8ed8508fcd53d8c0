"""Chats from exported files: ours, ChatGPT's `conversations.json`, Open WebUI's chat export.

The files are untrusted: values are sanitised, and a broken one reads as empty, so that it does not hide the rest.
"""

from __future__ import annotations

import base64
import contextlib
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from hashlib import blake2b
from typing import Any, Final

from tui_chat.errors import StoreError
from tui_chat.messages import Message, Role, State
from tui_chat.parts import Blob, File, Image, Part, Thinking, attached, parts_of
from tui_chat.store.export import FORMAT, FORMAT_VERSION
from tui_chat.store.fields import decoded, state_of, time_of
from tui_chat.store.parts import part_of
from tui_chat.store.values import Chat, Thread, title_of
from tui_chat.text.sanitize import clean, clean_line
from tui_chat.untrusted import count_of, object_of, objects_of, parsed, text_of

_HINT = (
    "tui-chat imports the JSON of `tui-chat export`, ChatGPT's conversations.json and Open WebUI's chat export."
)
_CHAT: Final = [field.name for field in fields(Chat)]
_MESSAGE: Final = [field.name for field in fields(Message) if field.name != "parts"]

Told = Mapping[str, object]
"""A JSON object, of which nothing is sure."""


def read_export(text: str) -> tuple[Thread, ...]:
    """The chats in an exported file's text, in any of the three formats.

    Chats of other programs get the same ids each time, so that importing twice adds nothing.

    Raises:
        StoreError: the format is unknown, or the file is broken.
    """
    document = parsed(text)
    if document is None:
        raise StoreError("This is not a JSON file.", _HINT)
    if isinstance(document, dict) and document.get("format") == FORMAT:
        return _ours(document)
    chats = document if isinstance(document, list) else [document]
    if chats and all(isinstance(chat, dict) and "mapping" in chat for chat in chats):
        return tuple(map(_chatgpt, chats))
    if chats and all(isinstance(chat, dict) and "chat" in chat for chat in chats):
        return tuple(map(_openwebui, chats))
    raise StoreError("This file has no chats in a known format.", _HINT)


def _ours(document: Told) -> tuple[Thread, ...]:
    version = count_of(document, "version")
    if version is None or version > FORMAT_VERSION:
        raise StoreError("This file was exported by a newer tui-chat.", "Update tui-chat.")
    return tuple(_thread(chat) for chat in objects_of(document, "chats", None))


def _thread(told: Told) -> Thread:
    chat = Chat(**_filled(told, _CHAT))
    messages = tuple(_message(message) for message in objects_of(told, "messages", None))
    seen: set[str | None] = {None}
    for message in messages:
        if message.id in seen or message.parent not in seen:
            raise StoreError(f"The file is broken: message {message.id} has no parent, or is there twice.", _HINT)
        seen.add(message.id)
    return Thread(chat, messages)


def _message(told: Told) -> Message:
    parts = tuple(_part(part) for part in objects_of(told, "parts", None))
    if "parts" not in told:  # version 1
        files = _attachments(told, "mime")
        parts = parts_of(clean(text_of(told, "text")), clean(text_of(told, "thinking")), files)
    state = state_of(told.get("state"), growing=True)
    return Message(**{"role": Role.USER, **_filled(told, _MESSAGE), "state": state, "parts": parts})


def _filled(told: Told, names: list[str]) -> dict[str, Any]:
    """The fields that an object has.

    Raises:
        StoreError: it has no id.
    """
    if not text_of(told, "id"):
        raise StoreError("The file is broken: a chat or a message has no id.", _HINT)
    values = decoded(names, map(told.get, names))
    return {name: value for name, value in values.items() if value is not None}


def _part(part: Told) -> Part:
    kind = text_of(part, "kind")
    text = clean(text_of(part, "arguments" if kind == "tool_call" else "text"))
    return part_of(kind, text, _line(part, "name"), _line(part, "mime"), _line(part, "id"), _blob(part))


def _blob(file: Told) -> Blob:
    """The blob of a file; without its bytes if the export does not have them."""
    with contextlib.suppress(ValueError):
        if isinstance(data := file.get("data"), str):
            return Blob.of(base64.b64decode(data, validate=True))
    return Blob("", min(count_of(file, "size") or 0, _BIGGEST))


_REASONING: Final = re.compile(
    r'<details type="reasoning"[^<>]*>\s*(?:<summary>.*?</summary>)?(.*?)(?:</details>\s*|\Z)', re.DOTALL
)
_DATA_URL: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,(.*)", re.DOTALL)
_BIGGEST: Final = 1 << 40
"""Largest size in bytes that is believed."""


@dataclass(frozen=True, slots=True)
class _Node:
    """A node of a foreign tree. Its message has no id and parent yet; None if the node is empty."""

    parent: str
    message: Message | None
    thinking: str = ""
    """The thinking of a node without a message; it belongs to the replies below."""


def _chatgpt(chat: Told) -> Thread:
    """A conversation of ChatGPT's export: `mapping` of nodes, `current_node` on screen."""
    mapping = object_of(chat, "mapping")
    nodes = {key: _chatgpt_node(object_of(mapping, key)) for key in mapping}
    return _tree(
        _line(chat, "conversation_id") or _line(chat, "id") or _digest(*nodes),
        nodes,
        _line(chat, "current_node"),
        Chat(
            title=_line(chat, "title"),
            created=time_of(chat.get("create_time")),
            updated=time_of(chat.get("update_time")),
        ),
    )


def _openwebui(export: Told) -> Thread:
    """A chat of Open WebUI's export: `chat.history.messages`, `chat.history.currentId` on screen."""
    chat = object_of(export, "chat")
    history = object_of(chat, "history")
    messages = object_of(history, "messages")
    nodes = {key: _openwebui_node(object_of(messages, key)) for key in messages}
    created = time_of(export.get("created_at")) or time_of(chat.get("timestamp"), ticks=1000)
    return _tree(
        _line(export, "id") or _line(chat, "id") or _digest(*nodes),
        nodes,
        _line(history, "currentId"),
        Chat(
            title=_line(export, "title") or _line(chat, "title"),
            created=created,
            updated=time_of(export.get("updated_at")) or created,
            system=clean(text_of(chat, "system")),
            pinned=bool(export.get("pinned")),
        ),
    )


def _chatgpt_node(node: Told) -> _Node:
    parent = _line(node, "parent")
    message = object_of(node, "message")
    content, meta = object_of(message, "content"), object_of(message, "metadata")
    if content.get("content_type") == "thoughts":
        thoughts = [clean(text_of(thought, "content")) for thought in objects_of(content, "thoughts")]
        return _Node(parent, None, "\n\n".join(filter(None, thoughts)))
    cut = State.STOPPED if message.get("status") == "in_progress" else State.COMPLETE
    made = _made(
        text_of(object_of(message, "author"), "role"),
        parts_of(_joined(content.get("parts") or content.get("text")), files=_attachments(meta, "mimeType")),
        _line(meta, "model_slug"),
        cut,
        time_of(message.get("create_time")),
    )
    return _Node(parent, None if meta.get("is_visually_hidden_from_conversation") else made)


def _openwebui_node(node: Told) -> _Node:
    role, text, thinking = text_of(node, "role"), _joined(node.get("content")), ""
    if role == Role.ASSISTANT:
        thinking = "\n\n".join(_unquoted(block) for block in _REASONING.findall(text))
        text = _REASONING.sub("", text)
    parts = parts_of(text.lstrip("\n"), thinking, _images(node))
    cut = State.INTERRUPTED if node.get("done") is False else State.COMPLETE
    made = _made(role, parts, _line(node, "model"), cut, time_of(node.get("timestamp")))
    return _Node(_line(node, "parentId"), made)


def _made(name: str, parts: tuple[Part, ...], model: str, state: State, created: float) -> Message | None:
    """A message; None if it is empty or its role unknown. Only replies have a model."""
    role = next((role for role in Role if role == name), None)
    if role is None or not parts:
        return None
    if role is not Role.ASSISTANT:
        return Message(role, parts, created=created)
    return Message(role, parts, model=model, state=state, created=created)


def _tree(key: str, nodes: Mapping[str, _Node], current: str, chat: Chat) -> Thread:
    """The messages of the nodes, each below that of its nearest ancestor with a message."""
    kept: list[Message] = []
    last: dict[str, tuple[str | None, str]] = {}
    """By node: the last message on its path, and the thinking since."""
    for name in _parents_first(nodes):
        node = nodes[name]
        parent, thinking = last.get(node.parent, (None, ""))
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
    leaf, _ = last.get(current, (None, ""))
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
    """The nodes in the file's order, but parents first. A cycle is cut where it was entered."""
    order: dict[str, None] = {}
    for name in nodes:
        path: dict[str, None] = {}
        node = name
        while node in nodes and node not in order and node not in path:
            path[node] = None
            node = nodes[node].parent
        order |= dict.fromkeys(reversed(path))
    return list(order)


def _joined(content: object) -> str:
    """The text of a message's content: a text, or a list of texts and of objects with `text`."""
    if isinstance(content, str):
        return clean(content)
    parts = content if isinstance(content, list) else []
    texts = (part.get("text") if isinstance(part, dict) else part for part in parts)
    return clean("\n\n".join(text for text in texts if isinstance(text, str) and text))


def _attachments(told: Told, mime: str) -> list[File]:
    """The files of a message, whose media type is in the field `mime`. ChatGPT's export has not their bytes."""
    files = objects_of(told, "attachments")
    return [attached(_line(file, "name"), _line(file, mime), _blob(file)) for file in files]


def _images(node: Told) -> list[Image | File]:
    images: list[Image | File] = []
    for file in objects_of(node, "files"):
        with contextlib.suppress(ValueError):  # a broken image must not lose the message
            if match := _DATA_URL.fullmatch(text_of(file, "url")):
                name = _line(file, "name") or f"image-{len(images) + 1}"
                images.append(attached(name, match[1], Blob.of(base64.b64decode(match[2]))))
    return images


def _line(told: Told, name: str) -> str:
    return clean_line(text_of(told, name))


def _unquoted(block: str) -> str:
    """The thinking in a `<details>` block, whose lines are quoted and HTML-escaped."""
    return clean(html.unescape("\n".join(re.sub(r"^> ?", "", line) for line in block.strip().splitlines())))


def _digest(*parts: str) -> str:
    """A stable id for a chat or message."""
    return blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=8).hexdigest()
