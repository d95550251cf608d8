"""The account views Frostline reads: columns, latency, the time column that covers them, the role that opens them.

Source: snowflake-reference.md 1.1 and 1.2. One table, used by the gateway (freshness, grants), the demo
server (what is visible when), the generator and the importer (what a file may hold).

`VIEWS` are those that every account must have for Frostline's figures. `FURTHER_VIEWS` are read by the checks of
`knowledge/practices`, by the scan and by people's questions: the demo account fills them, an import may leave them
out. Their columns: reference 1.2 where it lists them; for the others the page of that view in Snowflake's
documentation, sql-reference/account-usage/<view in lower case>, as read on 2026-11-22 (COPY_HISTORY,
DATA_TRANSFER_HISTORY, DYNAMIC_TABLE_REFRESH_HISTORY, LOCK_WAIT_HISTORY, RESOURCE_MONITORS,
SEARCH_OPTIMIZATION_BENEFITS, STAGE_STORAGE_USAGE_HISTORY, TABLES, TABLE_QUERY_PRUNING_HISTORY, TAG_REFERENCES) or
2026-11-28 (ANOMALIES_DAILY, DATABASE_REPLICATION_USAGE_HISTORY, GRANTS_TO_ROLES, GRANTS_TO_USERS, LOAD_HISTORY,
QUERY_METERING_HISTORY, ROLES, TABLE_PRUNING_HISTORY, TRUST_CENTER_FINDINGS, USERS).
CREDITS_USED is text in two views, MATERIALIZED_VIEW_REFRESH_HISTORY and SERVERLESS_TASK_HISTORY, as documented: cast.
Columns that the documentation calls not applicable, and those of the archive tiers, are left out.
"""

from __future__ import annotations

from datetime import timedelta

from tools.warehouse.further_views import FURTHER
from tools.warehouse.viewspec import ColumnType, View, columns_of

__all__ = ["ALL_VIEWS", "FURTHER_VIEWS", "VIEWS", "ColumnType", "View", "view"]

_HOUR = timedelta(hours=1)

_ALL = (
    View(
        "QUERY_HISTORY",
        timedelta(minutes=45),
        "GOVERNANCE_VIEWER",
        "START_TIME",
        "END_TIME",
        columns_of(
            "QUERY_ID QUERY_TEXT DATABASE_ID:N DATABASE_NAME SCHEMA_ID:N SCHEMA_NAME QUERY_TYPE SESSION_ID:N "
            "AUTHN_EVENT_ID:N USER_NAME ROLE_NAME WAREHOUSE_ID:N WAREHOUSE_NAME WAREHOUSE_SIZE WAREHOUSE_TYPE "
            "CLUSTER_NUMBER:N QUERY_TAG EXECUTION_STATUS ERROR_CODE ERROR_MESSAGE START_TIME:TS END_TIME:TS "
            "TOTAL_ELAPSED_TIME:N BYTES_SCANNED:N PERCENTAGE_SCANNED_FROM_CACHE:F BYTES_WRITTEN:N "
            "BYTES_WRITTEN_TO_RESULT:N BYTES_READ_FROM_RESULT:N ROWS_PRODUCED:N ROWS_INSERTED:N ROWS_UPDATED:N "
            "ROWS_DELETED:N ROWS_UNLOADED:N BYTES_DELETED:N PARTITIONS_SCANNED:N PARTITIONS_TOTAL:N "
            "BYTES_SPILLED_TO_LOCAL_STORAGE:N BYTES_SPILLED_TO_REMOTE_STORAGE:N BYTES_SENT_OVER_THE_NETWORK:N "
            "COMPILATION_TIME:N EXECUTION_TIME:N QUEUED_PROVISIONING_TIME:N QUEUED_REPAIR_TIME:N "
            "QUEUED_OVERLOAD_TIME:N TRANSACTION_BLOCKED_TIME:N OUTBOUND_DATA_TRANSFER_CLOUD "
            "OUTBOUND_DATA_TRANSFER_REGION OUTBOUND_DATA_TRANSFER_BYTES:N INBOUND_DATA_TRANSFER_CLOUD "
            "INBOUND_DATA_TRANSFER_REGION INBOUND_DATA_TRANSFER_BYTES:N LIST_EXTERNAL_FILES_TIME:N "
            "CREDITS_USED_CLOUD_SERVICES:F RELEASE_VERSION EXTERNAL_FUNCTION_TOTAL_INVOCATIONS:N "
            "EXTERNAL_FUNCTION_TOTAL_SENT_ROWS:N EXTERNAL_FUNCTION_TOTAL_RECEIVED_ROWS:N "
            "EXTERNAL_FUNCTION_TOTAL_SENT_BYTES:N EXTERNAL_FUNCTION_TOTAL_RECEIVED_BYTES:N QUERY_LOAD_PERCENT:N "
            "IS_CLIENT_GENERATED_STATEMENT:B QUERY_ACCELERATION_BYTES_SCANNED:N "
            "QUERY_ACCELERATION_PARTITIONS_SCANNED:N QUERY_ACCELERATION_UPPER_LIMIT_SCALE_FACTOR:N "
            "TRANSACTION_ID:N CHILD_QUERIES_WAIT_TIME:N ROLE_TYPE QUERY_HASH QUERY_HASH_VERSION:N "
            "QUERY_PARAMETERIZED_HASH QUERY_PARAMETERIZED_HASH_VERSION:N SECONDARY_ROLE_STATS "
            "ROWS_WRITTEN_TO_RESULT:N QUERY_RETRY_TIME:N QUERY_RETRY_CAUSE FAULT_HANDLING_TIME:N USER_TYPE "
            "USER_DATABASE_NAME USER_DATABASE_ID USER_SCHEMA_NAME USER_SCHEMA_ID BIND_VALUES AGENT_TYPE"
        ),
    ),
    View(
        "WAREHOUSE_METERING_HISTORY",
        3 * _HOUR,
        "USAGE_VIEWER",
        "START_TIME",
        "END_TIME",
        columns_of(
            "START_TIME:TS END_TIME:TS WAREHOUSE_ID:N WAREHOUSE_NAME CREDITS_USED:F CREDITS_USED_COMPUTE:F "
            "CREDITS_USED_CLOUD_SERVICES:F CREDITS_ATTRIBUTED_COMPUTE_QUERIES:F"
        ),
    ),
    View(
        "WAREHOUSE_LOAD_HISTORY",
        3 * _HOUR,
        "USAGE_VIEWER",
        "START_TIME",
        "END_TIME",
        columns_of(
            "START_TIME:TS END_TIME:TS WAREHOUSE_ID:N WAREHOUSE_NAME AVG_RUNNING:F AVG_QUEUED_LOAD:F "
            "AVG_QUEUED_PROVISIONING:F AVG_BLOCKED:F"
        ),
    ),
    View(
        "WAREHOUSE_EVENTS_HISTORY",
        3 * _HOUR,
        "USAGE_VIEWER",
        "TIMESTAMP",
        "TIMESTAMP",
        columns_of(
            "TIMESTAMP:TS WAREHOUSE_ID:N WAREHOUSE_NAME CLUSTER_NUMBER:N EVENT_NAME EVENT_REASON EVENT_STATE "
            "USER_NAME ROLE_NAME QUERY_ID SIZE CLUSTER_COUNT WAREHOUSE_TYPE RESOURCE_CONSTRAINT"
        ),
    ),
    View(
        "QUERY_ATTRIBUTION_HISTORY",
        8 * _HOUR,
        "USAGE_VIEWER",
        "START_TIME",
        "END_TIME",
        columns_of(
            "QUERY_ID PARENT_QUERY_ID ROOT_QUERY_ID WAREHOUSE_ID:N WAREHOUSE_NAME QUERY_HASH "
            "QUERY_PARAMETERIZED_HASH QUERY_TAG USER_NAME START_TIME:TS END_TIME:TS CREDITS_ATTRIBUTED_COMPUTE:F "
            "CREDITS_USED_QUERY_ACCELERATION:F"
        ),
    ),
    View(
        "METERING_HISTORY",
        3 * _HOUR,
        "USAGE_VIEWER",
        "START_TIME",
        "END_TIME",
        columns_of(
            "SERVICE_TYPE START_TIME:TS END_TIME:TS ENTITY_ID:N ENTITY_TYPE NAME DATABASE_ID:N DATABASE_NAME "
            "SCHEMA_ID:N SCHEMA_NAME CREDITS_USED_COMPUTE:F CREDITS_USED_CLOUD_SERVICES:F CREDITS_USED:F BYTES:N "
            "ROWS:N FILES:N"
        ),
    ),
    View(
        "METERING_DAILY_HISTORY",
        3 * _HOUR,
        "USAGE_VIEWER",
        "USAGE_DATE",
        "USAGE_DATE",
        columns_of(
            "SERVICE_TYPE USAGE_DATE:D CREDITS_USED_COMPUTE:F CREDITS_USED_CLOUD_SERVICES:F CREDITS_USED:F "
            "CREDITS_ADJUSTMENT_CLOUD_SERVICES:F CREDITS_BILLED:F"
        ),
    ),
)

VIEWS: dict[str, View] = {v.name: v for v in _ALL}
FURTHER_VIEWS: dict[str, View] = {v.name: v for v in FURTHER}
ALL_VIEWS: dict[str, View] = VIEWS | FURTHER_VIEWS


def view(name: str) -> View:
    """The view of that name.

    Raises:
        KeyError: it is not one that Frostline reads (a bug in the caller: names are constants).
    """
    return VIEWS[name]
