"""Exports: where their files lie, and for how long (docs/exports.md)."""

from datetime import timedelta
from pathlib import Path

from config import env
from config.settings.base import DATA_DIR

EXPORT_STORAGE = env.choice("EXPORT_STORAGE", "local", ("local", "s3"))
# Files, and with s3 what is being written. With local, web and workers must see the same directory.
EXPORT_DIR = Path(env.text("EXPORT_DIR", str(DATA_DIR / "exports")))
EXPORT_KEEP = env.span("EXPORT_KEEP", "24h")  # a file and its link, from the moment it is written
EXPORT_OPEN_MOST = env.integer("EXPORT_OPEN_MOST", 5, least=1, most=100)  # per account

EXPORT_S3_BUCKET = env.text("EXPORT_S3_BUCKET")
EXPORT_S3_PREFIX = env.text("EXPORT_S3_PREFIX", "exports")
EXPORT_S3_ENDPOINT = env.url("EXPORT_S3_ENDPOINT", "", ("http", "https"))  # empty: Amazon's own
EXPORT_S3_REGION = env.text("EXPORT_S3_REGION", "us-east-1")
EXPORT_S3_ACCESS_KEY = env.text("EXPORT_S3_ACCESS_KEY")
EXPORT_S3_SECRET_KEY = env.text("EXPORT_S3_SECRET_KEY")

if not EXPORT_DIR.is_absolute() or str(EXPORT_DIR) == "/":
    raise env.SettingInvalid("EXPORT_DIR", "must be an absolute directory, and not / itself.")
if not timedelta(minutes=1) <= EXPORT_KEEP <= timedelta(days=30):
    raise env.SettingInvalid("EXPORT_KEEP", "must be between 1m and 30d.")
if EXPORT_STORAGE == "s3":
    for _name, _value in (
        ("EXPORT_S3_BUCKET", EXPORT_S3_BUCKET),
        ("EXPORT_S3_ACCESS_KEY", EXPORT_S3_ACCESS_KEY),
        ("EXPORT_S3_SECRET_KEY", EXPORT_S3_SECRET_KEY),
    ):
        if not _value:
            raise env.SettingInvalid(_name, "must be set when EXPORT_STORAGE is s3.")
