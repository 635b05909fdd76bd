"""Django's PostgreSQL backend, without the log of all queries that DEBUG would switch on."""
