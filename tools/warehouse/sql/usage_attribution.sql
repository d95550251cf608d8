-- Compute credits attributed to statements, without idle time, from QUERY_ATTRIBUTION_HISTORY. It knows warehouse,
-- user and tag by itself; see usage_attribution_joined.sql for the rest.
SELECT
    {key} AS KEY,
    {slot}
    CAST(IFF(COUNT(*) = 0, 0, SUM(A.CREDITS_ATTRIBUTED_COMPUTE)) AS FLOAT) AS CREDITS_ATTRIBUTED,
    COUNT(*) AS QUERIES
FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_ATTRIBUTION_HISTORY AS A
WHERE A.START_TIME >= :start
    AND A.START_TIME < :end
    AND COALESCE(A.END_TIME, A.START_TIME) <= :visible_until_QUERY_ATTRIBUTION_HISTORY
    {filters}
{group}
ORDER BY {order}
{limit}
