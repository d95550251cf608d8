-- The secondary roles of this session, as JSON text; an empty list of roles when they are off.
SELECT CURRENT_SECONDARY_ROLES() AS ROLES
