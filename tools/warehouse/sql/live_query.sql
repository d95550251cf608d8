-- One statement, if it runs or waits now (see live_queries.sql).
SELECT
    QUERY_ID,
    WAREHOUSE_NAME,
    USER_NAME,
    UPPER(EXECUTION_STATUS) AS STATUS,
    START_TIME,
    LENGTH(QUERY_TEXT) AS TEXT_LENGTH
FROM TABLE(SNOWFLAKE.INFORMATION_SCHEMA.QUERY_HISTORY(RESULT_LIMIT => 10000))
WHERE QUERY_ID = :query_id
    AND LOWER(EXECUTION_STATUS) IN ('running', 'queued', 'blocked', 'resuming_warehouse')
