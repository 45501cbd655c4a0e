-- No row need be looked at.
SELECT count(*) FROM events
