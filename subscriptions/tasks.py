"""The jobs of all rooms of subscriptions, so that every process that runs jobs knows them."""

import subscriptions.access.tasks
import subscriptions.activation.tasks
import subscriptions.bulk.tasks
import subscriptions.lifecycle.tasks
import subscriptions.mirror.tasks
import subscriptions.people.tasks  # noqa: F401
