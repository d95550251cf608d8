-- Whether a view may be read: at most one row of the last day.
SELECT 1 AS ONE
FROM SNOWFLAKE.ACCOUNT_USAGE.{view}
WHERE {start} >= :since
LIMIT 1
