-- Runs of tasks that are scheduled to begin soon. Nothing else in SQL knows what comes next: the view ends with what
-- has run. Without an end of the range the function holds each started task's next run within 8 days; its arguments
-- cut the set before WHERE does, so the largest limit is asked for.
SELECT
    NAME,
    DATABASE_NAME,
    SCHEMA_NAME,
    ROOT_TASK_ID
FROM TABLE(SNOWFLAKE.INFORMATION_SCHEMA.TASK_HISTORY(
    SCHEDULED_TIME_RANGE_START => CURRENT_TIMESTAMP(),
    RESULT_LIMIT => 10000
))
WHERE STATE = 'SCHEDULED' AND SCHEDULED_TIME <= DATEADD('second', :seconds, CURRENT_TIMESTAMP())
ORDER BY SCHEDULED_TIME, NAME
