-- What the same statements took, by warehouse and UTC day, in percent of what they take on average over the window.
-- The same statement is one text without its literals on one size of one warehouse: a resize or another mix of work
-- moves nothing. Statements below a second on average are noise; one that hangs or is served from cache counts as a
-- factor of ten at most.
SELECT
    KEY,
    SLOT,
    CAST(100 * EXP(AVG(LEAST(GREATEST(TOOK - USUAL, -2.3), 2.3))) AS FLOAT) AS PACE
FROM (
    SELECT
        WAREHOUSE_NAME AS KEY,
        TIME_SLICE(START_TIME, 1440, 'MINUTE') AS SLOT,
        LN(EXECUTION_TIME) AS TOOK,
        AVG(LN(EXECUTION_TIME)) OVER (PARTITION BY WAREHOUSE_ID, WAREHOUSE_SIZE, QUERY_PARAMETERIZED_HASH) AS USUAL,
        COUNT(*) OVER (PARTITION BY WAREHOUSE_ID, WAREHOUSE_SIZE, QUERY_PARAMETERIZED_HASH) AS TIMES
    FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY
    WHERE START_TIME >= :start
        AND START_TIME < :end
        AND COALESCE(END_TIME, START_TIME) <= :visible_until_QUERY_HISTORY
        AND EXECUTION_STATUS = 'SUCCESS'
        AND EXECUTION_TIME > 0
        AND WAREHOUSE_SIZE IS NOT NULL
        AND QUERY_PARAMETERIZED_HASH IS NOT NULL
)
WHERE TIMES >= 20
    AND USUAL >= LN(1000)
GROUP BY 1, 2
HAVING COUNT(*) >= 10
ORDER BY 1, 2
