-- How far a view reaches: its first row's start and its newest end, within ACCOUNT_USAGE's retention and never
-- past account time. {...} are columns of views.py.
SELECT
    MIN({start}) AS FIRST_START,
    MAX(COALESCE({end}, {start})) AS NEWEST_END
FROM SNOWFLAKE.ACCOUNT_USAGE.{view}
WHERE {start} >= :oldest
    AND {visible}
