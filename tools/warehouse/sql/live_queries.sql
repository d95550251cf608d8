-- Statements that run or wait now. No latency; END_TIME of a running one reads 1970. The function's arguments cut
-- the set before WHERE does, so the largest limit is asked for: running statements are kept first in it.
SELECT
    QUERY_ID,
    WAREHOUSE_NAME,
    USER_NAME,
    UPPER(EXECUTION_STATUS) AS STATUS,
    START_TIME,
    LENGTH(QUERY_TEXT) AS TEXT_LENGTH
FROM TABLE(SNOWFLAKE.INFORMATION_SCHEMA.QUERY_HISTORY(RESULT_LIMIT => 10000))
WHERE LOWER(EXECUTION_STATUS) IN ('running', 'queued', 'blocked', 'resuming_warehouse')
ORDER BY START_TIME DESC, QUERY_ID
