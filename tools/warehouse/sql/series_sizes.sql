-- How many sizes above and below its usual one each warehouse's statements ran, by UTC hour: means over statements.
-- Dropped and made anew under the same name, a warehouse is another one, with a usual size of its own.
SELECT
    KEY,
    SLOT,
    CAST(GREATEST(STEP - USUAL, 0) AS FLOAT) AS SIZE_ABOVE,
    CAST(GREATEST(USUAL - STEP, 0) AS FLOAT) AS SIZE_BELOW
FROM (
    SELECT KEY, SLOT, STEP, MEDIAN(STEP) OVER (PARTITION BY KEY, ID) AS USUAL
    FROM (
        SELECT
            WAREHOUSE_NAME AS KEY,
            MAX(WAREHOUSE_ID) AS ID,
            TIME_SLICE(START_TIME, 60, 'MINUTE') AS SLOT,
            AVG(CASE WAREHOUSE_SIZE
                WHEN 'X-Small' THEN 0 WHEN 'Small' THEN 1 WHEN 'Medium' THEN 2 WHEN 'Large' THEN 3
                WHEN 'X-Large' THEN 4 WHEN '2X-Large' THEN 5 WHEN '3X-Large' THEN 6 WHEN '4X-Large' THEN 7
                WHEN '5X-Large' THEN 8 WHEN '6X-Large' THEN 9 END) AS STEP
        FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY
        WHERE START_TIME >= :start
            AND START_TIME < :end
            AND COALESCE(END_TIME, START_TIME) <= :visible_until_QUERY_HISTORY
            AND WAREHOUSE_NAME IS NOT NULL
            AND WAREHOUSE_SIZE IS NOT NULL
        GROUP BY 1, 3
    )
    WHERE STEP IS NOT NULL
)
ORDER BY 1, 2
