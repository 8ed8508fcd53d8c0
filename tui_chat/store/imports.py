"""Chats from exported files: ours, ChatGPT's `conversations.json`, Open WebUI's chat export.

The files are untrusted: values are checked and sanitised, and all errors are `StoreError`s.
"""

from __future__ import annotations

import base64
import contextlib
import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Final

from tui_chat.errors import StoreError
from tui_chat.messages import Message, Role, State
from tui_chat.parameters import valid_parameters
from tui_chat.parts import Blob, File, Image, Part, Thinking, attached, parts_of
from tui_chat.store.export import FORMAT, FORMAT_VERSION
from tui_chat.store.fields import Fields
from tui_chat.store.parts import part_of
from tui_chat.store.values import Chat, Place, Thread, title_of
from tui_chat.text.sanitize import clean

_HINT = (
    "tui-chat imports the JSON of `tui-chat export`, ChatGPT's conversations.json and Open WebUI's chat export."
)
_CHAT: Final[Mapping[str, Callable[[Fields, str], object]]] = {
    "id": Fields.needed,
    "leaf": Fields.optional_line,
    "deleted": Fields.optional_time,
    **dict.fromkeys(("title", "model", "server"), Fields.line),
    **dict.fromkeys(("system", "draft"), Fields.text),
    **dict.fromkeys(("created", "updated"), Fields.time),
}
_MESSAGE: Final[Mapping[str, Callable[[Fields, str], object]]] = {
    "id": Fields.needed,
    "parent": Fields.optional_line,
    "created": Fields.time,
    "error": Fields.text,
    **dict.fromkeys(("model", "server", "finish"), Fields.line),
    **dict.fromkeys(("first_token", "seconds"), Fields.number),
}
_KINDS = ("text", "thinking", "image", "file", "tool_call", "tool_result")


def read_export(text: str) -> tuple[Thread, ...]:
    """The chats in an exported file's text, in any of the three formats.

    Chats of other programs get the same ids each time, so that importing twice adds nothing.

    Raises:
        StoreError: the format is unknown, or the file is broken.
    """
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StoreError("This is not a JSON file.", _HINT) from error
    if isinstance(document, dict) and document.get("format") == FORMAT:
        return _ours(Fields(document))
    chats = Fields({"chats": document if isinstance(document, list) else [document]}).objects("chats")
    if chats and all("mapping" in chat.raw for chat in chats):
        return tuple(_chatgpt(chat) for chat in chats)
    if chats and all("chat" in chat.raw for chat in chats):
        return tuple(_openwebui(chat) for chat in chats)
    raise StoreError("This file has no chats in a known format.", _HINT)


def _ours(document: Fields) -> tuple[Thread, ...]:
    version = document.number("version")
    if version is None or version > FORMAT_VERSION:
        raise StoreError("This file was exported by a newer tui-chat.", "Update tui-chat.")
    return tuple(_thread(chat) for chat in document.objects("chats"))


def _thread(chat: Fields) -> Thread:
    messages = tuple(_message(message) for message in chat.objects("messages"))
    seen: set[str] = set()
    for message in messages:
        if message.id in seen or (message.parent is not None and message.parent not in seen):
            raise StoreError(f"The file is broken: message {message.id} has no parent, or is there twice.", _HINT)
        seen.add(message.id)
    place, queue = chat.object("place"), chat.raw.get("queue")
    read = Chat(
        **_read(chat, _CHAT),
        parameters=valid_parameters(chat.raw.get("parameters")),
        pinned=bool(chat.raw.get("pinned")),
        place=Place(place.line("message"), place.count("row") or 0) if place.raw else None,
        queue=tuple(clean(str(prompt)) for prompt in queue) if isinstance(queue, list) else (),
    )
    return Thread(read, messages)


def _message(message: Fields) -> Message:
    usage = None if message.raw.get("usage") is None else message.object("usage").usage()
    role, state = message.one_of(Role, "role"), message.one_of(State, "state")
    return Message(role, _parts(message), state=state, usage=usage, **_read(message, _MESSAGE))


def _read(told: Fields, readers: Mapping[str, Callable[[Fields, str], object]]) -> dict[str, Any]:
    return {name: read(told, name) for name, read in readers.items()}


def _parts(message: Fields) -> tuple[Part, ...]:
    """The parts of a message, also from version 1's text, thinking and attachments."""
    if "parts" in message.raw:
        return tuple(_part(part) for part in message.objects("parts"))
    attachments = message.objects("attachments")
    files = [attached(file.line("name"), file.line("mime"), _blob(file)) for file in attachments]
    return parts_of(message.text("text"), message.text("thinking"), files)


def _part(part: Fields) -> Part:
    kind = part.needed("kind")
    if kind not in _KINDS:
        raise StoreError(
            f"The file is broken: a message has a part of the unknown kind {kind}.", "Export it again."
        )
    text = part.text("arguments" if kind == "tool_call" else "text")
    return part_of(kind, text, part.line("name"), part.line("mime"), part.line("id"), _blob(part))


def _blob(file: Fields) -> Blob:
    if file.raw.get("data") is None:
        return _lost_blob(file)
    try:
        return Blob.of(base64.b64decode(file.text("data"), validate=True))
    except ValueError as error:
        raise StoreError(
            "The file is broken: the data of an attached file is invalid.", "Export it again."
        ) from error


_REASONING: Final = re.compile(
    r'<details type="reasoning"[^<>]*>\s*(?:<summary>.*?</summary>)?(.*?)(?:</details>\s*|\Z)', re.DOTALL
)
_DATA_URL: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,(.*)", re.DOTALL)
_BIGGEST: Final = 1 << 40
"""Largest size in bytes that is believed."""


@dataclass(frozen=True, slots=True)
class _Node:
    """A node of a foreign tree. Its message has no id and parent yet; None if the node is empty."""

    parent: str | None
    message: Message | None
    thinking: str = ""
    """The thinking of a node without a message; it belongs to the replies below."""


def _chatgpt(chat: Fields) -> Thread:
    """A conversation of ChatGPT's export: `mapping` of nodes, `current_node` on screen."""
    mapping = chat.object("mapping")
    nodes = {key: _chatgpt_node(mapping.object(key)) for key in mapping.raw}
    return _tree(
        chat.line("conversation_id") or chat.line("id") or _digest(*nodes),
        nodes,
        chat.optional_line("current_node"),
        Chat(title=chat.line("title"), created=chat.time("create_time"), updated=chat.time("update_time")),
    )


def _openwebui(export: Fields) -> Thread:
    """A chat of Open WebUI's export: `chat.history.messages`, `chat.history.currentId` on screen."""
    chat = export.object("chat")
    history = chat.object("history")
    messages = history.object("messages")
    nodes = {key: _openwebui_node(messages.object(key)) for key in messages.raw}
    created = export.time("created_at") or chat.time("timestamp", ticks=1000)
    return _tree(
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
    message = node.object("message")
    content, meta = message.object("content"), message.object("metadata")
    if content.raw.get("content_type") == "thoughts":
        thoughts = [thought.text("content") for thought in content.objects("thoughts")]
        return _Node(parent, None, "\n\n".join(filter(None, thoughts)))
    cut = State.STOPPED if message.raw.get("status") == "in_progress" else State.COMPLETE
    made = _made(
        message.object("author").line("role"),
        parts_of(_joined(content.raw.get("parts") or content.raw.get("text")), files=_attachments(meta)),
        meta.line("model_slug"),
        cut,
        message.time("create_time"),
    )
    return _Node(parent, None if meta.raw.get("is_visually_hidden_from_conversation") else made)


def _openwebui_node(node: Fields) -> _Node:
    role, text, thinking = node.line("role"), _joined(node.raw.get("content")), ""
    if role == Role.ASSISTANT:
        thinking = "\n\n".join(_unquoted(block) for block in _REASONING.findall(text))
        text = _REASONING.sub("", text)
    parts = parts_of(text.lstrip("\n"), thinking, _images(node))
    cut = State.INTERRUPTED if node.raw.get("done") is False else State.COMPLETE
    return _Node(
        node.optional_line("parentId"), _made(role, parts, node.line("model"), cut, node.time("timestamp"))
    )


def _made(name: str, parts: tuple[Part, ...], model: str, state: State, created: float) -> Message | None:
    """A message; None if it is empty or its role unknown. Only replies have a model."""
    role = next((role for role in Role if role == name), None)
    if role is None or not parts:
        return None
    if role is not Role.ASSISTANT:
        return Message(role, parts, created=created)
    return Message(role, parts, model=model, state=state, created=created)


def _tree(key: str, nodes: Mapping[str, _Node], current: str | None, chat: Chat) -> Thread:
    """The messages of the nodes, each below that of its nearest ancestor with a message."""
    kept: list[Message] = []
    last: dict[str, tuple[str | None, str]] = {}
    """By node: the last message on its path, and the thinking since."""
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
    """The nodes in the file's order, but parents first. A cycle is cut where it was entered."""
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
    """The text of a message's content: a text, or a list of texts and of objects with `text`."""
    if isinstance(content, str):
        return clean(content)
    parts = content if isinstance(content, list) else []
    texts = (part.get("text") if isinstance(part, dict) else part for part in parts)
    return clean("\n\n".join(text for text in texts if isinstance(text, str) and text))


def _lost_blob(file: Fields) -> Blob:
    """The blob of a file whose bytes are not in the export."""
    return Blob("", min(max(0, file.count("size") or 0), _BIGGEST))


def _attachments(meta: Fields) -> list[Image | File]:
    """The files of a ChatGPT message: the export has their names, not their bytes."""
    with contextlib.suppress(StoreError):  # a broken entry must not lose the message
        files = meta.objects("attachments")
        return [attached(file.line("name"), file.line("mimeType"), _lost_blob(file)) for file in files]
    return []


def _images(node: Fields) -> list[Image | File]:
    images: list[Image | File] = []
    with contextlib.suppress(StoreError, ValueError):  # a broken image must not lose the message
        for file in node.objects("files"):
            if match := _DATA_URL.fullmatch(file.text("url")):
                name = file.line("name") or f"image-{len(images) + 1}"
                images.append(attached(name, match[1], Blob.of(base64.b64decode(match[2]))))
    return images


def _unquoted(block: str) -> str:
    """The thinking in a `<details>` block, whose lines are quoted and HTML-escaped."""
    return clean(html.unescape("\n".join(re.sub(r"^> ?", "", line) for line in block.strip().splitlines())))


def _digest(*parts: str) -> str:
    """A stable id for a chat or message."""
    return blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=8).hexdigest()
