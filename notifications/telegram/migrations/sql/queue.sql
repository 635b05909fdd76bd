-- Wake the lane for rows of any inserter. A hint only: nothing is locked, so that a long transaction
-- of a stranger holds up nobody, and the lane looks every half minute anyway.
CREATE FUNCTION notification_queue_wake() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('jobs_wake', 'telegram.drain_queue');
    RETURN NULL;
END $$;
CREATE TRIGGER notification_queue_wake AFTER INSERT ON notification_queue
    FOR EACH STATEMENT EXECUTE FUNCTION notification_queue_wake();

ALTER TABLE notification_queue SET (
    fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0
);
