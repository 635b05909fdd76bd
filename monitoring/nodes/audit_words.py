"""How the audit log tells what people do to servers."""

from jobs.auditing import Page, words_register
from monitoring.nodes.words import NODE

words_register(
    {
        "nodes.check": "had looked at",
        "nodes.enable": "enabled",
        "nodes.disable": "disabled",
        "nodes.restart": "restarted",
        "nodes.edit": "edited",
        "nodes.place": "placed on the map",
        "nodes.unplace": "put back to the place of its country",
        "nodes.bulk_check": "had looked at many:",
        "nodes.bulk_enable": "enabled many:",
        "nodes.bulk_disable": "disabled many:",
        "nodes.bulk_restart": "restarted many:",
        "nodes.bulk_silence": "silenced many:",
    },
    things={NODE: Page("nodes_node")},
)
