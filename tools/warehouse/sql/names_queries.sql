-- Distinct values of one column of QUERY_HISTORY in a window, most statements first.
SELECT
    {key} AS NAME,
    COUNT(*) AS QUERIES
FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY
WHERE START_TIME >= :start
    AND START_TIME < :end
    AND COALESCE(END_TIME, START_TIME) <= :visible_until_QUERY_HISTORY
    AND {key} IS NOT NULL
GROUP BY 1
ORDER BY 2 DESC, 1
LIMIT {limit}
