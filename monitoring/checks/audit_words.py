"""How the audit log tells what people do about services and rules."""

from jobs.auditing import Listed, words_register

words_register(
    {
        "services.check": "had checked",
        "rules.change": "changed",
    },
    things={"rule": Listed("checks_rulestate")},
    pairs={"rules.change"},
)
