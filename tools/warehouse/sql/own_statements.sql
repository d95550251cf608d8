-- Frostline's own statements, by the tag that it sets on its sessions: how many, and their cloud services (before the
-- daily 10 % adjustment).
SELECT
    QUERY_TAG AS TAG,
    COUNT(*) AS STATEMENTS,
    CAST(COALESCE(SUM(CREDITS_USED_CLOUD_SERVICES), 0) AS FLOAT) AS CREDITS_CLOUD_SERVICES
FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY
WHERE START_TIME >= :start
    AND START_TIME < :end
    AND COALESCE(END_TIME, START_TIME) <= :visible_until_QUERY_HISTORY
    AND STARTSWITH(QUERY_TAG, :own_tag)
GROUP BY 1
ORDER BY 2 DESC, 1
LIMIT 200
