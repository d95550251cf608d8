-- Attributed compute credits by what only QUERY_HISTORY knows: role, database, query type. A statement without a
-- row there keeps its credits under a NULL key. Attribution's START_TIME may be the start of execution, which
-- follows the submission by at most the statement timeout (2 days by default): hence :start_early.
SELECT
    {key} AS KEY,
    {slot}
    CAST(IFF(COUNT(*) = 0, 0, SUM(A.CREDITS_ATTRIBUTED_COMPUTE)) AS FLOAT) AS CREDITS_ATTRIBUTED,
    COUNT(*) AS QUERIES
FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_ATTRIBUTION_HISTORY AS A
LEFT JOIN (
    SELECT QUERY_ID, ROLE_NAME, DATABASE_NAME, QUERY_TYPE
    FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY
    WHERE START_TIME >= :start_early
        AND START_TIME < :end
        AND COALESCE(END_TIME, START_TIME) <= :visible_until_QUERY_HISTORY
) AS Q
    ON Q.QUERY_ID = A.QUERY_ID
WHERE A.START_TIME >= :start
    AND A.START_TIME < :end
    AND COALESCE(A.END_TIME, A.START_TIME) <= :visible_until_QUERY_ATTRIBUTION_HISTORY
    {filters}
{group}
ORDER BY {order}
{limit}
