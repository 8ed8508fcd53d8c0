"""The command palette: the table of commands, searched."""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui_chat.ui.commands import COMMANDS, Command, Scope


class Commands(Provider):
    """All commands but those that only make sense as a key."""

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for command in _palette():
            yield DiscoveryHit(command.title, partial(self._run, command), help=command.help)

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher = self.matcher(query)
        for command in _palette():
            if (score := matcher.match(f"{command.title} {command.help}")) > 0:
                title = matcher.highlight(command.title)
                yield Hit(score, title, partial(self._run, command), help=command.help)

    async def _run(self, command: Command) -> None:
        await self.screen.run_action(f"app.{command.action}" if command.scope is Scope.APP else command.action)


def _palette() -> list[Command]:
    return [
        command for command in COMMANDS if command.scope is not Scope.COMPOSER and command.id != "command-palette"
    ]
