-- What is billed, by UTC day and service, from METERING_DAILY_HISTORY: the only place with the 10 % adjustment.
-- A day's row belongs to [start, end) when its UTC midnight does; it is visible when the day's end is.
SELECT
    {key} AS KEY,
    {slot}
    CAST(IFF(COUNT(*) = 0, 0, SUM(CREDITS_USED)) AS FLOAT) AS CREDITS_USED,
    CAST(IFF(COUNT(*) = 0, 0, SUM(CREDITS_USED_COMPUTE)) AS FLOAT) AS CREDITS_COMPUTE,
    CAST(IFF(COUNT(*) = 0, 0, SUM(CREDITS_USED_CLOUD_SERVICES)) AS FLOAT) AS CREDITS_CLOUD_SERVICES,
    CAST(IFF(COUNT(*) = 0, 0, SUM(CREDITS_ADJUSTMENT_CLOUD_SERVICES)) AS FLOAT) AS CREDITS_ADJUSTMENT,
    CAST(IFF(COUNT(*) = 0, 0, SUM(CREDITS_BILLED)) AS FLOAT) AS CREDITS_BILLED
FROM SNOWFLAKE.ACCOUNT_USAGE.METERING_DAILY_HISTORY
WHERE USAGE_DATE >= :first_day
    AND USAGE_DATE < :end_day
    AND USAGE_DATE < :visible_day_METERING_DAILY_HISTORY
    {filters}
{group}
ORDER BY {order}
{limit}
