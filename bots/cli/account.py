"""`frostline account ...`: the embedded account, demo or imported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bots.cli.opening import opened, settings_for
from bots.cli.output import Output
from tools.errors import BadArgument

if TYPE_CHECKING:
    from agent.settings import Settings

__all__ = ["advance_account", "export_folder", "import_folder", "reset_account", "show_info"]


def _embedded(settings: Settings) -> None:
    if settings.account.kind != "embedded":
        raise BadArgument(
            f"Profile {settings.profile} speaks to a Snowflake account; it has no embedded one.",
            hint="Use the demo profile: frostline --profile demo account ...",
        )


def show_info(out: Output, profile: str | None) -> None:
    from tools.demo.account import info
    from tools.warehouse.show import show_warehouses

    with out.edge():
        _embedded(settings_for(out, profile))
        with opened(out, profile) as runtime:
            about = info(runtime.settings.account_dir, show_warehouses(runtime.reader_config))
        if out.as_json:
            out.json(about)
            return
        out.say(
            f"{about['name']} ({about['origin']}), {about['edition']}, now {about['now']}, {about['timezone']}, "
            f"{about['credit_price']} USD a credit"
        )
        out.say()
        shown = ("name", "state", "type", "size", "auto_suspend", "min_cluster_count", "max_cluster_count", "owner")
        out.table(shown, [[w.get(c) for c in shown] for w in about["warehouses"]])
        out.say()
        out.table(
            ("view", "rows", "first", "last"),
            [(v["name"], f"{v['rows']:,}", v["first"], v["last"]) for v in about["views"]],
            right=("rows",),
        )


def import_folder(out: Output, profile: str | None, source: Path) -> None:
    from tools.demo.importing import import_account

    with out.edge():
        settings = settings_for(out, profile)
        _embedded(settings)
        with out.progress("Importing") as progress:
            report = import_account(source, settings.account_dir, progress, before_swap=_stopping(settings.account_dir))
        about = report.settings
        if out.as_json:
            out.json({"name": about.name, "now": about.now, "rows": report.rows, "notes": list(report.notes)})
            return
        total = sum(report.rows.values())
        out.say(f"Imported {about.name}: {total:,} rows in {len(report.rows)} tables, now {about.now.isoformat()}.")
        for note in report.notes:
            out.say(f"  {note}")
        out.say('Ask it something: frostline ask "credits by warehouse last week"')


def export_folder(out: Output, profile: str | None, target: Path) -> None:
    from tools.demo.account import ensure_account
    from tools.demo.export import export_account

    with out.edge():
        settings = settings_for(out, profile)
        _embedded(settings)
        with out.progress("Preparing the demo account") as progress:
            ensure_account(settings.account_dir, seed=settings.demo.seed, progress=progress)
        with out.progress("Exporting") as progress:
            report = export_account(settings.account_dir, target, progress)
        about = report.settings
        if out.as_json:
            made = {"name": about.name, "now": about.now, "folder": str(report.folder)}
            out.json({**made, "rows": report.rows, "bytes": report.bytes})
            return
        total = sum(report.rows.values())
        out.say(
            f"Exported {about.name}: {total:,} rows in {len(report.rows)} files, {report.bytes / 2**20:.1f} MB, to "
            f"{report.folder}."
        )
        out.say(f"What the views do not show yet at {about.now.isoformat()} is not in it.")


def _stopping(account_dir: Path) -> Callable[[], None]:
    """What must happen before another account takes the folder's place: the server lets go of the old one."""

    def stop() -> None:
        from tools.demo.process import stop_server

        stop_server(account_dir)

    return stop


def advance_account(out: Output, profile: str | None, span: str) -> None:
    from tools.demo.advance import advance, duration

    with out.edge():
        settings = settings_for(out, profile)
        _embedded(settings)
        by = duration(span)
        with out.progress("Advancing the demo account") as progress:
            done = advance(settings.account_dir, by, progress=progress, stop_server=_stopping(settings.account_dir))
        if out.as_json:
            out.json({"name": done.settings.name, "was": done.was, "now": done.settings.now, "rows": done.rows})
            return
        added = done.rows.get("QUERY_HISTORY", 0)
        out.say(
            f"{done.settings.name} lived on from {done.was:%Y-%m-%d %H:%M} to {done.settings.now:%Y-%m-%d %H:%M} UTC "
            f"under its present settings: {added:,} statements more."
        )


def reset_account(out: Output, profile: str | None, queries: int | None) -> None:
    from tools.demo.account import reset

    with out.edge():
        settings = settings_for(out, profile)
        _embedded(settings)
        with out.progress("Rebuilding the demo account") as progress:
            built = reset(
                settings.account_dir,
                seed=settings.demo.seed,
                queries=queries,
                progress=progress,
                before_swap=_stopping(settings.account_dir),
            )
        if out.as_json:
            out.json({"name": built.settings.name, "now": built.settings.now, "seed": settings.demo.seed})
        else:
            out.say(f"The demo account is as on its first day (seed {settings.demo.seed}).")
