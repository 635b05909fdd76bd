"""No table: the console as a thing that permissions can be about."""

from django.db import models


class Console(models.Model):  # noqa: DJ008 - there are no rows to name
    """What an account may do with the console as a whole, beyond the rows of the apps."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = (
            ("view_metrics", "Can read /metrics"),
            ("view_ops", "Can see the operations pages"),
        )
