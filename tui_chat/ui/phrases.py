"""The words of the status bar and around messages: figures to text, without state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, set_cell_size

from tui_chat.chat.open_chat import OpenChat
from tui_chat.chat.progress import Phase, Progress
from tui_chat.errors import ChatError, Remedy
from tui_chat.messages import Message, Role, State, Usage
from tui_chat.servers.jobs import Job
from tui_chat.text.figures import duration

if TYPE_CHECKING:
    from tui_chat.ui.commands.keymap import Keymap

_CONNECT_GRACE: Final = 1.0
"""Seconds after which we say that we wait for the model: a failed connection is known by then."""
_JOB: Final = 20
"""Cells of a model's name that is pulled."""
_REMEDIES: Final = {
    Remedy.RETRY: "{again} tries again.",
    Remedy.CONTINUE: "{again} continues it.",
    Remedy.CHOOSE_MODEL: "{models} chooses another model.",
    Remedy.PULL: "{models} pulls it, or chooses another model.",
    Remedy.CHOOSE_SERVER: "{servers} chooses another server.",
    Remedy.SET_KEY: "{servers}, then {servers-edit} sets the key.",
    Remedy.TRUST: "{servers}, then {servers-edit} sets what is trusted.",
    Remedy.NEW_CHAT: "{new-chat} starts a new chat.",
    Remedy.CHATS: "{chats} lists the chats.",
}
"""The command that helps, by its id, and what it does."""


def advice(error: ChatError, keys: Keymap) -> str:
    """What helps against an error, with the keys that are bound today."""
    remedy = keys.hint(_REMEDIES[error.remedy]) if error.remedy else ""
    return f"{error.hint} {remedy}".strip()


def count(number: int) -> str:
    """A number of tokens: 812, 3.2k, 128k."""
    if number < 1000:
        return str(number)
    thousands = number / 1024 if number % 1024 == 0 else number / 1000
    return f"{thousands:.1f}k".replace(".0k", "k") if thousands < 10 else f"{thousands:.0f}k"


def shortened(text: str, width: int) -> str:
    """`text` in at most `width` cells; an ellipsis marks a cut."""
    if cell_len(text) <= width:
        return text
    room = max(0, width - 1)
    return f"{text[:room] if text.isascii() else set_cell_size(text, room)}…"


def phase(progress: Progress, model: str) -> str:
    """The status of a running reply. Changes at most once a second while nothing arrives."""
    if progress.dropped:
        return "connection lost · getting back to the reply"
    waited = f"{progress.phase_seconds:.0f} s"
    match progress.phase:
        case Phase.QUEUED | Phase.COMMITTING:
            return "saving"
        case Phase.CONNECTING if progress.seconds < _CONNECT_GRACE:
            return "connecting"
        case Phase.CONNECTING | Phase.WAITING | Phase.PAUSING:
            return f"waiting for {model} · {progress.seconds:.0f} s"
        case Phase.LOADING:
            return f"loading {model} {progress.loaded} % · {waited}"
        case Phase.READING:
            done, total = progress.read or (0, 0)
            return f"reading prompt {count(done)} of {count(total)} tok · {waited}"
        case Phase.THINKING:
            return f"thinking · {waited}" + (f" · {progress.speed:.0f} tok/s" if progress.speed else "")
        case Phase.ANSWERING:
            return f"{progress.speed:.0f} tok/s · {progress.pieces} tok" if progress.speed else "answering"
        case Phase.ENDED:
            return "done"


def badge(chat: OpenChat | None) -> str:
    """The state of an open chat for the list of chats: how far its reply is, or an end that was not seen yet."""
    reply = chat.reply if chat else None
    if chat is None or reply is None or (reply.ended and chat.seen):
        return ""
    if reply.ended:
        return (ending(reply.message) if reply.message else "failed") or "new reply"
    progress = reply.progress
    if progress is None:
        return "replying"
    speed = progress.speed if progress.phase is Phase.ANSWERING else None
    return f"● {speed:.0f} tok/s" if speed else f"● {doing(chat)}"


def doing(chat: OpenChat) -> str:
    """What the reply of a chat does now, in a word."""
    progress = chat.reply.progress if chat.reply else None
    words = {Phase.READING: "reading", Phase.THINKING: "thinking", Phase.ANSWERING: "answering"}
    return words.get(progress.phase, "waiting") if progress else "waiting"


def working(jobs: Sequence[Job]) -> str:
    """What goes on in the background: `pulling qwen3:4b 43 %`, `2 pulls 43 %`."""
    if not jobs:
        return ""
    whole = sum(job.tally.total for job in jobs)
    far = f" {100 * sum(job.tally.done for job in jobs) // whole:>2} %" if whole else ""
    if len(jobs) > 1:
        return f"{len(jobs)} models on their way{far}"
    (job,) = jobs
    return f"{job.kind}ing {shortened(job.model.rpartition('/')[2], _JOB)}{far}"


def still_running(replies: int, pulls: int) -> str:
    """What a quit would stop; empty if nothing runs."""
    counts = ((replies, "reply", "replies"), (pulls, "pull", "pulls"))
    running = [f"a {one}" if number == 1 else f"{number} {many}" for number, one, many in counts if number]
    verb = "is" if replies + pulls == 1 else "are"
    words = f"{' and '.join(running)} {verb} still running."
    return words[0].upper() + words[1:] if running else ""


def summary(message: Message) -> str:
    """The status after a reply has ended."""
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
    """How a reply ended; empty if it is complete."""
    if message.state is State.COMPLETE:
        return "cut by length" if message.finish == "length" else ""
    return "replying elsewhere" if message.state is State.STREAMING else message.state.value


def heading(message: Message, version: tuple[int, int] | None = None) -> tuple[str, str]:
    """The name above a message and the figures beside it; `version`: its number, of how many."""
    parts = [f"‹ {version[0]}/{version[1]} ›"] if version else []
    if message.role is not Role.ASSISTANT:
        return ("you" if message.role is Role.USER else message.role.value), "".join(parts)
    if message.usage and (speed := message.usage.tokens_per_second):
        parts.append(f"{speed:.0f} tok/s")
    if message.seconds is not None:
        parts.append(duration(message.seconds))
    return message.model or "assistant", " · ".join(parts)
