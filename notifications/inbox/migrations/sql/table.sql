-- What Django's fields cannot say of the tables.
-- Each change updates the row of its recipient: room on the page for a second version of all rows keeps
-- that off the indexes, even when everybody is told at once.
ALTER TABLE inbox_recipient SET (
    fillfactor = 45,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0
);
ALTER TABLE inbox_notification SET (
    fillfactor = 85,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_insert_scale_factor = 0.1,
    autovacuum_vacuum_cost_delay = 0
);
-- Rows live for moments: vacuum early and without pause.
ALTER TABLE inbox_outbox SET (
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);
-- Sockets do not outlive a crash of the machine; each pod writes its own anew.
ALTER TABLE inbox_client SET UNLOGGED;
