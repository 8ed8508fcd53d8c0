"""The header's gauge, and the warning of a chat that is larger than what the model sees."""

from __future__ import annotations

from tests.server import ScriptedServer, done, end, head, reply, token
from tests.ui.kit import AppDriver, driven


def warnings(run: AppDriver) -> list[str]:
    return [note.message for note in run.app._notifications if "tokens at once" in note.message]


async def test_a_prompt_larger_than_the_window_is_warned_of_when_it_is_sent_and_once() -> None:
    async with ScriptedServer() as server, driven(server, size=(120, 40)) as run:
        for _ in range(2):
            server.script(*reply("ok"))
        run.app.workspace.connection.window = 4096
        await run.say("word " * 5000)
        await run.until(lambda: bool(warnings(run)))
        assert "sees 4k tokens at once, and this chat has about 5k" in warnings(run)[0]
        await run.idle()
        run.app.workspace.connection.window = 4096
        await run.say("more")
        await run.idle()
        assert len(warnings(run)) == 1
        run.app.workspace.connection.window = 4096
        run.chat.server.show_gauge()
        assert "100% of 4k" in run.header.context


async def test_a_chat_that_fits_is_not_warned_of() -> None:
    async with ScriptedServer() as server, driven(server) as run:
        server.script(*reply("ok"))
        run.app.workspace.connection.window = 4096
        await run.say("hello")
        await run.idle()
        assert not warnings(run)


async def test_a_window_that_is_nearly_full_shows_in_colour() -> None:
    async with driven(None) as run:
        colours = []
        for share in (0.5, 0.8, 0.97, 1.0):
            run.header.context, run.header.share = "ctx gauge", share
            line = run.header.render()
            gauge = line.plain.index("gauge")
            colours.append([str(span.style) for span in line.spans if span.start < gauge < span.end][-1])
        assert colours == ["$foreground 70%", "bold $text-warning", "bold $text-error", "bold $text-error"]


async def test_the_gauge_of_a_chat_that_fills_its_window_is_full() -> None:
    async with ScriptedServer() as server, driven(server, size=(120, 40)) as run:
        server.script(head(), token("ok"), done("stop", prompt_eval_count=4000, eval_count=50), end())
        run.app.workspace.connection.window = 4096
        await run.say("hello")
        await run.idle()
        run.app.workspace.connection.window = 4096
        run.chat.server.show_gauge()
        assert run.header.share > 0.95
