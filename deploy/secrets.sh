#!/bin/sh
# Makes deploy/secrets for compose.yaml: random keys, and empty files for the tokens that others give you.
# Safe to repeat: what is there stays. A container's user reads the files; the directory is closed to others.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
chmod 700 secrets

random() { head -c 48 /dev/urandom | base64 | tr -d '\n=' | tr '+/' '-_'; }
put() { # NAME VALUE
    if [ -e "secrets/$1" ]; then return; fi
    printf '%s' "$2" > "secrets/$1"
    chmod 444 "secrets/$1"
}

put secret_key "$(random)"
put postgres_password "$(random)"
put database_url "postgresql://switchboard:$(cat secrets/postgres_password)@postgres:5432/switchboard"
put grafana_password "$(random)"
put telegram_webhook_secret "$(random)"
for name in telegram_bot_token remnawave_api_token remnawave_webhook_secret cryptobot_token alerts_token smtp_password; do
    put "$name" ""
done
echo "deploy/secrets is ready. Still empty:"
find secrets -type f -empty | sort
