"""ANOMALIES_DAILY: Snowflake's own view of unusual days, made anew from METERING_DAILY_HISTORY.

How Snowflake forecasts is not published. Here: the median of the same weekday over the four weeks before, and a band
of three median absolute deviations, at least a tenth. It is there to be compared with, and knows no calendar: it
flags month ends that Frostline must not flag.
"""

from __future__ import annotations

import duckdb

from tools.demo import layout

__all__ = ["refresh_anomalies"]

_WEEKS = 4
_WIDTH = 3 * 1.4826
_LEAST = 0.10

_SQL = f"""
INSERT INTO {layout.RAW}.ANOMALIES_DAILY
    (DATE, ANOMALY_ID, IS_ANOMALY, ACTUAL_VALUE, UPPER_BOUND, LOWER_BOUND, FORECASTED_VALUE)
WITH days AS (
    SELECT USAGE_DATE AS day, sum(CREDITS_USED) AS used FROM {layout.RAW}.METERING_DAILY_HISTORY GROUP BY 1
), before AS (
    SELECT day, used, list(used) OVER (PARTITION BY dayofweek(day) ORDER BY day
                                       ROWS BETWEEN {_WEEKS} PRECEDING AND 1 PRECEDING) AS weeks
    FROM days
), expected AS (
    SELECT day, used, weeks, list_median(weeks) AS middle FROM before WHERE len(weeks) = {_WEEKS}
), bands AS (
    SELECT day, used, middle,
           greatest({_WIDTH} * list_median(list_transform(weeks, lambda x: abs(x - middle))),
                    {_LEAST} * middle) AS width
    FROM expected
)
SELECT day, md5('anomaly ' || day::VARCHAR), used > middle + width OR used < middle - width,
       used, middle + width, greatest(middle - width, 0), middle
FROM bands ORDER BY day
"""  # noqa: S608 - names are constants


def refresh_anomalies(con: duckdb.DuckDBPyConnection) -> None:
    """Rows for all days that have four weeks before them; a day's row depends on earlier days alone."""
    con.execute(f"DELETE FROM {layout.RAW}.ANOMALIES_DAILY")  # noqa: S608 - names are constants
    con.execute(_SQL)
