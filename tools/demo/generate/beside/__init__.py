"""Every view of the demo account that does not follow from its simulated warehouses.

Storage, logins, tasks, serverless services, loads, what statements read, AI, users and grants: made for a window,
so that an account is written at once or continued. Rows are a pure function of the seed and the day, and for what
follows from statements also of QUERY_HISTORY's rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.demo.generate.beside import services
from tools.demo.generate.beside.acceleration import accelerated
from tools.demo.generate.beside.views import SNAPSHOTS, write
from tools.demo.generate.beside.window import Window

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from tools.demo.generate.model import Beside

__all__ = ["SNAPSHOTS", "accelerated", "frames", "service_credits"]


def frames(beside: Beside) -> dict[str, pa.Table]:
    """The rows of each view that fall in the window: those that end after `since` and not after `until`.

    Returns:
        View name to all of its columns, as `tools.warehouse.views` has them. The views in SNAPSHOTS have no time:
        their rows show the account at `until` and take the place of earlier ones; all others are added to them.
        RESOURCE_MONITORS is there for the account's first window only.

    Note:
        Sessions that go on over `since`, hours that it cuts and locks that are held over it are told right only if
        `queries` also holds the earlier rows of the day before; such rows are told of nowhere else.
    """
    return write(Window(beside))


def service_credits(beside: Beside) -> pd.DataFrame:
    """Credits of the serverless services by hour and object, for the hours that end in the window.

    Returns:
        hour (start, UTC), service_type, entity_id, entity_type, name, database_id, database_name, schema_id,
        schema_name, credits_compute, credits_cloud_services, bytes, rows, files: what METERING_HISTORY shows beside
        its warehouses. What does not apply is missing. The credits of each service are those of its own view in
        `frames`, which shows compute and cloud services as one sum.
    """
    return services.service_credits(Window(beside))
