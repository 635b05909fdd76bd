"""All settings, read through config.env: a file per concern, and nothing for production only."""

from config.settings.alerts import *
from config.settings.base import *
from config.settings.broadcasts import *
from config.settings.checks import *
from config.settings.console import *
from config.settings.conversations import *
from config.settings.exports import *
from config.settings.files import *
from config.settings.inbox import *
from config.settings.integrations import *
from config.settings.nodes import *
from config.settings.payments import *
from config.settings.queue import *
from config.settings.reports import *
from config.settings.storage import *
from config.settings.subscriptions import *
from config.settings.unfold import *
from config.settings.web import *
from config.settings.webhooks import *
