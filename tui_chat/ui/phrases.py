"""The words of the status bar and of the lines around messages: from figures to text, without state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, set_cell_size

from tui_chat.chat.open_chat import OpenChat
from tui_chat.chat.progress import Phase, Progress
from tui_chat.errors import ChatError, Remedy
from tui_chat.messages import Message, Role, State, Usage

if TYPE_CHECKING:
    from tui_chat.ui.commands.keymap import Keymap

_CONNECT_GRACE: Final = 1.0
"""Seconds after which a request that got no answer is surely connected: a connection fails faster or says so."""
_REMEDIES: Final = {
    Remedy.RETRY: "{again} tries again.",
    Remedy.CONTINUE: "{again} continues it.",
    Remedy.CHOOSE_MODEL: "{models} chooses another model.",
    Remedy.PULL: "{models} chooses another model.",
    Remedy.CHOOSE_SERVER: "{servers} chooses another server.",
    Remedy.SET_KEY: "{servers}, then {servers-edit} sets the key.",
    Remedy.TRUST: "{servers}, then {servers-edit} sets what is trusted.",
    Remedy.NEW_CHAT: "{new-chat} starts a new chat.",
    Remedy.CHATS: "{chats} lists the chats.",
}
"""Which command helps, by its id, and what it does then."""


def advice(error: ChatError, keys: Keymap, *more: Remedy) -> str:
    """What helps against an error, and `more` besides, with the keys that are bound today."""
    remedies = [_REMEDIES[remedy] for remedy in (*filter(None, [error.remedy]), *more)]
    by_command = {template.partition(" ")[0]: template for template in reversed(remedies)}
    return " ".join(filter(None, [error.hint, *map(keys.hint, reversed(by_command.values()))]))


def count(number: int) -> str:
    """A number of tokens: 812, 3.2k, 128k."""
    if number < 1000:
        return str(number)
    thousands = number / 1024 if number % 1024 == 0 else number / 1000
    return f"{thousands:.1f}k".replace(".0k", "k") if thousands < 10 else f"{thousands:.0f}k"


def shortened(text: str, width: int) -> str:
    """`text` in at most `width` cells; a mark says that its end is missing."""
    if cell_len(text) <= width:
        return text
    room = max(0, width - 1)
    return f"{text[:room] if text.isascii() else set_cell_size(text, room)}…"


def duration(seconds: float) -> str:
    """A time: 0.4 s, 12 s, 3 min 5 s."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def phase(progress: Progress, model: str) -> str:
    """What the status bar says while a reply is on its way. Changes at most once a second while nothing comes."""
    waited = f"{progress.phase_seconds:.0f} s"
    match progress.phase:
        case Phase.QUEUED | Phase.COMMITTING:
            return "saving"
        case Phase.CONNECTING if progress.seconds < _CONNECT_GRACE:
            return "connecting"
        case Phase.CONNECTING | Phase.WAITING | Phase.PAUSING:
            return f"waiting for {model} · {progress.seconds:.0f} s"
        case Phase.READING:
            done, total = progress.read or (0, 0)
            return f"reading prompt {count(done)} of {count(total)} tok · {waited}"
        case Phase.THINKING:
            return f"thinking · {waited}{_speed(progress.speed)}"
        case Phase.ANSWERING:
            return f"{progress.speed:.0f} tok/s · {progress.pieces} tok" if progress.speed else "answering"
        case Phase.ENDED:
            return "done"


def badge(chat: OpenChat) -> str:
    """What a list says of an open chat: how far its reply is, or how it ended since somebody looked."""
    reply = chat.reply
    if reply is None or (reply.ended and chat.seen):
        return ""
    if reply.ended:
        return (ending(reply.message) if reply.message else "failed") or "new reply"
    progress = reply.progress
    if progress is None:
        return "being answered"
    speed = progress.speed if progress.phase is Phase.ANSWERING else None
    return f"● {speed:.0f} tok/s" if speed else f"● {doing(chat)}"


def doing(chat: OpenChat) -> str:
    """What the reply of a chat does now, in a word."""
    progress = chat.reply.progress if chat.reply else None
    words = {Phase.READING: "reading", Phase.THINKING: "thinking", Phase.ANSWERING: "answering"}
    return words.get(progress.phase, "waiting") if progress else "waiting"


def summary(message: Message) -> str:
    """What the status bar says when a reply has ended."""
    usage = message.usage or Usage()
    parts = [ending(message) or "done"]
    if usage.reply_tokens is not None:
        parts.append(f"{count(usage.reply_tokens)} tok")
    if usage.tokens_per_second:
        parts.append(f"{usage.tokens_per_second:.0f} tok/s")
    if message.first_token is not None:
        parts.append(f"first after {duration(message.first_token)}")
    if usage.prompt_tokens is not None:
        parts.append(f"prompt {count(usage.prompt_tokens)} tok")
    return " · ".join(parts)


def ending(message: Message) -> str:
    """How a reply ended, where it is not simply complete."""
    match message.state:
        case State.STOPPED:
            return "stopped"
        case State.INTERRUPTED:
            return "interrupted"
        case State.FAILED:
            return "failed"
        case State.STREAMING:
            return "being answered elsewhere"
        case State.COMPLETE if message.finish == "length":
            return "cut by length"
        case _:
            return ""


def heading(message: Message, version: tuple[int, int] | None = None) -> tuple[str, str]:
    """Who speaks, and the figures beside the name; `version`: which one of how many this is."""
    parts = [f"‹ {version[0]}/{version[1]} ›"] if version else []
    if message.role is not Role.ASSISTANT:
        return ("you" if message.role is Role.USER else message.role.value), "".join(parts)
    if message.usage and (speed := message.usage.tokens_per_second):
        parts.append(f"{speed:.0f} tok/s")
    if message.seconds is not None:
        parts.append(duration(message.seconds))
    return message.model or "assistant", " · ".join(parts)


def _speed(speed: float | None) -> str:
    return f" · {speed:.0f} tok/s" if speed else ""
