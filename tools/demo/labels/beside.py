"""What was planted outside the warehouses: clustering storms, bursts of failed logins, forgotten copies of a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tools.demo.generate.beside.incidents import Incident, Kind, incidents
from tools.demo.labels.label import Label

__all__ = ["beside_labels"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOTES: dict[Kind, str] = {
    "clustering_storm": "automatic clustering of the table costs {size:.1f} times its usual credits",
    "login_failures": "about {size:.0f} failed logins an hour from one address, over many names",
    "storage_growth": "a full copy of {size:.1f} TiB that nobody drops for weeks",
}


def beside_labels(seed: int, first: datetime, until: datetime) -> list[Label]:
    """The incidents of `tools.demo.generate.beside` that begin before `until`.

    Args:
        seed, first: the account's, as in `tools.demo.generate.model.Beside`.
        until: UTC.
    """
    first_day, last_day = ((moment - _EPOCH) // timedelta(days=1) for moment in (first, until))
    found = [_label(each) for each in incidents(seed, first_day, last_day + 1)]
    return [label for label in found if label.start < until]


def _label(incident: Incident) -> Label:
    return Label(
        kind=incident.kind,
        warehouse=None,
        object=incident.object,
        start=_EPOCH + timedelta(hours=incident.start),
        end=_EPOCH + timedelta(hours=incident.end),
        expected_flag=True,
        note=_NOTES[incident.kind].format(size=incident.size),
    )
