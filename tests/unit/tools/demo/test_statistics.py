"""The statistics of reference 7.6 (and 7.7's rare ones), each beside the reference's figure; printed with `-s`.

`FROSTLINE_TEST_SEEDS=all` asks five accounts.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.unit.tools.demo.conftest import Generated

_WRITES = "('COPY', 'MERGE', 'INSERT', 'UPDATE', 'DELETE', 'CREATE_TABLE_AS_SELECT', 'TRUNCATE_TABLE', 'CALL')"
_Q, _M, _A = "_RAW.QUERY_HISTORY", "_RAW.WAREHOUSE_METERING_HISTORY", "_RAW.QUERY_ATTRIBUTION_HISTORY"
_BY_WAREHOUSE = f"""
    WITH found AS (SELECT date_trunc('hour', START_TIME) AS h, WAREHOUSE_NAME AS w, count(*) AS n FROM {_Q} GROUP BY ALL),
    hours AS (SELECT unnest(generate_series((SELECT min(h) FROM found), (SELECT max(h) FROM found), INTERVAL 1 HOUR)) AS h),
    grid AS (SELECT w, hours.h, coalesce(n, 0) AS n
             FROM (SELECT DISTINCT w FROM found) CROSS JOIN hours LEFT JOIN found USING (w, h)),
    ranked AS (SELECT *, row_number() OVER (PARTITION BY w ORDER BY n DESC) AS k, count(*) OVER (PARTITION BY w) AS all_,
                      lag(n, 24) OVER (PARTITION BY w ORDER BY h) AS day_before,
                      lag(n, 168) OVER (PARTITION BY w ORDER BY h) AS week_before FROM grid),
    each AS (SELECT w, max(n) / avg(n) AS peak, var_pop(n) / avg(n) AS dispersion,
                    sum(n) FILTER (k <= all_ / 10) / sum(n) AS busiest,
                    corr(n, day_before) AS day, corr(n, week_before) AS week FROM ranked GROUP BY w)
"""  # noqa: E501
_SCHEDULED = "('LOAD_WH', 'TRANSFORM_WH', 'BI_WH', 'SALES_BI_WH', 'FINANCE_WH', 'SCIENCE_WH')"
_CREDITS = f"""
    WITH each AS (SELECT WAREHOUSE_ID, sum(CREDITS_USED_COMPUTE) AS c,
                         1 - sum(CREDITS_ATTRIBUTED_COMPUTE_QUERIES) / nullif(sum(CREDITS_USED_COMPUTE), 0) AS idle
                  FROM {_M} GROUP BY 1 HAVING sum(CREDITS_USED_COMPUTE) > 0),
    ranked AS (SELECT *, row_number() OVER (ORDER BY c DESC) AS k, count(*) OVER () AS n FROM each)
"""
_READ = f"FROM {_Q} WHERE QUERY_TYPE = 'SELECT' AND EXECUTION_TIME > 0 AND BYTES_SCANNED > 0"
_WROTE = f"FROM {_Q} WHERE QUERY_TYPE IN {_WRITES} AND EXECUTION_TIME > 0 AND BYTES_SCANNED > 0"
_REPEATED = f"""
    WITH people AS (SELECT USER_NAME, 1 - count(DISTINCT QUERY_HASH) / count(*) AS r FROM {_Q}
                    WHERE QUERY_TYPE = 'SELECT' GROUP BY 1 HAVING count(*) > 100)
"""


@dataclass(frozen=True)
class Check:
    number: int
    what: str
    reference: str
    low: float
    high: float
    sql: str


CHECKS = (
    Check(0, "statements", ">= 300,000", 3e5, 6e5, f"SELECT count(*) FROM {_Q}"),
    Check(1, "share that writes", ">= 50 %", 0.5, 0.75, f"SELECT avg((QUERY_TYPE IN {_WRITES})::INT) FROM {_Q}"),
    Check(1, "share that reads", "25-35 %", 0.25, 0.35, f"SELECT avg((QUERY_TYPE = 'SELECT')::INT) FROM {_Q}"),
    Check(2, "sigma of ln(execution), median warehouse", "1.1-1.5", 1.1, 1.5, f"""
        SELECT median(s) FROM (SELECT stddev(ln(EXECUTION_TIME)) AS s FROM {_Q} WHERE EXECUTION_TIME > 0
                               GROUP BY WAREHOUSE_NAME)"""),
    Check(2, "execution p99 / p50", ">= 50", 50, 1e4,
          f"SELECT quantile_cont(EXECUTION_TIME, 0.99) / quantile_cont(EXECUTION_TIME, 0.5) FROM {_Q}"),
    Check(3, "hourly variance / mean, median warehouse", ">> 1", 2, 1e4,
          _BY_WAREHOUSE + "SELECT median(dispersion) FROM each"),
    Check(3, "autocorrelation 24 h, scheduled warehouses", ".4-.8", 0.4, 0.9,
          _BY_WAREHOUSE + f"SELECT median(day) FROM each WHERE w IN {_SCHEDULED}"),
    Check(3, "autocorrelation 168 h, scheduled warehouses", ".4-.8", 0.4, 0.9,
          _BY_WAREHOUSE + f"SELECT median(week) FROM each WHERE w IN {_SCHEDULED}"),
    Check(3, "weekly dip of the account", "~20 % or more", 0.15, 0.4, f"""
        SELECT 1 - (avg(n) FILTER (w > 5)) / (avg(n) FILTER (w < 6)) FROM (
            SELECT isodow(h) AS w, h::DATE, count(*) AS n FROM (SELECT START_TIME - INTERVAL 8 HOUR AS h FROM {_Q})
            GROUP BY ALL)"""),
    Check(3, "weekly dip of BI_WH", "stronger", 0.4, 1.0, f"""
        SELECT 1 - (avg(n) FILTER (w > 5)) / (avg(n) FILTER (w < 6)) FROM (
            SELECT isodow(h) AS w, h::DATE, count(*) AS n FROM (SELECT START_TIME - INTERVAL 8 HOUR AS h FROM {_Q}
            WHERE WAREHOUSE_NAME = 'BI_WH') GROUP BY ALL)"""),
    Check(4, "peak / mean hour, account", ">= 4", 4, 40, f"""
        SELECT max(n) / avg(n) FROM (SELECT count(*) AS n FROM {_Q} GROUP BY date_trunc('hour', START_TIME))"""),
    Check(4, "peak / mean hour, first quartile of warehouses", ">= 4", 4, 35,
          _BY_WAREHOUSE + "SELECT quantile_cont(peak, 0.25) FROM each"),
    Check(4, "peak / mean hour, third quartile", "<= 35", 4, 35,
          _BY_WAREHOUSE + "SELECT quantile_cont(peak, 0.75) FROM each"),
    Check(4, "statements in the busiest 10 % of hours", "20-60 %", 0.2, 0.6,
          _BY_WAREHOUSE + "SELECT median(busiest) FROM each"),
    Check(5, "credits of the top 10 % of warehouses", ">= 60 %", 0.6, 0.9,
          _CREDITS + "SELECT sum(c) FILTER (k <= ceil(n / 10)) / sum(c) FROM ranked"),
    Check(6, "idle share of compute", "10-35 %", 0.1, 0.35, f"""
        SELECT 1 - sum(CREDITS_ATTRIBUTED_COMPUTE_QUERIES) / sum(CREDITS_USED_COMPUTE) FROM {_M}
        WHERE CREDITS_ATTRIBUTED_COMPUTE_QUERIES IS NOT NULL"""),
    Check(6, "warehouses above 60 % idle", "some", 3, 14, _CREDITS + "SELECT count(*) FROM each WHERE idle > 0.6"),
    Check(7, "median MB of what scans 1 MB", "~100", 70, 140,
          f"SELECT median(BYTES_SCANNED) / 1e6 FROM {_Q} WHERE BYTES_SCANNED >= 1e6"),
    Check(7, "99.9th percentile, GB", "~300", 150, 500,
          f"SELECT quantile_cont(BYTES_SCANNED, 0.999) / 1e9 FROM {_Q} WHERE BYTES_SCANNED >= 1e6"),
    Check(8, "reads wholly from cache", "mostly", 0.5, 0.75,
          f"SELECT avg((PERCENTAGE_SCANNED_FROM_CACHE = 1)::INT) {_READ}"),
    Check(8, "reads with nothing from cache", "~4 %", 0.02, 0.08,
          f"SELECT avg((PERCENTAGE_SCANNED_FROM_CACHE = 0)::INT) {_READ}"),
    Check(8, "writes with nothing from cache", "~17 %", 0.12, 0.22,
          f"SELECT avg((PERCENTAGE_SCANNED_FROM_CACHE = 0)::INT) {_WROTE}"),
    Check(8, "from cache after a resume over otherwise (reads)", "near 0", 0.0, 0.35, f"""
        SELECT (avg(PERCENTAGE_SCANNED_FROM_CACHE) FILTER (QUEUED_PROVISIONING_TIME > 0))
             / (avg(PERCENTAGE_SCANNED_FROM_CACHE) FILTER (QUEUED_PROVISIONING_TIME = 0)) {_READ}"""),
    Check(9, "cloud services over compute", "3-9 %", 0.03, 0.09,
          f"SELECT sum(CREDITS_USED_CLOUD_SERVICES) / sum(CREDITS_USED_COMPUTE) FROM {_M}"),
    Check(10, "least repetition of a user", "near 0", 0.0, 0.25, _REPEATED + "SELECT min(r) FROM people"),
    Check(10, "most repetition of a user", "> 90 %", 0.9, 1.0, _REPEATED + "SELECT max(r) FROM people"),
    Check(10, "repeated reads that the result cache answers", "10-25 %", 0.1, 0.25, f"""
        SELECT avg((BYTES_READ_FROM_RESULT > 0)::INT) FROM (
            SELECT BYTES_READ_FROM_RESULT, row_number() OVER (
                PARTITION BY QUERY_HASH, USER_NAME, (START_TIME - INTERVAL 8 HOUR)::DATE ORDER BY START_TIME) AS k
            FROM {_Q} WHERE QUERY_TYPE = 'SELECT' AND EXECUTION_STATUS = 'SUCCESS') WHERE k > 1"""),
    Check(11, "statements that queue", "once slots are full", 0.03, 0.3,
          f"SELECT avg((QUEUED_OVERLOAD_TIME > 0)::INT) FROM {_Q}"),
    Check(12, "failures", "1-4 %", 0.01, 0.04, f"SELECT avg((EXECUTION_STATUS <> 'SUCCESS')::INT) FROM {_Q}"),
    Check(13, "median cloud services credits of a small statement", "3e-05-1e-03", 3e-5, 1e-3, f"""
        SELECT median(CREDITS_USED_CLOUD_SERVICES) FROM {_Q} WHERE EXECUTION_TIME BETWEEN 1 AND 2000"""),
    Check(14, "days with cloud services above 10 %", "few", 1, 20, """
        SELECT count(*) FROM _RAW.METERING_DAILY_HISTORY WHERE SERVICE_TYPE = 'WAREHOUSE_METERING'
        AND CREDITS_USED_CLOUD_SERVICES > 0.1 * CREDITS_USED_COMPUTE"""),
)  # fmt: skip


def test_the_account_is_like_a_real_one(generated: Generated) -> None:
    outside = []
    print(f"\nseed {generated.seed}: reference 7.6, ours")
    for check in CHECKS:
        (value,) = generated.con.execute(check.sql).fetchone() or (None,)
        assert value is not None, check.what
        inside = check.low <= value <= check.high
        outside += [] if inside else [check.what]
        print(f"  {check.number:2} {check.what:55} {check.reference:>20} {value:>14,.5g} {'' if inside else '<-'}")
    assert outside == []
