-- Size that a warehouse's statements ran on, by UTC hour, as steps above X-Small; the mean over the statements.
-- ID tells a warehouse from an earlier one that had its name.
SELECT
    WAREHOUSE_NAME AS KEY,
    TIME_SLICE(START_TIME, 60, 'MINUTE') AS SLOT,
    CAST(AVG(CASE WAREHOUSE_SIZE
        WHEN 'X-Small' THEN 0 WHEN 'Small' THEN 1 WHEN 'Medium' THEN 2 WHEN 'Large' THEN 3 WHEN 'X-Large' THEN 4
        WHEN '2X-Large' THEN 5 WHEN '3X-Large' THEN 6 WHEN '4X-Large' THEN 7 WHEN '5X-Large' THEN 8
        WHEN '6X-Large' THEN 9 END) AS FLOAT) AS VALUE,
    MAX(WAREHOUSE_ID) AS ID
FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY
WHERE START_TIME >= :start
    AND START_TIME < :end
    AND COALESCE(END_TIME, START_TIME) <= :visible_until_QUERY_HISTORY
    AND WAREHOUSE_NAME IS NOT NULL
    AND WAREHOUSE_SIZE IS NOT NULL
GROUP BY 1, 2
ORDER BY 1, 2
