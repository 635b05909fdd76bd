"""Which apps tell numbers at /metrics. The apps do not know who asks."""

from config.metrics import register_collector
from jobs import metrics as jobs_metrics
from monitoring.alerts import metrics as alerts_metrics
from monitoring.checks import metrics as checks_metrics
from monitoring.dashboard import metrics as dashboard_metrics
from monitoring.files import metrics as files_metrics
from monitoring.nodes import metrics as nodes_metrics
from notifications.broadcasts import metrics as broadcasts_metrics
from notifications.conversations import metrics as conversations_metrics
from notifications.inbox import metrics as inbox_metrics
from notifications.telegram import metrics as telegram_metrics
from notifications.webhooks import metrics as webhook_metrics
from payments import metrics as payments_metrics
from reports.exports import metrics as exports_metrics
from reports.retention import metrics as retention_metrics
from reports.statistics import metrics as statistics_metrics
from subscriptions.access import metrics as access_metrics
from subscriptions.lifecycle import metrics as lifecycle_metrics
from subscriptions.mirror import metrics as mirror_metrics

register_collector(jobs_metrics.collect)
register_collector(inbox_metrics.collect)
register_collector(telegram_metrics.collect)
register_collector(broadcasts_metrics.collect)
register_collector(conversations_metrics.collect)
register_collector(webhook_metrics.collect)
register_collector(payments_metrics.collect)
register_collector(files_metrics.collect)
register_collector(dashboard_metrics.collect)
register_collector(nodes_metrics.collect)
register_collector(access_metrics.collect)
register_collector(lifecycle_metrics.collect)
register_collector(mirror_metrics.collect)
register_collector(exports_metrics.collect)
register_collector(retention_metrics.collect)
register_collector(statistics_metrics.collect)
register_collector(alerts_metrics.collect)
register_collector(checks_metrics.collect)
