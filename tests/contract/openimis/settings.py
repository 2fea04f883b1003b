"""Django settings for the smallest openIMIS whose policies, premiums and payments work. Used by driver.py only."""

from __future__ import annotations

import os

OPENIMIS_APPS = [
    "core",
    "report",
    "location",
    "medical",
    "medical_pricelist",
    "product",
    "insuree",
    "policy",
    "contribution",
    "payer",
    "payment",
    "claim",
    "claim_batch",
    "calculation",
    "contribution_plan",
    "invoice",
]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "graphene_django",
    "graphql_jwt.refresh_token.apps.RefreshTokenConfig",
    "rest_framework",
    "rules",
    "django_apscheduler",
    "axes",
    *OPENIMIS_APPS,
]


class _Off(dict):  # type: ignore[type-arg]
    """Migrations expect the tables of a legacy dump, so they stay off and the models make the schema."""

    def __contains__(self, app: object) -> bool:
        return True

    def __getitem__(self, app: str) -> None:
        return None


MIGRATION_MODULES = _Off()
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ.get("OPENIMIS_DB_HOST", ""),
        "PORT": os.environ.get("OPENIMIS_DB_PORT", ""),
        "USER": os.environ.get("OPENIMIS_DB_USER", ""),
        "PASSWORD": os.environ.get("OPENIMIS_DB_PASSWORD", ""),
        "NAME": os.environ.get("OPENIMIS_DB_NAME", ""),
    }
}
_MEMORY = "django.core.cache.backends.locmem.LocMemCache"
CACHES = {name: {"BACKEND": _MEMORY, "LOCATION": name} for name in ("default", "location", "coverage")}

AUTH_USER_MODEL = "core.User"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
SECRET_KEY = "throwaway"  # nobody logs in
USE_TZ = False
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
AXES_ENABLED = False
GRAPHENE = {"SCHEMA": "core.schema.schema"}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
LOGGING_CONFIG = None  # driver.py decides

# What openIMIS reads without a default.
MODE = "PROD"
IS_TESTING = True  # no user is kept in a cache: databases change under the process
MSSQL = False
ROW_SECURITY = False
CACHE_OBJECT_DEFAULT = False
CACHE_OBJECT_TTL = None
PASSWORD_MIN_LENGTH = 8
PASSWORD_UPPERCASE = PASSWORD_LOWERCASE = PASSWORD_DIGITS = PASSWORD_SYMBOLS = 0
SCHEDULER_AUTOSTART = False
SCHEDULER_CONFIG: dict[str, str] = {}
SCHEDULER_JOBS: list[dict[str, object]] = []
SCHEDULER_CUSTOM: list[dict[str, object]] = []
RATELIMIT_GROUP, RATELIMIT_KEY, RATELIMIT_RATE = "openimis", "ip", "1000/m"
FRONTEND_URL = ""
EMAIL_HOST_USER = ""


def SITE_ROOT() -> str:
    """The path under which openIMIS would answer."""
    return "api/"
