"""File watch: what a site may set."""
