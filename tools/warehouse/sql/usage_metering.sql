-- Credits by warehouse from WAREHOUSE_METERING_HISTORY: one row per warehouse and hour goes in.
-- CREDITS_USED is before the daily 10 % adjustment (reference 1.2). The attributed column is NULL for adaptive
-- warehouses and stays NULL here: not known is not zero. {...} parts come from closed tables in queries.py.
SELECT
    {key} AS KEY,
    {slot}
    CAST(IFF(COUNT(*) = 0, 0, SUM(CREDITS_USED)) AS FLOAT) AS CREDITS_USED,
    CAST(IFF(COUNT(*) = 0, 0, SUM(CREDITS_USED_COMPUTE)) AS FLOAT) AS CREDITS_COMPUTE,
    CAST(IFF(COUNT(*) = 0, 0, SUM(CREDITS_USED_CLOUD_SERVICES)) AS FLOAT) AS CREDITS_CLOUD_SERVICES,
    CAST(SUM(CREDITS_ATTRIBUTED_COMPUTE_QUERIES) AS FLOAT) AS CREDITS_ATTRIBUTED,
    COUNT(DISTINCT WAREHOUSE_ID) AS WAREHOUSE_IDS
FROM SNOWFLAKE.ACCOUNT_USAGE.WAREHOUSE_METERING_HISTORY
WHERE START_TIME >= :start
    AND START_TIME < :end
    AND COALESCE(END_TIME, START_TIME) <= :visible_until_WAREHOUSE_METERING_HISTORY
    {filters}
{group}
ORDER BY {order}
{limit}
