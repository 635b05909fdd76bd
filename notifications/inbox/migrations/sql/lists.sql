-- What the console looks for and nothing else needs. None of them costs an ordinary notification anything.
CREATE INDEX inbox_notification_rare ON inbox_notification (state, id)
    WHERE state IN ('deferred', 'muted', 'recalled', 'replaced');
-- Of one person, what does not stand in the inbox: deferred, muted, or taken back before it did.
CREATE INDEX inbox_notification_aside ON inbox_notification (recipient_id, id) WHERE position IS NULL;
-- By login, and by how it begins.
CREATE INDEX inbox_recipient_login ON inbox_recipient (login varchar_pattern_ops);
