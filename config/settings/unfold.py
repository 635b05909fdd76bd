"""The look of the admin. What its sidebar holds is in config/sidebar.py."""

from typing import Any

from django.templatetags.static import static

from config.settings.base import DEBUG, VERSION

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Switchboard",
    "SITE_HEADER": "Switchboard",
    "SITE_SUBHEADER": f"Operations console {VERSION}",
    "SITE_URL": "/",
    "SITE_SYMBOL": "hub",
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda _request: static("switchboard/favicon.svg"),
        }
    ],
    "LOGIN": {"image": None, "redirect_after": None, "form": "config.login.LoginForm"},
    "STYLES": [lambda _request: static("switchboard/admin.css")],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "6px",
    "ENVIRONMENT": "config.site.environment" if DEBUG else None,
    "COLORS": {
        "primary": {
            "50": "oklch(97.7% .013 236.6)",
            "100": "oklch(95.1% .026 236.8)",
            "200": "oklch(90.1% .058 230.9)",
            "300": "oklch(82.8% .111 230.3)",
            "400": "oklch(74.6% .16 232.7)",
            "500": "oklch(68.5% .169 237.3)",
            "600": "oklch(58.8% .158 242)",
            "700": "oklch(50% .134 242.7)",
            "800": "oklch(44.3% .11 240.8)",
            "900": "oklch(39.1% .09 240.9)",
            "950": "oklch(29.3% .066 243.2)",
        }
    },
    "SIDEBAR": {
        "show_search": True,
        "command_search": False,
        "show_all_applications": False,
        "navigation": "config.sidebar.navigation",
    },
}
