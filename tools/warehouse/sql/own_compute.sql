-- Compute attributed to Frostline's own statements, by tag and warehouse; without idle time, and without statements
-- of about 100 ms and less, which the view leaves out (reference 1.2).
SELECT
    QUERY_TAG AS TAG,
    WAREHOUSE_NAME AS WAREHOUSE,
    CAST(COALESCE(SUM(CREDITS_ATTRIBUTED_COMPUTE), 0) AS FLOAT) AS CREDITS_COMPUTE
FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_ATTRIBUTION_HISTORY
WHERE START_TIME >= :start
    AND START_TIME < :end
    AND COALESCE(END_TIME, START_TIME) <= :visible_until_QUERY_ATTRIBUTION_HISTORY
    AND STARTSWITH(QUERY_TAG, :own_tag)
GROUP BY 1, 2
ORDER BY 3 DESC, 1, 2
LIMIT 200
