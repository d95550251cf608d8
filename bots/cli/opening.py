"""Open the runtime for one command, with a progress bar while the demo account is being built."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from bots.cli.output import Output

if TYPE_CHECKING:
    from agent.roster import GroupDirectory
    from agent.runtime import Runtime
    from agent.settings import Settings

__all__ = ["opened", "settings_for"]


def settings_for(out: Output, profile: str | None) -> Settings:
    """The profile's settings; from here on a bug's traceback has a place to go."""
    from agent.settings import load_settings

    settings = load_settings(profile)
    out.state_dir = settings.state_dir
    return settings


@contextmanager
def opened(
    out: Output, profile: str | None, groups: GroupDirectory | None = None, *, attended: bool = True
) -> Iterator[Runtime]:
    """A runtime for the length of one command. `groups`: who is in a group of the policy; None: Slack is asked,
    where the profile has a token for it. `attended`: whether somebody may be asked to sign in with a browser.
    """
    settings = settings_for(out, profile)
    from agent.runtime import Runtime

    with out.progress("Preparing the demo account") as progress:
        runtime = Runtime.open(settings, progress=progress, groups=groups or _slack_groups(settings), attended=attended)
    try:
        yield runtime
    finally:
        runtime.close()


def _slack_groups(settings: Settings) -> GroupDirectory | None:
    """Asked for the first group of a policy, it connects: a policy without groups costs nothing."""
    if settings.slack.bot_token is None:
        return None

    @cache
    def directory() -> GroupDirectory:
        from bots.slack.people import group_directory

        return group_directory(settings.slack)

    return lambda group: directory()(group)
