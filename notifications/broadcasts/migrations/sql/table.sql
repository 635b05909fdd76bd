-- What Django's fields cannot say of the tables.
-- Each row of the ledger is changed once or twice, soon after it was made: room on the page keeps the new
-- version beside the old one.
ALTER TABLE broadcast_ledger SET (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_insert_scale_factor = 0.2,
    autovacuum_vacuum_cost_delay = 0
);
-- The counters of a broadcast that is sent change many times a second.
ALTER TABLE notification_broadcasts SET (fillfactor = 40, autovacuum_vacuum_threshold = 200);
ALTER TABLE broadcast_tally SET (fillfactor = 50, autovacuum_vacuum_threshold = 200);
