"""A chat from elsewhere becomes one of ours, or adds to the one that we have of it."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from tui_chat.messages import State
from tui_chat.store import chats, nodes
from tui_chat.store.owner import ProcessId
from tui_chat.store.values import Thread


def adopt(connection: sqlite3.Connection, thread: Thread, owner: ProcessId) -> bool:
    """Add a chat, or those of its messages that are not there, and bring it back if it was deleted.

    Whether anything changed. What streamed is interrupted.

    Raises:
        StoreError: a message's id is used by another chat.
    """
    chat = thread.chat
    row = connection.execute("SELECT deleted, leaf FROM chats WHERE id = ?", (chat.id,)).fetchone()
    if row is None:
        chats.insert(connection, replace(chat, deleted=None))
    known = {key for (key,) in connection.execute("SELECT id FROM messages WHERE chat = ?", (chat.id,))}
    news = [message for message in thread.messages if message.id not in known]
    for message in news:
        settled = replace(message, state=State.INTERRUPTED) if message.state is State.STREAMING else message
        nodes.save(connection, chat.id, settled, owner, chat.updated)
    leaf = row[1] if row else None
    shown = {message.id for message in thread.branch()}
    if shown and (leaf in shown or leaf not in known):
        leaf = chat.leaf
    if row is None:
        chats.update(connection, chat.id, {"title": chat.title} if chat.title else {})
    elif row[0] is not None:
        chats.mark_deleted(connection, chat.id, None)
    if leaf is not None and news:
        chats.update(connection, chat.id, {"leaf": leaf})
    return row is None or row[0] is not None or bool(news)
