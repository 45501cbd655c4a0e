-- Each row meets one of 1,000; three columns of a million rows go into the result.
SELECT e.id, e.value, d.label FROM events e JOIN dims d ON e.key = d.key
